-- ── sequences that are behind their table ──────────────────────────────────────────────────────────────────────────
-- Rows that were loaded with their ids leave the sequence where it was: it gives ids that are taken, and the next insert is
-- refused. Who looks needs no right on sequences or tables by this; it tells of numbers alone.

CREATE FUNCTION sequences_behind() RETURNS TABLE (sequence text, of_table text, taken bigint)
    LANGUAGE plpgsql SECURITY DEFINER STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    one record;
    given bigint; -- the last number: what RESTART or setval chose is not given yet (is_called)
BEGIN
    FOR one IN
        SELECT seqrelid, refobjid::regclass AS owner, quote_ident(attname) AS named
        FROM pg_sequence JOIN pg_depend ON objid = seqrelid AND classid = 'pg_class'::regclass AND deptype = 'i'
        JOIN pg_attribute ON attrelid = refobjid AND attnum = refobjsubid
        JOIN pg_class ON pg_class.oid = seqrelid
        WHERE relnamespace = 'helpdesk'::regnamespace ORDER BY relname
    LOOP
        EXECUTE format('SELECT max(%s) FROM %s', one.named, one.owner) INTO taken;
        sequence := one.seqrelid::regclass;
        of_table := one.owner;
        EXECUTE format('SELECT last_value - (NOT is_called)::integer FROM %s', sequence) INTO given;
        IF taken > given THEN
            RETURN NEXT;
        END IF;
    END LOOP;
    SELECT number INTO taken FROM helpdesk.tickets WHERE number ~ '^[0-9]{1,18}$' ORDER BY id DESC LIMIT 1;
    sequence := 'helpdesk.ticket_number_seq';
    of_table := 'helpdesk.tickets';
    SELECT last_value - (NOT is_called)::integer INTO given FROM helpdesk.ticket_number_seq;
    IF taken > given THEN
        RETURN NEXT;
    END IF;
END $$;
COMMENT ON FUNCTION sequences_behind() IS 'Sequences that would give numbers that are taken, with their table and the largest number in it: after rows were loaded with their ids.';
REVOKE ALL ON FUNCTION sequences_behind() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sequences_behind() TO importer_console;
