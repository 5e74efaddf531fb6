-- Takes the whole schema away: only an empty one, or one whose rows somebody has given up on purpose.
DO $$
DECLARE
    filled text;
    has_rows boolean;
BEGIN
    IF coalesce(current_setting('helpdesk.lose_data', true), '') = 'yes' THEN
        RETURN;
    END IF;
    FOREACH filled IN ARRAY ARRAY['organisations', 'employees', 'calendars', 'helpdesks', 'tickets', 'imported_mails', 'blobs'] LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM helpdesk.%I)', filled) INTO has_rows;
        IF has_rows THEN
            RAISE EXCEPTION 'Table % has rows, which this downgrade would destroy.', filled
                USING ERRCODE = 'object_not_in_prerequisite_state',
                      HINT = 'Restore a backup instead; or, when the data may go, downgrade with lose_data.';
        END IF;
    END LOOP;
END $$;

DROP SCHEMA IF EXISTS ui_v1 CASCADE;
DROP SCHEMA helpdesk CASCADE;
-- pg_trgm stays: others may use it. Roles stay: they are of the whole server.
