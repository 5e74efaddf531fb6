DO $$
BEGIN
    IF coalesce(current_setting('helpdesk.lose_data', true), '') <> 'yes'
        AND EXISTS (SELECT FROM helpdesk.web_group_rights) THEN
        RAISE EXCEPTION 'web_group_rights has rows, which this downgrade would destroy.'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'Give their members rights by hand and remove the rows first; or downgrade with lose_data.';
    END IF;
END $$;
ALTER TABLE web_sessions DROP COLUMN by_groups;
DROP VIEW web_rights_by_group;
DROP TABLE web_memberships, web_group_rights;
