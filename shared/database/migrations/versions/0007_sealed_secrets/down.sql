DO $$
BEGIN
    IF coalesce(current_setting('helpdesk.lose_data', true), '') <> 'yes'
        AND EXISTS (SELECT FROM helpdesk.sealing_keys) THEN
        RAISE EXCEPTION 'Table sealing_keys has rows, which this downgrade would destroy.'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'Sealed secrets must be given again afterwards; when they may, downgrade with lose_data.';
    END IF;
END $$;

-- Sealed secrets stay sealed: the version before cannot open them, and asks for them again.
DROP FUNCTION ui_v1.set_account_password;
DROP FUNCTION ui_v1.set_mailbox_password;
DROP FUNCTION helpdesk.refuse_unsealed;
DROP VIEW ui_v1.sealing_key;
DROP TABLE sealing_keys;
