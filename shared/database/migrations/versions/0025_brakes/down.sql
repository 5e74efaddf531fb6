DO $$
BEGIN
    IF coalesce(current_setting('helpdesk.lose_data', true), '') <> 'yes'
        AND (EXISTS (SELECT FROM helpdesk.outgoing_holds)
            OR EXISTS (SELECT FROM helpdesk.importer_settings WHERE paused_since IS NOT NULL)) THEN
        RAISE EXCEPTION 'outgoing_holds or importer_settings (paused_since) has rows, which this downgrade would destroy.'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'Release and resume first; or, when mail may go out and be read again, downgrade with lose_data.';
    END IF;
END $$;
DROP TRIGGER z_audit_discarded ON notifications;
DROP FUNCTION helpdesk.discard_held_mails;
DROP TABLE outgoing_holds;
ALTER TABLE importer_settings DROP COLUMN paused_since, DROP COLUMN paused_reason;
