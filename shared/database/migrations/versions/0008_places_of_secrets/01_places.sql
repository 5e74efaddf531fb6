-- ── sending without TLS is chosen, as reading is ───────────────────────────────────────────────────────────────────

ALTER TABLE outgoing_accounts ADD COLUMN allow_unencrypted boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN outgoing_accounts.allow_unencrypted IS 'Whether mail, and the login, may travel to another machine without TLS (security none).';
COMMENT ON COLUMN outgoing_accounts.security IS 'TLS from the start, by STARTTLS (required), or none, which another machine than this one gets only where allow_unencrypted says so.';

UPDATE outgoing_accounts SET allow_unencrypted = true
WHERE security = 'none' AND kind = 'smtp' AND host NOT IN ('localhost', '127.0.0.1', '::1');

ALTER TABLE outgoing_accounts DROP CONSTRAINT a_login_travels_encrypted,
    ADD CONSTRAINT sending_unencrypted_is_chosen CHECK (security <> 'none' OR kind = 'graph' OR allow_unencrypted
        OR coalesce(host IN ('localhost', '127.0.0.1', '::1'), false));

-- ── a secret stays with the place that it was given for ────────────────────────────────────────────────────────────
-- Who may change settings and not read secrets could else have them sent to a server of his own. Whoever names another
-- place, or takes the TLS away, gives the secret again in the same statement, or forgets it.

CREATE FUNCTION helpdesk.refuse_secret_elsewhere() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'The password or certificate was given for another server, kind, cloud, CA file or protection of the connection.'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'a_secret_stays_with_its_place',
              HINT = 'Give the secret again in the same statement, or set it to null.';
END $$;
COMMENT ON FUNCTION helpdesk.refuse_secret_elsewhere IS 'refuses to let a stored secret be sent to a place that it was not given for';
REVOKE ALL ON FUNCTION helpdesk.refuse_secret_elsewhere FROM PUBLIC;

-- Where no server and no tenant was named yet, the first one is the place that it is given for. A Maildir takes no login.
CREATE TRIGGER a_secret_stays_with_its_place AFTER UPDATE ON importer_settings
    FOR EACH ROW WHEN (
        num_nonnulls(OLD.password_encrypted, OLD.certificate_encrypted) > 0
        AND (NEW.password_encrypted, NEW.certificate_encrypted)
            IS NOT DISTINCT FROM (OLD.password_encrypted, OLD.certificate_encrypted)
        AND num_nonnulls(OLD.server, OLD.tenant) > 0
        AND NOT (coalesce(OLD.mailbox_kind, '') = 'maildir' AND coalesce(NEW.mailbox_kind, '') = 'maildir')
        AND ((NEW.mailbox_kind, NEW.server, NEW.ca_file, NEW.cloud, NEW.tenant IS NULL)
                IS DISTINCT FROM (OLD.mailbox_kind, OLD.server, OLD.ca_file, OLD.cloud, OLD.tenant IS NULL)
            OR NEW.allow_unencrypted AND NOT OLD.allow_unencrypted))
    EXECUTE FUNCTION helpdesk.refuse_secret_elsewhere();
CREATE TRIGGER a_secret_stays_with_its_place AFTER UPDATE ON outgoing_accounts
    FOR EACH ROW WHEN (
        num_nonnulls(OLD.password_encrypted, OLD.certificate_encrypted) > 0
        AND (NEW.password_encrypted, NEW.certificate_encrypted)
            IS NOT DISTINCT FROM (OLD.password_encrypted, OLD.certificate_encrypted)
        AND ((NEW.kind, NEW.host, NEW.port, NEW.security, NEW.ca_file, NEW.cloud, NEW.tenant IS NULL)
                IS DISTINCT FROM (OLD.kind, OLD.host, OLD.port, OLD.security, OLD.ca_file, OLD.cloud, OLD.tenant IS NULL)
            OR NEW.allow_unencrypted AND NOT OLD.allow_unencrypted))
    EXECUTE FUNCTION helpdesk.refuse_secret_elsewhere();

GRANT SELECT (allow_unencrypted), INSERT (allow_unencrypted), UPDATE (allow_unencrypted) ON outgoing_accounts
    TO importer_console, importer_operator;
