CREATE OR REPLACE FUNCTION helpdesk.note_look_at_raw_mail(mail uuid) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM helpdesk.audit_log
        WHERE mail_id = mail AND kind = 'raw-mail' AND at = now() AND database_role = session_user
            AND actor IS NOT DISTINCT FROM nullif(btrim(left(current_setting('helpdesk.actor', true), 200)), '')) THEN
        PERFORM helpdesk.record_audit('raw-mail', 'looked-at', 'imported_mails', mail::text,
            (SELECT helpdesk_id FROM helpdesk.imported_mails WHERE mail_id = mail), mail, NULL, NULL);
        -- Who rolls back takes the row with it, but not this line: what the server logs, no role of ours may set.
        RAISE LOG 'raw mail % is looked at by % (%)', mail, to_json(session_user)::text,
            to_json(coalesce(current_setting('helpdesk.actor', true), ''))::text; -- as JSON, in which no line ends
    END IF;
    RETURN true;
END $$;
