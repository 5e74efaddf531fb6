-- ── attachments that people add themselves ─────────────────────────────────────────────────────────────────────────
-- D4 keeps what comes by mail to images, since nobody chose it. What a person adds may be any file; who did is kept.

ALTER TABLE attachments ADD COLUMN added_by_employee_id bigint REFERENCES employees,
    ADD CONSTRAINT a_mail_adds_by_itself CHECK (mail_id IS NULL OR added_by_employee_id IS NULL),
    DROP CONSTRAINT stored_is_an_image,
    ADD CONSTRAINT stored_is_an_image CHECK (
        blob_sha256 IS NULL
        OR added_by_employee_id IS NOT NULL
        OR (media_type IN ('image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/bmp', 'image/tiff', 'image/heic', 'image/heif')
            AND width IS NOT NULL AND height IS NOT NULL));
CREATE INDEX attachments_added_by ON attachments (added_by_employee_id) WHERE added_by_employee_id IS NOT NULL;
COMMENT ON COLUMN attachments.added_by_employee_id IS 'Who added it by hand; null: it came with a mail.';
COMMENT ON COLUMN attachments.media_type IS 'Of a stored image what its bytes decode as, of one that a person added or that was left out what was claimed.';

CREATE OR REPLACE VIEW ui_v1.attachments AS
SELECT id, ticket_id, supplement_id, mail_id, position, name, media_type, byte_size, width, height, inline, content_id,
    left_out_reason IS NULL AS stored, left_out_reason, created_at, decoration,
    decoration IS NOT NULL AND coalesce((
        SELECT settings.hide_signature_images
        FROM helpdesk.tickets AS ticket JOIN helpdesk.importer_settings AS settings USING (helpdesk_id)
        WHERE ticket.id = attachments.ticket_id), true) AS hidden,
    added_by_employee_id,
    (SELECT name FROM helpdesk.employees WHERE id = attachments.added_by_employee_id) AS added_by_name
FROM helpdesk.attachments;
COMMENT ON COLUMN ui_v1.attachments.added_by_employee_id IS 'Who added it (ui_v1.add_attachment); null: it came with a mail.';
COMMENT ON COLUMN ui_v1.attachments.added_by_name IS 'His name.';

CREATE FUNCTION ui_v1.add_attachment(
    ticket bigint, supplement bigint, name text, media_type text, content bytea, employee bigint, inline boolean DEFAULT false
) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    largest constant integer := 50 * 1024 * 1024;
    a_chunk constant integer := 1024 * 1024;
    digest bytea := sha256(content);
    added uuid := gen_random_uuid();
BEGIN
    IF content IS NULL OR length(content) NOT BETWEEN 1 AND largest THEN
        RAISE EXCEPTION 'An attachment has 1 byte to 50 MB.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'an_attachment_has_a_size';
    ELSIF name IS NULL OR btrim(name) = '' OR length(name) > 200 OR name ~ '[[:cntrl:]/\\]' THEN
        RAISE EXCEPTION 'An attachment has a name of 200 characters at most, without folders.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'an_attachment_has_a_name';
    ELSIF media_type IS NULL OR media_type !~ '^[a-z0-9!#$&^_.+-]{1,100}/[a-z0-9!#$&^_.+-]{1,100}$' THEN
        RAISE EXCEPTION 'An attachment has a media type in lower case, without parameters.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'an_attachment_has_a_media_type';
    ELSIF employee IS NULL THEN
        RAISE EXCEPTION 'An attachment names the employee who adds it.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'an_attachment_has_its_author';
    END IF;
    LOOP -- whoever sweeps may remove the same bytes between our finding and our holding them
        PERFORM FROM helpdesk.blobs WHERE sha256 = digest FOR KEY SHARE;
        EXIT WHEN FOUND;
        INSERT INTO helpdesk.blobs (sha256, byte_size) VALUES (digest, length(content)) ON CONFLICT DO NOTHING;
        IF FOUND THEN
            INSERT INTO helpdesk.blob_chunks (sha256, position, content)
            SELECT digest, chunk, substr(add_attachment.content, 1 + chunk * a_chunk, a_chunk)
            FROM generate_series(0, (length(add_attachment.content) - 1) / a_chunk) AS chunk;
            EXIT;
        END IF;
    END LOOP;
    INSERT INTO helpdesk.attachments (id, ticket_id, supplement_id, position, name, media_type, byte_size, inline,
        blob_sha256, added_by_employee_id)
    SELECT added, add_attachment.ticket, add_attachment.supplement, coalesce(max(others.position) + 1, 0),
        btrim(add_attachment.name), add_attachment.media_type, length(add_attachment.content), add_attachment.inline,
        digest, add_attachment.employee
    FROM helpdesk.attachments AS others
    WHERE others.ticket_id = add_attachment.ticket AND others.supplement_id IS NOT DISTINCT FROM add_attachment.supplement;
    RETURN added;
END $$;
COMMENT ON FUNCTION ui_v1.add_attachment IS
    'stores a file that an employee adds to a ticket (supplement null) or to one of its supplements; inline: a body shows it as attachment:<the uuid that comes back>';

CREATE FUNCTION ui_v1.remove_attachment(attachment uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM helpdesk.attachments WHERE id = attachment AND added_by_employee_id IS NOT NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'Nobody added attachment % by hand, or it is gone.', attachment
            USING ERRCODE = 'check_violation', CONSTRAINT = 'what_came_by_mail_stays';
    END IF;
END $$;
COMMENT ON FUNCTION ui_v1.remove_attachment IS 'removes a file that a person added; what came with a mail stays';

REVOKE ALL ON FUNCTION ui_v1.add_attachment, ui_v1.remove_attachment FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ui_v1.add_attachment, ui_v1.remove_attachment TO helpdesk_ui;
COMMENT ON COLUMN attachments.id IS 'UUIDv5 of mail and part, of one that a person added a random one: what attachment:<id> in a body names.';
COMMENT ON COLUMN attachments.mail_id IS 'The mail that brought it; null: a person added it.';
