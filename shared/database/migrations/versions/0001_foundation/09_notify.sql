-- ── NOTIFY helpdesk_changes: screens hear what changed, and read it themselves ─────────────────────────────────────
-- Payload: {"table", "id", "ticket_id", "helpdesk_id", "operation": "insert" | "update", "row_version"}; row_version is
-- null where rows have none. A statement that touches more than 200 rows is told once, as {"table", "operation": "bulk"}:
-- read again. The ledger is silent: it changes several times a mail, and no screen waits for it.

CREATE FUNCTION notify_helpdesk_changes() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = helpdesk, pg_temp AS $$
DECLARE
    operation text := lower(TG_OP);
    touched bigint := (SELECT count(*) FROM changed);
BEGIN
    IF touched > 200 THEN
        PERFORM pg_notify('helpdesk_changes', json_build_object('table', TG_TABLE_NAME, 'operation', 'bulk')::text);
    ELSIF touched = 0 THEN
        RETURN NULL;
    ELSIF TG_TABLE_NAME = 'tickets' THEN
        PERFORM pg_notify('helpdesk_changes', json_build_object(
            'table', TG_TABLE_NAME, 'id', id, 'ticket_id', id, 'helpdesk_id', helpdesk_id,
            'operation', operation, 'row_version', row_version)::text)
        FROM changed;
    ELSIF TG_TABLE_NAME = 'supplements' THEN
        PERFORM pg_notify('helpdesk_changes', json_build_object(
            'table', TG_TABLE_NAME, 'id', id, 'ticket_id', ticket_id, 'helpdesk_id', helpdesk_id,
            'operation', operation, 'row_version', row_version)::text)
        FROM changed;
    ELSIF TG_TABLE_NAME = 'ticket_history' THEN
        PERFORM pg_notify('helpdesk_changes', json_build_object(
            'table', TG_TABLE_NAME, 'id', changed.id, 'ticket_id', ticket_id, 'helpdesk_id', tickets.helpdesk_id,
            'operation', operation, 'row_version', NULL)::text)
        FROM changed JOIN tickets ON tickets.id = changed.ticket_id;
    ELSIF TG_OP = 'INSERT' THEN
        PERFORM pg_notify('helpdesk_changes', json_build_object(
            'table', TG_TABLE_NAME, 'id', id, 'ticket_id', ticket_id, 'helpdesk_id', helpdesk_id,
            'operation', operation, 'row_version', NULL)::text)
        FROM changed;
    ELSE -- a lease or a try of a notification is no news, another state is
        PERFORM pg_notify('helpdesk_changes', json_build_object(
            'table', TG_TABLE_NAME, 'id', changed.id, 'ticket_id', changed.ticket_id, 'helpdesk_id', changed.helpdesk_id,
            'operation', operation, 'row_version', NULL)::text)
        FROM changed JOIN before USING (id) WHERE changed.state <> before.state;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER notify_insert AFTER INSERT ON tickets
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION notify_helpdesk_changes();
CREATE TRIGGER notify_update AFTER UPDATE ON tickets
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION notify_helpdesk_changes();
CREATE TRIGGER notify_insert AFTER INSERT ON supplements
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION notify_helpdesk_changes();
CREATE TRIGGER notify_update AFTER UPDATE ON supplements
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION notify_helpdesk_changes();
CREATE TRIGGER notify_insert AFTER INSERT ON ticket_history
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION notify_helpdesk_changes();
CREATE TRIGGER notify_insert AFTER INSERT ON notifications
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION notify_helpdesk_changes();
CREATE TRIGGER notify_update AFTER UPDATE ON notifications
    REFERENCING OLD TABLE AS before NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION notify_helpdesk_changes();
