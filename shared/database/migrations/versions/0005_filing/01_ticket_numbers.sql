-- ── the installation's pattern of ticket numbers (D1): the classifier says at its start which one it finds numbers by ─

CREATE TABLE helpdesk.ticket_number_pattern (
    one_row     boolean PRIMARY KEY DEFAULT true CHECK (one_row),
    pattern     text NOT NULL DEFAULT '[1-9][0-9]{6,9}',
    recorded_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO helpdesk.ticket_number_pattern DEFAULT VALUES;
COMMENT ON TABLE helpdesk.ticket_number_pattern IS
    'The pattern by which ticket numbers are found in subjects, one per installation (IMPORTER_TICKET_NUMBER_PATTERN); the classifier writes it at its start (D1).';
COMMENT ON COLUMN helpdesk.ticket_number_pattern.one_row IS 'There is one row.';
COMMENT ON COLUMN helpdesk.ticket_number_pattern.pattern IS 'A regular expression that RE2 and PostgreSQL read alike; it matches a whole number.';
COMMENT ON COLUMN helpdesk.ticket_number_pattern.recorded_at IS 'When it last changed.';

CREATE FUNCTION helpdesk.is_found_as_number(number text) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT is_found_as_number.number ~ ('^(?:' || pattern || ')$') FROM helpdesk.ticket_number_pattern
$$;
COMMENT ON FUNCTION helpdesk.is_found_as_number IS 'whether the installation''s pattern finds this number in a subject (D1)';

CREATE FUNCTION helpdesk.record_ticket_number_pattern(pattern text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF '1000001' !~ ('^(?:' || record_ticket_number_pattern.pattern || ')$') THEN
        RAISE EXCEPTION 'The pattern % does not match our own numbers, such as 1000001.', record_ticket_number_pattern.pattern
            USING ERRCODE = 'check_violation', CONSTRAINT = 'the_pattern_finds_our_numbers';
    END IF;
    UPDATE helpdesk.ticket_number_pattern AS known SET pattern = record_ticket_number_pattern.pattern, recorded_at = now()
    WHERE known.pattern <> record_ticket_number_pattern.pattern;
    RETURN FOUND;
END $$;
COMMENT ON FUNCTION helpdesk.record_ticket_number_pattern IS 'what the classifier says at its start; true: it is another pattern than before (D1)';

CREATE FUNCTION helpdesk.refuse_alias_that_is_not_found() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT helpdesk.is_found_as_number(NEW.number) THEN
        RAISE EXCEPTION 'The number % would not be found in a subject: the pattern of ticket numbers is %.', NEW.number,
            (SELECT pattern FROM helpdesk.ticket_number_pattern)
            USING ERRCODE = 'check_violation', CONSTRAINT = 'an_alias_is_found',
                  HINT = 'Set IMPORTER_TICKET_NUMBER_PATTERN so that it finds these numbers too, start the classifier, then add them.';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER alias_is_found BEFORE INSERT ON helpdesk.ticket_numbers
    FOR EACH ROW WHEN (NEW.is_alias) EXECUTE FUNCTION helpdesk.refuse_alias_that_is_not_found();

-- Numbers that come from elsewhere push the sequence past them, as long as it keeps numbers that are found: room for a
-- million, or nothing else would do since the sequence is as near as that already.
CREATE OR REPLACE FUNCTION helpdesk.move_ticket_number_sequence() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    reached bigint := (SELECT last_value FROM helpdesk.ticket_number_seq);
    highest bigint := (
        SELECT max(number::bigint) FROM added
        WHERE number ~ '^[1-9][0-9]{0,14}$' AND number::bigint > reached
            AND helpdesk.is_found_as_number((number::bigint + 1)::text)
            AND (number::bigint < reached + 1000000 OR helpdesk.is_found_as_number((number::bigint + 1000000)::text)));
BEGIN
    IF highest > reached THEN
        ALTER SEQUENCE helpdesk.ticket_number_seq CACHE 1;
        IF highest > (SELECT last_value FROM helpdesk.ticket_number_seq) THEN
            EXECUTE format('ALTER SEQUENCE helpdesk.ticket_number_seq RESTART WITH %s', highest + 1);
        END IF;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION helpdesk.ticket_number_standing(
    OUT pattern text, OUT newest_number text, OUT newest_is_found boolean, OUT next_number text, OUT next_is_found boolean,
    OUT aliases_not_found bigint, OUT alias_not_found text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT known.pattern, newest.number, newest.number ~ ('^(?:' || known.pattern || ')$'),
        drawn.next::text, drawn.next::text ~ ('^(?:' || known.pattern || ')$'), unfound.count, unfound.example
    FROM helpdesk.ticket_number_pattern AS known
        CROSS JOIN (SELECT CASE WHEN is_called THEN last_value + 1 ELSE last_value END AS next
                    FROM helpdesk.ticket_number_seq) AS drawn
        LEFT JOIN LATERAL (SELECT number FROM helpdesk.tickets ORDER BY id DESC LIMIT 1) AS newest ON true
        CROSS JOIN LATERAL (
            SELECT count(*) AS count, min(number) AS example FROM helpdesk.ticket_numbers
            WHERE is_alias AND number !~ ('^(?:' || known.pattern || ')$')) AS unfound
$$;
COMMENT ON FUNCTION helpdesk.ticket_number_standing IS 'the newest and the next ticket number and the aliases, held against the pattern (D1)';

REVOKE ALL ON FUNCTION helpdesk.is_found_as_number, helpdesk.record_ticket_number_pattern, helpdesk.ticket_number_standing,
    helpdesk.refuse_alias_that_is_not_found FROM PUBLIC;
GRANT EXECUTE ON FUNCTION helpdesk.record_ticket_number_pattern TO importer_classifier;
GRANT EXECUTE ON FUNCTION helpdesk.is_found_as_number, helpdesk.ticket_number_standing
    TO importer_console, importer_operator;
GRANT SELECT ON helpdesk.ticket_number_pattern TO importer_console, importer_operator;

-- ── whom a mail is to is called by his name (M4), and so is who wrote ──────────────────────────────────────────────
GRANT SELECT (sender_person_id, sender_employee_id) ON helpdesk.tickets, helpdesk.supplements TO importer_notifier;
