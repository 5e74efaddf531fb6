-- ── which installation this database belongs to ────────────────────────────────────────────────────────────────────
-- Every claim of a mailbox or a notification asks this. A function in SQL is parsed and planned by each statement that
-- calls it, one in PL/pgSQL once a session.

CREATE OR REPLACE FUNCTION helpdesk.installation_differs(presented bytea) RETURNS text[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (
        SELECT array_remove(ARRAY[
            CASE WHEN here.restored_at IS NOT NULL THEN 'restored' END,
            CASE WHEN here.server_id <> control.system_identifier THEN 'server' END,
            CASE WHEN here.database_id <> this.oid::bigint THEN 'database' END,
            CASE WHEN here.key_hash <> presented THEN 'key' END], NULL)
        FROM helpdesk.installation AS here, pg_control_system() AS control, pg_database AS this
        WHERE this.datname = current_database());
END $$;

CREATE OR REPLACE FUNCTION helpdesk.installation_confirmed(presented bytea) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN helpdesk.installation_differs(presented) = '{}';
END $$;

-- ── ticket numbers (D1) ────────────────────────────────────────────────────────────────────────────────────────────
-- The numbers of all tickets that one statement adds are registered by one statement, which looks at the sequence once.

CREATE OR REPLACE FUNCTION helpdesk.register_ticket_number() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO helpdesk.ticket_numbers (number, ticket_id, is_alias) SELECT number, id, false FROM added ORDER BY id;
    RETURN NULL;
END $$;
DROP TRIGGER register_number ON tickets;
CREATE TRIGGER register_number AFTER INSERT ON tickets
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION helpdesk.register_ticket_number();
