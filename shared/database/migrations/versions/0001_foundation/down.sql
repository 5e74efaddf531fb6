-- Takes the whole schema away: only an empty one, or one whose rows somebody has given up on purpose.
DO $$
DECLARE
    filled text;
    has_rows boolean;
BEGIN
    IF coalesce(current_setting('helpdesk.lose_data', true), '') = 'yes' THEN
        RETURN;
    END IF;
    FOR filled IN SELECT relname FROM pg_class WHERE relnamespace = 'helpdesk'::regnamespace AND relkind = 'r' ORDER BY 1 LOOP
        -- rows with a system key came with the migration: they are nobody's data
        EXECUTE format('SELECT EXISTS (SELECT FROM helpdesk.%I AS kept WHERE to_jsonb(kept) ->> ''system_key'' IS NULL)', filled)
            INTO has_rows;
        IF has_rows THEN
            RAISE EXCEPTION 'Table % has rows, which this downgrade would destroy.', filled
                USING ERRCODE = 'object_not_in_prerequisite_state',
                      HINT = 'Restore a backup instead; or, when the data may go, downgrade with lose_data.';
        END IF;
    END LOOP;
END $$;

DROP SCHEMA ui_v1 CASCADE;
DROP SCHEMA helpdesk CASCADE;
-- pg_trgm stays: others may use it. Roles stay: they are of the whole server.
