-- ── which installation this database belongs to ────────────────────────────────────────────────────────────────────
-- An older fetcher and notifier do not ask: they read and send from a copy as they always did.
-- What tells a copy apart: another cluster has another system identifier (a standby that was promoted keeps it), another
-- database another oid, and a copy of the cluster's files meets another secret, or the note that it was brought back.

CREATE TABLE installation (
    singleton      boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    confirmed_at   timestamptz,
    server_id      bigint,
    database_id    bigint,
    key_hash       bytea,
    presented_hash bytea,
    presented_at   timestamptz,
    held_since     timestamptz,
    restored_at    timestamptz,
    restored_to    timestamptz,
    CONSTRAINT confirmed_for_something CHECK (
        num_nulls(confirmed_at, server_id, database_id, key_hash) IN (0, 4)),
    CONSTRAINT restored_to_a_moment CHECK ((restored_at IS NULL) = (restored_to IS NULL))
);
INSERT INTO installation DEFAULT VALUES;
COMMENT ON TABLE installation IS 'One row: for which server, database and secret a person, or the first start, confirmed that mailboxes are read and mail is sent from here. Anywhere else nothing is.';
COMMENT ON COLUMN installation.singleton IS 'There is one row.';
COMMENT ON COLUMN installation.confirmed_at IS 'Since when; null: no fetcher or notifier was started yet, and the first one confirms it.';
COMMENT ON COLUMN installation.server_id IS 'The cluster''s system identifier (pg_control_system) that it was confirmed for.';
COMMENT ON COLUMN installation.database_id IS 'The database''s oid that it was confirmed for.';
COMMENT ON COLUMN installation.key_hash IS 'SHA-256 of the secret installation_id that it was confirmed for; empty: the services have none.';
COMMENT ON COLUMN installation.presented_hash IS 'The same of the service that was last kept from its work.';
COMMENT ON COLUMN installation.presented_at IS 'When that service last asked.';
COMMENT ON COLUMN installation.held_since IS 'Since when services are kept from their work, or were the last time.';
COMMENT ON COLUMN installation.restored_at IS 'When it was brought back to an earlier moment; null: it was not, or a person has confirmed it since.';
COMMENT ON COLUMN installation.restored_to IS 'The moment that it was brought back to.';

CREATE FUNCTION helpdesk.installation_differs(presented bytea) RETURNS text[]
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT array_remove(ARRAY[
        CASE WHEN here.restored_at IS NOT NULL THEN 'restored' END,
        CASE WHEN here.server_id <> control.system_identifier THEN 'server' END,
        CASE WHEN here.database_id <> this.oid::bigint THEN 'database' END,
        CASE WHEN here.key_hash <> presented THEN 'key' END], NULL)
    FROM helpdesk.installation AS here, pg_control_system() AS control, pg_database AS this
    WHERE this.datname = current_database() $$;
COMMENT ON FUNCTION helpdesk.installation_differs IS 'what differs from what was confirmed, for a service with this secret: server, database, key, or restored; nothing before the first start';
REVOKE ALL ON FUNCTION helpdesk.installation_differs FROM PUBLIC;

CREATE FUNCTION helpdesk.installation_confirmed(presented bytea) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT helpdesk.installation_differs(presented) = '{}' $$;
COMMENT ON FUNCTION helpdesk.installation_confirmed IS 'whether a service with this secret (SHA-256; empty: none) may read mailboxes and send mail from this database';
REVOKE ALL ON FUNCTION helpdesk.installation_confirmed FROM PUBLIC;
GRANT EXECUTE ON FUNCTION helpdesk.installation_confirmed TO importer_fetcher, importer_notifier;

CREATE FUNCTION helpdesk.present_installation(presented bytea) RETURNS text[]
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    differs text[] := helpdesk.installation_differs(presented);
    is_news boolean;
