-- ── what is personal of one address goes when he asks for it; tickets stay ─────────────────────────────────────────

CREATE FUNCTION helpdesk.erase_person(address text, OUT told jsonb)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    nobody CONSTANT text := 'erased@erased.invalid';
    asked CONSTANT text := lower(btrim(address));
    contacts bigint[];
    mails uuid[];
    counted integer;
BEGIN
    SELECT array_agg(DISTINCT person_id) INTO contacts FROM helpdesk.person_addresses AS a WHERE lower(a.address) = asked;
    contacts := coalesce(contacts, '{}');
    IF EXISTS (SELECT FROM helpdesk.importer_settings WHERE default_contact_id = ANY (contacts)) THEN
        RAISE EXCEPTION 'The contact with this address is the «Standaard contactpersoon» of a helpdesk: choose another first.'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'a_default_contact_stays';
    END IF;
    SELECT coalesce(array_agg(mail_id), '{}') INTO mails FROM helpdesk.imported_mails WHERE lower(sender_address) = asked;
    IF EXISTS (SELECT FROM helpdesk.imported_mails WHERE mail_id = ANY (mails) AND (outcome IS NULL OR awaits_outcome))
        OR EXISTS (SELECT FROM helpdesk.notifications WHERE lower(recipient_address) = asked AND state = 'planned') THEN
        RAISE EXCEPTION 'A mail of or to this address is on its way: erase when it is done.'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'what_is_on_its_way_stays';
    END IF;
    told := '{}';
    UPDATE helpdesk.persons SET name = 'Gewist', active = false WHERE id = ANY (contacts);
    DELETE FROM helpdesk.person_addresses WHERE person_id = ANY (contacts);
    told := told || jsonb_build_object('contacts', cardinality(contacts));

    UPDATE helpdesk.tickets AS t SET
        sender_name = CASE WHEN lower(t.sender_address) = asked THEN NULL ELSE t.sender_name END,
        sender_address = CASE WHEN lower(t.sender_address) = asked THEN nobody ELSE t.sender_address END,
        sender_to = helpdesk.without_address(t.sender_to, asked), sender_cc = helpdesk.without_address(t.sender_cc, asked)
    WHERE lower(t.sender_address) = asked OR helpdesk.names_address(t.sender_to || t.sender_cc, asked);
    GET DIAGNOSTICS counted = ROW_COUNT;
    told := told || jsonb_build_object('tickets', counted);
    UPDATE helpdesk.supplements AS s SET
        sender_name = CASE WHEN lower(s.sender_address) = asked THEN NULL ELSE s.sender_name END,
        sender_address = CASE WHEN lower(s.sender_address) = asked THEN nobody ELSE s.sender_address END,
        sender_to = helpdesk.without_address(s.sender_to, asked), sender_cc = helpdesk.without_address(s.sender_cc, asked)
    WHERE lower(s.sender_address) = asked OR helpdesk.names_address(s.sender_to || s.sender_cc, asked);
    GET DIAGNOSTICS counted = ROW_COUNT;
    told := told || jsonb_build_object('supplements', counted);

    DELETE FROM helpdesk.mail_blobs AS tie USING helpdesk.imported_mails AS mail
    WHERE mail.mail_id = ANY (mails) AND tie.mail_id = mail.mail_id AND tie.sha256 = mail.raw_sha256
        AND NOT EXISTS (SELECT FROM helpdesk.attachments AS a WHERE a.mail_id = tie.mail_id AND a.blob_sha256 = tie.sha256)
        AND NOT EXISTS (SELECT FROM helpdesk.attachment_copies AS c WHERE c.mail_id = tie.mail_id AND c.blob_sha256 = tie.sha256);
    UPDATE helpdesk.imported_mails SET sender_name = NULL, sender_address = nobody, message_id_header = NULL,
        raw_sha256 = NULL, raw_removed_at = coalesce(raw_removed_at, now())
    WHERE mail_id = ANY (mails);
    told := told || jsonb_build_object('mails', cardinality(mails));

    UPDATE helpdesk.ticket_history
    SET description = regexp_replace(description, 'e-mail van .*', 'e-mail van een gewist contact.')
    WHERE mail_id = ANY (mails) AND kind IN ('created', 'supplemented');

    UPDATE helpdesk.notifications SET recipient_name = '', recipient_address = nobody, mime = NULL, server_reply = NULL,
        report_diagnostic = NULL, counted_address = NULL
    WHERE lower(recipient_address) = asked;
    GET DIAGNOSTICS counted = ROW_COUNT;
    told := told || jsonb_build_object('mails_out', counted);
    DELETE FROM helpdesk.sender_rules WHERE kind = 'address' AND pattern = asked;
    GET DIAGNOSTICS counted = ROW_COUNT;
    told := told || jsonb_build_object('sender_rules', counted);
    PERFORM helpdesk.record_audit('removal', 'erased', 'personal data', array_to_string(contacts, ','), NULL, NULL, NULL, told);
END $$;
COMMENT ON FUNCTION helpdesk.erase_person IS 'erases what is personal of an address: the contact''s name and addresses, who sent and who got mails, and the raw mails; tickets and what was written in them stay';

CREATE FUNCTION helpdesk.names_address(list jsonb, asked text) RETURNS boolean
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (SELECT FROM jsonb_array_elements(list) AS one WHERE lower(one ->> 'address') = asked)
$$;
COMMENT ON FUNCTION helpdesk.names_address IS 'whether a list of {"name", "address"} names this address (in lower case)';
CREATE FUNCTION helpdesk.without_address(list jsonb, asked text) RETURNS jsonb
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(jsonb_agg(one ORDER BY place) FILTER (WHERE lower(one ->> 'address') IS DISTINCT FROM asked), '[]')
    FROM jsonb_array_elements(list) WITH ORDINALITY AS listed (one, place)
$$;
COMMENT ON FUNCTION helpdesk.without_address IS 'a list of {"name", "address"} without this address (in lower case)';
REVOKE ALL ON FUNCTION helpdesk.erase_person, helpdesk.names_address, helpdesk.without_address FROM PUBLIC;
GRANT EXECUTE ON FUNCTION helpdesk.erase_person TO importer_operator;
GRANT EXECUTE ON FUNCTION helpdesk.names_address TO importer_console, importer_operator;
