DO $$
BEGIN
    IF coalesce(current_setting('helpdesk.lose_data', true), '') <> 'yes'
        AND cardinality((SELECT differs FROM helpdesk.installation_standing())) > 0 THEN
        RAISE EXCEPTION 'installation has a row, which this downgrade would destroy: this database is not confirmed.'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'Confirm it first; or, when its mailboxes may be read and its mail may go out, downgrade with lose_data.';
    END IF;
END $$;
DROP FUNCTION helpdesk.confirm_installation;
DROP FUNCTION helpdesk.installation_standing;
DROP FUNCTION helpdesk.present_installation;
DROP FUNCTION helpdesk.installation_told;
DROP FUNCTION helpdesk.installation_confirmed;
DROP FUNCTION helpdesk.installation_differs;
DROP TABLE installation;
