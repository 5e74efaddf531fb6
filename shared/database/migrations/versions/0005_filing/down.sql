ALTER TABLE helpdesk.importer_settings DROP CONSTRAINT importer_on_needs_exchange_server;

DO $$
BEGIN
    IF coalesce(current_setting('helpdesk.lose_data', true), '') <> 'yes' AND (
        EXISTS (SELECT FROM helpdesk.ticket_number_pattern WHERE pattern <> '[1-9][0-9]{6,9}')
        OR EXISTS (SELECT FROM helpdesk.calendars WHERE open_holidays <> '{}' OR closed_holidays <> '{}')) THEN
        RAISE EXCEPTION 'Table ticket_number_pattern or calendars has rows, which this downgrade would destroy.'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'Restore a backup instead; or, when the data may go, downgrade with lose_data.';
    END IF;
END $$;
ALTER TABLE helpdesk.calendars
    DROP CONSTRAINT a_holiday_is_open_or_closed, DROP COLUMN open_holidays, DROP COLUMN closed_holidays;

CREATE OR REPLACE FUNCTION helpdesk.move_ticket_number_sequence() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    highest bigint := (SELECT max(number::bigint) FROM added WHERE number ~ '^[1-9][0-9]{0,14}$');
BEGIN
    IF highest > (SELECT last_value FROM helpdesk.ticket_number_seq) THEN
        ALTER SEQUENCE helpdesk.ticket_number_seq CACHE 1;
        IF highest > (SELECT last_value FROM helpdesk.ticket_number_seq) THEN
            EXECUTE format('ALTER SEQUENCE helpdesk.ticket_number_seq RESTART WITH %s', highest + 1);
        END IF;
    END IF;
    RETURN NULL;
END $$;
DROP TRIGGER alias_is_found ON helpdesk.ticket_numbers;
DROP FUNCTION helpdesk.refuse_alias_that_is_not_found;
DROP FUNCTION helpdesk.ticket_number_standing;
DROP FUNCTION helpdesk.record_ticket_number_pattern;
DROP FUNCTION helpdesk.is_found_as_number;
DROP TABLE helpdesk.ticket_number_pattern;
REVOKE SELECT (sender_person_id, sender_employee_id) ON helpdesk.tickets, helpdesk.supplements FROM importer_notifier;
