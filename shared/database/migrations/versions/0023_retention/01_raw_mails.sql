-- ── how long what is kept (issue 14): nothing goes until somebody says after how many days ─────────────────────────

CREATE TABLE retention (
    one_row       boolean PRIMARY KEY DEFAULT true CHECK (one_row),
    raw_mail_days integer CHECK (raw_mail_days >= 1),
    identity_days integer CHECK (identity_days >= 365),
    CONSTRAINT identities_stay_longer CHECK (identity_days IS NULL OR identity_days > raw_mail_days)
);
INSERT INTO retention DEFAULT VALUES;
COMMENT ON TABLE retention IS 'How long what is kept, one row for the installation.';
COMMENT ON COLUMN retention.one_row IS 'There is one row.';
COMMENT ON COLUMN retention.raw_mail_days IS 'Days after which the bytes of a mail go, counted from its outcome and from the completion of its ticket; null: never.';
COMMENT ON COLUMN retention.identity_days IS 'Days after which it is forgotten that a content was imported, longer than raw_mail_days; null: never.';
GRANT SELECT, UPDATE (raw_mail_days, identity_days) ON retention TO importer_console, importer_operator;
CREATE TRIGGER z_audit AFTER INSERT OR UPDATE OR DELETE ON retention
    FOR EACH ROW EXECUTE FUNCTION helpdesk.audit_settings('', '');

ALTER TABLE imported_mails ALTER COLUMN raw_sha256 DROP NOT NULL, ADD COLUMN raw_removed_at timestamptz,
    ADD CONSTRAINT bytes_are_there_or_removed CHECK ((raw_sha256 IS NULL) = (raw_removed_at IS NOT NULL)),
    ADD CONSTRAINT what_awaits_an_outcome_has_its_bytes CHECK (raw_removed_at IS NULL OR NOT awaits_outcome);
COMMENT ON COLUMN imported_mails.raw_sha256 IS 'The raw bytes, as they left the mailbox; null: nothing needed them any more, and they were removed.';
COMMENT ON COLUMN imported_mails.raw_removed_at IS 'When its raw bytes were removed; null: they are there.';
GRANT SELECT (raw_removed_at) ON imported_mails TO importer_console, importer_operator;

-- Whether the bytes of a mail are needed: it is undecided, or its ticket is open or was completed since.
CREATE FUNCTION helpdesk.raw_mail_is_needed(mail helpdesk.imported_mails, since timestamptz) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT mail.outcome IS NULL OR mail.awaits_outcome OR mail.outcome_at >= since
        OR (mail.outcome = 'quarantine' AND NOT mail.reasons @> '[{"id": "discarded-by-person"}]')
        OR (mail.outcome IN ('ticket', 'supplement') AND mail.event_published_at IS NULL)
        OR EXISTS (SELECT FROM helpdesk.dead_letters WHERE mail_id = mail.mail_id AND resolved_at IS NULL)
        OR EXISTS (
            WITH RECURSIVE way AS ( -- a merged ticket is as open as the one that it went up in
                SELECT ticket.* FROM helpdesk.tickets AS ticket
                WHERE ticket.id = coalesce(mail.ticket_id, (SELECT original.ticket_id
                    FROM helpdesk.imported_mails AS original WHERE original.mail_id = mail.duplicate_of))
                UNION ALL SELECT ticket.* FROM helpdesk.tickets AS ticket JOIN way ON ticket.id = way.merged_into_id)
            SELECT FROM way JOIN helpdesk.statuses AS status ON status.id = way.status_id
            WHERE way.merged_into_id IS NULL
                AND (status.category <> 'closed' OR coalesce(way.completed_at, way.changed_at) >= since))
$$;
COMMENT ON FUNCTION helpdesk.raw_mail_is_needed IS 'whether the raw bytes of a mail must stay: it is undecided, or its ticket is not closed since then';

-- A page of mails at a time, the oldest first, so that no transaction is long. The bytes themselves go with
-- `sweep-blobs`, which looks once more whether anything needs them.
CREATE FUNCTION helpdesk.remove_raw_mails(
    page integer, after_at timestamptz, after_id uuid,
    OUT looked_at integer, OUT removed integer, OUT bytes bigint, OUT last_at timestamptz, OUT last_id uuid
)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    since CONSTANT timestamptz := now() - make_interval(days => (SELECT raw_mail_days FROM helpdesk.retention));
    taken uuid[];
    gone uuid[];
