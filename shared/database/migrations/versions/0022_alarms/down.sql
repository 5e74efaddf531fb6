DO $$
BEGIN
    IF coalesce(current_setting('helpdesk.lose_data', true), '') <> 'yes'
        AND (EXISTS (SELECT FROM helpdesk.helpdesk_administrators)
            OR EXISTS (SELECT FROM helpdesk.maintenance_windows)) THEN
        RAISE EXCEPTION 'helpdesk_administrators or maintenance_windows has rows, which this downgrade would destroy.'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'Restore a backup instead; or, when the data may go, downgrade with lose_data.';
    END IF;
END $$;

DROP TABLE maintenance_windows;
DROP TABLE alarm_digests;
DROP TABLE alarm_tellings;
DROP TABLE alarms;
DROP TABLE helpdesk_administrators;
