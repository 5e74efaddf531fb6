DO $$
BEGIN
    IF coalesce(current_setting('helpdesk.lose_data', true), '') <> 'yes' AND EXISTS (SELECT FROM helpdesk.audit_log) THEN
        RAISE EXCEPTION 'Table audit_log has rows, which this downgrade would destroy.'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'Restore a backup instead; or, when the data may go, downgrade with lose_data.';
    END IF;
END $$;

CREATE OR REPLACE VIEW ui_v1.original_mail_chunks AS
SELECT mail.mail_id, chunks.position, chunks.content
FROM helpdesk.imported_mails AS mail JOIN helpdesk.blob_chunks AS chunks ON chunks.sha256 = mail.raw_sha256
WHERE mail.outcome IN ('ticket', 'supplement');
COMMENT ON VIEW ui_v1.original_mail_chunks IS
    'The bytes of the mail that a ticket or supplement was made from (message/rfc822), in the order of position: to be downloaded, never shown as html. Of a mail that is in quarantine none are shown.';
GRANT SELECT ON blob_chunks TO importer_console, importer_operator;
DROP VIEW helpdesk.raw_mail_chunks;

DO $$
DECLARE
    existing record;
BEGIN
    FOR existing IN SELECT tgname, tgrelid::regclass AS rel FROM pg_trigger WHERE tgname LIKE 'z\_audit%' AND NOT tgisinternal LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', existing.tgname, existing.rel);
    END LOOP;
END $$;
DROP FUNCTION helpdesk.note_look_at_raw_mail, helpdesk.audit_aliases, helpdesk.audit_repair, helpdesk.audit_settings;
DROP TABLE audit_log;
DROP FUNCTION helpdesk.refuse_change_of_audit, helpdesk.record_audit;