BEGIN
    SELECT array_agg(mail_id ORDER BY received_at, mail_id) INTO taken FROM (
        SELECT mail_id, received_at FROM helpdesk.imported_mails
        WHERE received_at < since AND (received_at, mail_id) > (after_at, after_id)
        ORDER BY received_at, mail_id LIMIT page) AS mails;
    looked_at := coalesce(cardinality(taken), 0);
    SELECT received_at, mail_id INTO last_at, last_id FROM helpdesk.imported_mails WHERE mail_id = taken[looked_at];
    WITH removable AS (
        SELECT mail.mail_id, mail.raw_sha256, mail.raw_size FROM helpdesk.imported_mails AS mail
        WHERE mail.mail_id = ANY (taken) AND mail.raw_sha256 IS NOT NULL
            AND NOT helpdesk.raw_mail_is_needed(mail, since)
        FOR UPDATE SKIP LOCKED),
    emptied AS (
        UPDATE helpdesk.imported_mails AS mail SET raw_sha256 = NULL, raw_removed_at = now()
        FROM removable WHERE mail.mail_id = removable.mail_id),
    untied AS (
        DELETE FROM helpdesk.mail_blobs AS tie USING removable
        WHERE tie.mail_id = removable.mail_id AND tie.sha256 = removable.raw_sha256
            AND NOT EXISTS (SELECT FROM helpdesk.attachments AS a WHERE a.mail_id = tie.mail_id AND a.blob_sha256 = tie.sha256)
            AND NOT EXISTS (SELECT FROM helpdesk.attachment_copies AS c WHERE c.mail_id = tie.mail_id AND c.blob_sha256 = tie.sha256))
    SELECT coalesce(count(*), 0), coalesce(sum(raw_size), 0), array_agg(mail_id) INTO removed, bytes, gone FROM removable;
    IF removed > 0 THEN
        PERFORM helpdesk.record_audit('removal', 'removed', 'raw mails', NULL, NULL, NULL,
            NULL, jsonb_build_object('mails', removed, 'bytes', bytes, 'settled_before', since, 'mail_ids', gone));
    END IF;
END $$;
COMMENT ON FUNCTION helpdesk.remove_raw_mails IS 'removes the raw bytes of those mails of a page (behind a moment and an id) that nothing needs any more';

CREATE FUNCTION helpdesk.remove_identities(page integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    since CONSTANT timestamptz := now() - make_interval(days => (SELECT identity_days FROM helpdesk.retention));
    removed integer;
BEGIN
    WITH old AS (
        SELECT content.mail_id FROM helpdesk.content_keys AS content JOIN helpdesk.imported_mails AS mail USING (mail_id)
        WHERE mail.outcome_at < since AND mail.raw_removed_at IS NOT NULL LIMIT page FOR UPDATE OF content SKIP LOCKED)
    DELETE FROM helpdesk.content_keys AS content USING old WHERE content.mail_id = old.mail_id;
    GET DIAGNOSTICS removed = ROW_COUNT;
    IF removed > 0 THEN
        PERFORM helpdesk.record_audit('removal', 'removed', 'content keys', NULL, NULL, NULL,
            NULL, jsonb_build_object('content_keys', removed, 'settled_before', since));
    END IF;
    RETURN removed;
END $$;
COMMENT ON FUNCTION helpdesk.remove_identities IS 'forgets the content keys of mails that were settled long ago and have no bytes any more';
REVOKE ALL ON FUNCTION helpdesk.raw_mail_is_needed, helpdesk.remove_raw_mails, helpdesk.remove_identities FROM PUBLIC;
GRANT EXECUTE ON FUNCTION helpdesk.remove_raw_mails, helpdesk.remove_identities TO importer_operator;

-- ── the work of a night: one row a job, which whoever does it takes ────────────────────────────────────────────────
CREATE TABLE nightly_jobs (
    job         text PRIMARY KEY CHECK (job IN ('retention', 'reconcile')),
    started_at  timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    told        jsonb NOT NULL DEFAULT '{}',
    CONSTRAINT it_ends_after_its_beginning CHECK (finished_at >= started_at)
);
COMMENT ON TABLE nightly_jobs IS 'What is done each night, by whichever replica takes it first: when it was last done, and what it came to.';
COMMENT ON COLUMN nightly_jobs.job IS 'retention (what nothing needs goes), reconcile (differences are found).';
COMMENT ON COLUMN nightly_jobs.started_at IS 'When somebody last took it.';
COMMENT ON COLUMN nightly_jobs.finished_at IS 'When it was done; null: it is being done, or who did it died.';
COMMENT ON COLUMN nightly_jobs.told IS 'What it came to.';
GRANT SELECT ON nightly_jobs TO importer_console, importer_operator;
GRANT INSERT (job, started_at), UPDATE (started_at, finished_at, told) ON nightly_jobs TO importer_operator;
