DO $$
BEGIN
    IF coalesce(current_setting('helpdesk.lose_data', true), '') <> 'yes'
        AND EXISTS (SELECT FROM helpdesk.mailbox_states WHERE read_again_from IS NOT NULL) THEN
        RAISE EXCEPTION 'mailbox_states (read_again_from) has rows, which this downgrade would destroy.'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'Let the fetcher read these mailboxes again first; or downgrade with lose_data.';
    END IF;
END $$;
DROP FUNCTION helpdesk.note_brought_back;
ALTER TABLE mailbox_states DROP COLUMN read_again_from, DROP COLUMN read_again_until, DROP COLUMN read_again_silent;
