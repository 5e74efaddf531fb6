DO $$
BEGIN
    IF coalesce(current_setting('helpdesk.lose_data', true), '') <> 'yes'
        AND EXISTS (SELECT FROM helpdesk.notifications WHERE resend_of IS NOT NULL) THEN
        RAISE EXCEPTION 'notifications has mails that were sent once more, which this downgrade would destroy'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'Restore a backup instead; or, when the data may go, downgrade with lose_data.';
    END IF;
END $$;
DROP FUNCTION helpdesk.resend_notification, helpdesk.recipient_now;
REVOKE SELECT (recipient_key, recipient_employee_id, recipient_person_id, counted_address, counted_domain)
    ON notifications FROM importer_web;
DELETE FROM notifications WHERE resend_of IS NOT NULL;
ALTER TABLE notifications DROP COLUMN resend_of, ADD CONSTRAINT notifications_mail_id_kind_key UNIQUE (mail_id, kind);
