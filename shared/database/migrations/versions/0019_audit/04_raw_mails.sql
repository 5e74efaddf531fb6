-- ── raw mails: people's tools read them here alone, and who reads is recorded ──────────────────────────────────────
-- The column that gives the bytes gives them to who was recorded: once a mail and transaction.

CREATE FUNCTION helpdesk.note_look_at_raw_mail(mail uuid) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM helpdesk.audit_log
        WHERE mail_id = mail AND kind = 'raw-mail' AND at = now() AND database_role = session_user
            AND actor IS NOT DISTINCT FROM nullif(btrim(left(current_setting('helpdesk.actor', true), 200)), '')) THEN
        PERFORM helpdesk.record_audit('raw-mail', 'looked-at', 'imported_mails', mail::text,
            (SELECT helpdesk_id FROM helpdesk.imported_mails WHERE mail_id = mail), mail, NULL, NULL);
    END IF;
    RETURN true;
END $$;
COMMENT ON FUNCTION helpdesk.note_look_at_raw_mail IS 'records that somebody looks at the bytes of a mail';
REVOKE ALL ON FUNCTION helpdesk.note_look_at_raw_mail FROM PUBLIC;
GRANT EXECUTE ON FUNCTION helpdesk.note_look_at_raw_mail TO importer_console, importer_operator, helpdesk_ui;

CREATE VIEW helpdesk.raw_mail_chunks AS
SELECT mail.mail_id, chunks.position,
    CASE WHEN helpdesk.note_look_at_raw_mail(mail.mail_id) THEN chunks.content END AS content
FROM helpdesk.imported_mails AS mail JOIN helpdesk.blob_chunks AS chunks ON chunks.sha256 = mail.raw_sha256;
COMMENT ON VIEW helpdesk.raw_mail_chunks IS 'The bytes of a raw mail, in the order of position, for people''s tools: who reads them is recorded in audit_log, so that the transaction must be one that may write.';
COMMENT ON COLUMN helpdesk.raw_mail_chunks.mail_id IS 'The mail.';
COMMENT ON COLUMN helpdesk.raw_mail_chunks.position IS 'Order of the chunks, from 0.';
COMMENT ON COLUMN helpdesk.raw_mail_chunks.content IS 'Up to 1 MiB of its bytes.';
GRANT SELECT ON helpdesk.raw_mail_chunks TO importer_console, importer_operator;

CREATE OR REPLACE VIEW ui_v1.original_mail_chunks AS
SELECT mail.mail_id, chunks.position,
    CASE WHEN helpdesk.note_look_at_raw_mail(mail.mail_id) THEN chunks.content END AS content
FROM helpdesk.imported_mails AS mail JOIN helpdesk.blob_chunks AS chunks ON chunks.sha256 = mail.raw_sha256
WHERE mail.outcome IN ('ticket', 'supplement');
COMMENT ON VIEW ui_v1.original_mail_chunks IS
    'The bytes of the mail that a ticket or supplement was made from (message/rfc822), in the order of position: to be downloaded, never shown as html. Of a mail that is in quarantine none are shown. Who reads them is recorded, so that the transaction must be one that may write.';

-- No service reads as these roles: a command line of the version before says that it may not, until it is renewed.
REVOKE SELECT ON blob_chunks FROM importer_console, importer_operator;