BEGIN
    UPDATE helpdesk.installation AS here SET confirmed_at = now(), key_hash = presented,
        server_id = (SELECT system_identifier FROM pg_control_system()),
        database_id = (SELECT oid::bigint FROM pg_database WHERE datname = current_database())
    WHERE here.confirmed_at IS NULL AND here.restored_at IS NULL;
    IF FOUND THEN
        PERFORM helpdesk.record_audit('installation', 'bound', 'installation', NULL, NULL, NULL, NULL,
            helpdesk.installation_told());
        RETURN '{}';
    END IF;
    IF differs = '{}' THEN
        RETURN differs;
    END IF;
    SELECT coalesce(here.presented_at < now() - interval '1 minute', true) OR here.presented_hash <> presented
    INTO is_news FROM helpdesk.installation AS here FOR UPDATE;
    UPDATE helpdesk.installation SET presented_hash = presented, presented_at = now(),
        held_since = CASE WHEN is_news THEN now() ELSE held_since END;
    IF is_news THEN
        PERFORM helpdesk.record_audit('installation', 'held', 'installation', NULL, NULL, NULL,
            helpdesk.installation_told(), jsonb_build_object('differs', differs));
    END IF;
    RETURN differs;
END $$;
COMMENT ON FUNCTION helpdesk.present_installation IS 'what keeps the service with this secret from its work (nothing: it may); the first that ever asks confirms the database for itself';
REVOKE ALL ON FUNCTION helpdesk.present_installation FROM PUBLIC;
GRANT EXECUTE ON FUNCTION helpdesk.present_installation TO importer_fetcher, importer_notifier;

CREATE FUNCTION helpdesk.installation_told() RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_build_object('server', server_id::text, 'database', database_id,
        'key', left(encode(key_hash, 'hex'), 12), 'confirmed_at', confirmed_at, 'restored_to', restored_to)
    FROM helpdesk.installation $$;
COMMENT ON FUNCTION helpdesk.installation_told IS 'what was confirmed, as the audit log tells it';
REVOKE ALL ON FUNCTION helpdesk.installation_told FROM PUBLIC;

CREATE FUNCTION helpdesk.installation_standing(
    OUT differs text[], OUT since timestamptz, OUT confirmed_at timestamptz, OUT restored_to timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT helpdesk.installation_differs(
            CASE WHEN here.presented_at > now() - interval '1 minute' THEN here.presented_hash ELSE here.key_hash END),
        coalesce(here.restored_at, here.held_since), here.confirmed_at, here.restored_to
    FROM helpdesk.installation AS here $$;
COMMENT ON FUNCTION helpdesk.installation_standing IS 'what keeps fetchers and notifiers from their work (see installation_differs), since when, and what was confirmed when';
REVOKE ALL ON FUNCTION helpdesk.installation_standing FROM PUBLIC;
GRANT EXECUTE ON FUNCTION helpdesk.installation_standing TO importer_console, importer_operator, importer_web;

CREATE FUNCTION helpdesk.confirm_installation(presented bytea, discard boolean, OUT discarded bigint)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    before jsonb := helpdesk.installation_told();
    belongs bytea;
BEGIN
    SELECT coalesce(presented,
        CASE WHEN here.presented_at > now() - interval '1 minute' THEN here.presented_hash END, here.key_hash)
    INTO belongs FROM helpdesk.installation AS here FOR UPDATE;
    WITH never AS (
        UPDATE helpdesk.notifications
        SET state = 'not-sent', reason = 'discarded-by-person', lease_holder = NULL, lease_until = NULL
        WHERE discard AND state = 'planned' AND coalesce(lease_until < now(), true) RETURNING true)
    SELECT count(*) INTO discarded FROM never;
    UPDATE helpdesk.installation
    SET restored_at = NULL, restored_to = NULL, held_since = NULL, presented_at = NULL, presented_hash = NULL;
    UPDATE helpdesk.installation SET confirmed_at = now(), key_hash = belongs,
        server_id = (SELECT system_identifier FROM pg_control_system()),
        database_id = (SELECT oid::bigint FROM pg_database WHERE datname = current_database())
    WHERE belongs IS NOT NULL; -- else the first start confirms it
    UPDATE helpdesk.mailbox_states SET next_check_at = now() WHERE failed_checks = 0;
    PERFORM helpdesk.record_audit('installation', 'confirmed', 'installation', NULL, NULL, NULL, before,
        helpdesk.installation_told() || jsonb_build_object('mails_discarded', discarded));
END $$;
COMMENT ON FUNCTION helpdesk.confirm_installation IS 'has mailboxes read and mail sent from this database from now on, by services with this secret (null: that of those that ask now); discard: never sends what waits; how many mails those are';
REVOKE ALL ON FUNCTION helpdesk.confirm_installation FROM PUBLIC;
GRANT EXECUTE ON FUNCTION helpdesk.confirm_installation TO importer_console, importer_operator;
