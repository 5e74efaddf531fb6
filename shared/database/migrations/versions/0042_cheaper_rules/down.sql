CREATE OR REPLACE FUNCTION helpdesk.register_ticket_number() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO helpdesk.ticket_numbers (number, ticket_id, is_alias) VALUES (NEW.number, NEW.id, false);
    RETURN NULL;
END $$;
DROP TRIGGER register_number ON tickets;
CREATE TRIGGER register_number AFTER INSERT ON tickets
    FOR EACH ROW EXECUTE FUNCTION helpdesk.register_ticket_number();

CREATE OR REPLACE FUNCTION helpdesk.installation_confirmed(presented bytea) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT helpdesk.installation_differs(presented) = '{}' $$;

CREATE OR REPLACE FUNCTION helpdesk.installation_differs(presented bytea) RETURNS text[]
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT array_remove(ARRAY[
        CASE WHEN here.restored_at IS NOT NULL THEN 'restored' END,
        CASE WHEN here.server_id <> control.system_identifier THEN 'server' END,
        CASE WHEN here.database_id <> this.oid::bigint THEN 'database' END,
        CASE WHEN here.key_hash <> presented THEN 'key' END], NULL)
    FROM helpdesk.installation AS here, pg_control_system() AS control, pg_database AS this
    WHERE this.datname = current_database() $$;
