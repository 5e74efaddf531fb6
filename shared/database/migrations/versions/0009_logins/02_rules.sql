-- ── a secret has its moment ────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION helpdesk.note_secret() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF num_nonnulls(NEW.password_encrypted, NEW.certificate_encrypted) = 0 THEN
        NEW.secret_given_at := NULL;
    ELSIF TG_OP = 'INSERT' THEN
        NEW.secret_given_at := now();
    ELSIF (NEW.password_encrypted, NEW.certificate_encrypted)
            IS DISTINCT FROM (OLD.password_encrypted, OLD.certificate_encrypted)
        AND coalesce(current_setting('helpdesk.reencrypting', true), '') <> 'on' THEN
        NEW.secret_given_at := now();
    ELSE
        NEW.secret_given_at := OLD.secret_given_at;
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION helpdesk.note_secret IS 'notes when a secret was given; the same secret under another key is no new one';
CREATE TRIGGER secret_has_its_moment BEFORE INSERT OR UPDATE ON logins
    FOR EACH ROW EXECUTE FUNCTION helpdesk.note_secret();

-- ── state: made with the login, begun anew with another secret, and what waited for it goes on ─────────────────────

CREATE FUNCTION helpdesk.make_login_state() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO helpdesk.login_states (login_id) VALUES (NEW.id);
    RETURN NULL;
END $$;
COMMENT ON FUNCTION helpdesk.make_login_state IS 'makes the state of a new login';
CREATE TRIGGER login_state AFTER INSERT ON logins FOR EACH ROW EXECUTE FUNCTION helpdesk.make_login_state();

CREATE FUNCTION helpdesk.wake_what_waited_for_login() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE helpdesk.mailbox_states SET next_check_at = now()
    WHERE helpdesk_id IN (SELECT helpdesk_id FROM helpdesk.importer_settings WHERE login_id = NEW.login_id)
        AND problem_kind IN ('login-refused', 'login-expired') AND next_check_at > now();
    UPDATE helpdesk.notifications SET next_try_at = now()
    WHERE state = 'planned' AND reason = 'login-refused' AND next_try_at > now() AND lease_holder IS NULL
        AND helpdesk_id IN (
            SELECT helpdesks.id FROM helpdesk.helpdesks
                JOIN helpdesk.outgoing_accounts ON outgoing_accounts.id = outgoing_account_id
            WHERE login_id = NEW.login_id);
    RETURN NULL;
END $$;
COMMENT ON FUNCTION helpdesk.wake_what_waited_for_login IS 'gives mailboxes and mails their turn when their login is taken again, or was changed';
CREATE TRIGGER what_waited_goes_on AFTER UPDATE ON login_states
    FOR EACH ROW WHEN (OLD.refused_logins > 0 AND NEW.refused_logins = 0)
    EXECUTE FUNCTION helpdesk.wake_what_waited_for_login();

-- Another place may well take the login: it is tried at once. A login that is merely chosen goes on resting.
CREATE OR REPLACE FUNCTION helpdesk.forget_refused_logins() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF current_setting('helpdesk.reencrypting', true) = 'on' THEN
        RETURN NULL;
    END IF;
    IF NEW.login_id = OLD.login_id THEN
        UPDATE helpdesk.login_states SET refused_logins = 0, refused_since = NULL, probe_at = NULL, problem = NULL
        WHERE login_id = NEW.login_id AND refused_logins > 0;
    END IF;
    IF TG_TABLE_NAME = 'outgoing_accounts' THEN
        UPDATE helpdesk.outgoing_account_states SET
            refused_logins = 0, refused_since = NULL, login_rests_until = NULL, refusal = NULL, expiry_told_on = NULL
        WHERE account_id = NEW.id;
        UPDATE helpdesk.notifications SET next_try_at = now()
        WHERE state = 'planned' AND reason = 'login-refused' AND next_try_at > now()
            AND helpdesk_id IN (SELECT id FROM helpdesk.helpdesks WHERE outgoing_account_id = NEW.id);
    ELSE
        UPDATE helpdesk.mailbox_states SET next_check_at = '-infinity', failed_checks = 0,
            refused_logins = 0, refused_since = NULL, login_rests_until = NULL, expiry_told_on = NULL
        WHERE helpdesk_id = NEW.helpdesk_id;
    END IF;
    RETURN NULL;
END $$;

-- ── copies beside mailbox and account ──────────────────────────────────────────────────────────────────────────────
-- Constraints of a mailbox ask for its user name and tenant, and services of the version before for the rest. Whoever
-- chooses a login gets its copy; whoever changes a copy changes the login, which must be his alone.

CREATE FUNCTION helpdesk.copy_login() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NEW.login_id IS NOT DISTINCT FROM OLD.login_id THEN
            RETURN NEW;
        END IF;
    ELSIF NEW.login_id IS NULL THEN
        RETURN NEW;
    END IF;
    SELECT login.username, login.tenant, coalesce(login.cloud, 'global'), login.ca_file, login.password_encrypted,
        login.secret_expires_on, login.certificate_encrypted, login.certificate_expires_at
    INTO NEW.username, NEW.tenant, NEW.cloud, NEW.ca_file, NEW.password_encrypted, NEW.secret_expires_on,
        NEW.certificate_encrypted, NEW.certificate_expires_at
    FROM (VALUES (NEW.login_id)) AS chosen (id) LEFT JOIN helpdesk.logins AS login ON login.id = chosen.id;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION helpdesk.copy_login IS 'copies the login that a mailbox or account has chosen';
CREATE TRIGGER login_is_copied BEFORE INSERT OR UPDATE ON importer_settings
    FOR EACH ROW EXECUTE FUNCTION helpdesk.copy_login();
CREATE TRIGGER login_is_copied BEFORE INSERT OR UPDATE ON outgoing_accounts
    FOR EACH ROW EXECUTE FUNCTION helpdesk.copy_login();

CREATE FUNCTION helpdesk.write_login_through() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    login bigint := NEW.login_id;
    name text;
BEGIN
    IF pg_trigger_depth() > 1 THEN -- a copy that follows its login
        RETURN NULL;
    ELSIF login IS NOT NULL THEN
        PERFORM helpdesk.refuse_shared_login(login);
        UPDATE helpdesk.logins SET username = NEW.username, tenant = NEW.tenant, cloud = NEW.cloud,
            ca_file = NEW.ca_file, password_encrypted = NEW.password_encrypted,
            secret_expires_on = NEW.secret_expires_on, certificate_encrypted = NEW.certificate_encrypted,
            certificate_expires_at = NEW.certificate_expires_at
        WHERE id = login;
        RETURN NULL;
    ELSIF TG_TABLE_NAME = 'outgoing_accounts' THEN
        name := helpdesk.free_login_name(NEW.name || ' (account)');
    ELSE
        name := helpdesk.free_login_name((SELECT h.name FROM helpdesk.helpdesks AS h WHERE h.id = NEW.helpdesk_id) || ' (mailbox)');
    END IF;
    INSERT INTO helpdesk.logins (name, username, tenant, cloud, ca_file, password_encrypted, secret_expires_on,
        certificate_encrypted, certificate_expires_at)
    VALUES (name, NEW.username, NEW.tenant, NEW.cloud, NEW.ca_file, NEW.password_encrypted, NEW.secret_expires_on,
        NEW.certificate_encrypted, NEW.certificate_expires_at)
    RETURNING id INTO login;
    IF TG_TABLE_NAME = 'outgoing_accounts' THEN
        UPDATE helpdesk.outgoing_accounts SET login_id = login WHERE id = NEW.id;
    ELSE
        UPDATE helpdesk.importer_settings SET login_id = login WHERE helpdesk_id = NEW.helpdesk_id;
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION helpdesk.write_login_through IS 'what is written beside a mailbox or account becomes its own login''s';

CREATE FUNCTION helpdesk.free_login_name(wanted text) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT candidate FROM (
        SELECT wanted AS candidate, 1 AS place
        UNION ALL SELECT wanted || ' ' || place, place FROM generate_series(2, 1 + (SELECT count(*) + 1 FROM helpdesk.logins)) AS place
    ) AS candidates
    WHERE NOT EXISTS (SELECT FROM helpdesk.logins WHERE name = candidate) ORDER BY place LIMIT 1
$$;
COMMENT ON FUNCTION helpdesk.free_login_name IS 'the wanted name of a login, with a number behind it where it is taken';

CREATE FUNCTION helpdesk.refuse_shared_login(login bigint) RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF (SELECT count(*) FROM helpdesk.importer_settings WHERE login_id = login)
        + (SELECT count(*) FROM helpdesk.outgoing_accounts WHERE login_id = login) > 1 THEN
        RAISE EXCEPTION 'The login «%» is used by several mailboxes or accounts.', (SELECT name FROM helpdesk.logins WHERE id = login)
            USING ERRCODE = 'check_violation', CONSTRAINT = 'a_shared_login_is_changed_by_itself',
                  HINT = 'Change the login itself, or choose another one.';
    END IF;
END $$;
COMMENT ON FUNCTION helpdesk.refuse_shared_login IS 'refuses to change, by way of one mailbox or account, a login that others use too';

CREATE TRIGGER login_is_written_through AFTER INSERT ON importer_settings
    FOR EACH ROW WHEN (NEW.login_id IS NULL
        AND num_nonnulls(NEW.username, NEW.tenant, NEW.password_encrypted, NEW.certificate_encrypted, NEW.ca_file) > 0)
    EXECUTE FUNCTION helpdesk.write_login_through();
CREATE TRIGGER login_is_written_through_again AFTER UPDATE ON importer_settings
    FOR EACH ROW WHEN (NEW.login_id IS NOT DISTINCT FROM OLD.login_id AND
        (NEW.username, NEW.tenant, NEW.cloud, NEW.ca_file, NEW.password_encrypted, NEW.secret_expires_on,
            NEW.certificate_encrypted, NEW.certificate_expires_at)
        IS DISTINCT FROM (OLD.username, OLD.tenant, OLD.cloud, OLD.ca_file, OLD.password_encrypted, OLD.secret_expires_on,
            OLD.certificate_encrypted, OLD.certificate_expires_at))
    EXECUTE FUNCTION helpdesk.write_login_through();
CREATE TRIGGER login_is_written_through AFTER INSERT ON outgoing_accounts
    FOR EACH ROW WHEN (NEW.login_id IS NULL
        AND num_nonnulls(NEW.username, NEW.tenant, NEW.password_encrypted, NEW.certificate_encrypted, NEW.ca_file) > 0)
    EXECUTE FUNCTION helpdesk.write_login_through();
CREATE TRIGGER login_is_written_through_again AFTER UPDATE ON outgoing_accounts
    FOR EACH ROW WHEN (NEW.login_id IS NOT DISTINCT FROM OLD.login_id AND
        (NEW.username, NEW.tenant, NEW.cloud, NEW.ca_file, NEW.password_encrypted, NEW.secret_expires_on,
            NEW.certificate_encrypted, NEW.certificate_expires_at)
        IS DISTINCT FROM (OLD.username, OLD.tenant, OLD.cloud, OLD.ca_file, OLD.password_encrypted, OLD.secret_expires_on,
            OLD.certificate_encrypted, OLD.certificate_expires_at))
    EXECUTE FUNCTION helpdesk.write_login_through();

CREATE FUNCTION helpdesk.spread_login() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF coalesce(current_setting('helpdesk.reencrypting', true), '') <> 'on' THEN
        UPDATE helpdesk.login_states SET refused_logins = 0, refused_since = NULL, probe_at = NULL, problem = NULL,
            fingerprint = NULL, expiry_told_on = NULL
        WHERE login_id = NEW.id;
    END IF;
    UPDATE helpdesk.importer_settings SET username = NEW.username, tenant = NEW.tenant, cloud = NEW.cloud,
        ca_file = NEW.ca_file, password_encrypted = NEW.password_encrypted, secret_expires_on = NEW.secret_expires_on,
        certificate_encrypted = NEW.certificate_encrypted, certificate_expires_at = NEW.certificate_expires_at
    WHERE login_id = NEW.id;
    UPDATE helpdesk.outgoing_accounts SET username = NEW.username, tenant = NEW.tenant, cloud = NEW.cloud,
        ca_file = NEW.ca_file, password_encrypted = NEW.password_encrypted, secret_expires_on = NEW.secret_expires_on,
        certificate_encrypted = NEW.certificate_encrypted, certificate_expires_at = NEW.certificate_expires_at
    WHERE login_id = NEW.id;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION helpdesk.spread_login IS 'a login that changed is tried anew, by every mailbox and account that uses it';
CREATE TRIGGER login_is_spread AFTER UPDATE ON logins
    FOR EACH ROW WHEN (
        (NEW.username, NEW.tenant, NEW.cloud, NEW.ca_file, NEW.password_encrypted, NEW.secret_expires_on,
            NEW.certificate_encrypted, NEW.certificate_expires_at)
        IS DISTINCT FROM (OLD.username, OLD.tenant, OLD.cloud, OLD.ca_file, OLD.password_encrypted, OLD.secret_expires_on,
            OLD.certificate_encrypted, OLD.certificate_expires_at))
    EXECUTE FUNCTION helpdesk.spread_login();

-- ── a secret stays with the places that it was given for ───────────────────────────────────────────────────────────
-- A place is where a login is sent. Whoever names another one gives the secret again in the same transaction, or
-- forgets it: else he who may change settings and not read secrets had them sent to a server of his own. A place that
-- the login goes to already, by way of another mailbox or account, is no other one.

DROP TRIGGER a_secret_stays_with_its_place ON importer_settings;
DROP TRIGGER a_secret_stays_with_its_place ON outgoing_accounts;
DROP FUNCTION helpdesk.refuse_secret_elsewhere;

CREATE FUNCTION helpdesk.login_may_be_sent(login bigint) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT num_nonnulls(password_encrypted, certificate_encrypted) = 0 OR secret_given_at = now()
    FROM helpdesk.logins WHERE id = login
$$;
COMMENT ON FUNCTION helpdesk.login_may_be_sent IS 'whether a login has no secret, or one that was given in this transaction';

CREATE FUNCTION helpdesk.refuse_mailbox_elsewhere() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- where no server and no tenant was named yet, the first one is the place that the secret is given for
    IF helpdesk.login_may_be_sent(NEW.login_id)
        OR (NEW.tenant IS NOT NULL AND NEW.server IS NULL) -- Microsoft's own servers
        OR (TG_OP = 'UPDATE' AND NEW.login_id = OLD.login_id AND num_nonnulls(OLD.server, OLD.tenant) = 0)
        OR EXISTS (
            SELECT FROM helpdesk.importer_settings AS other
            WHERE other.login_id = NEW.login_id AND other.helpdesk_id <> NEW.helpdesk_id
                AND (other.mailbox_kind, other.server) IS NOT DISTINCT FROM (NEW.mailbox_kind, NEW.server)
                AND (other.allow_unencrypted OR NOT NEW.allow_unencrypted)) THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'The password or certificate was given for another server, kind or protection of the connection.'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'a_secret_stays_with_its_place',
              HINT = 'Give the secret again in the same transaction, or set it to null.';
END $$;
COMMENT ON FUNCTION helpdesk.refuse_mailbox_elsewhere IS 'refuses to let a login''s secret be sent to a mailbox server that it was not given for';
CREATE TRIGGER secret_stays_with_its_place AFTER INSERT ON importer_settings
    FOR EACH ROW WHEN (NEW.login_id IS NOT NULL AND NEW.mailbox_kind <> 'maildir')
    EXECUTE FUNCTION helpdesk.refuse_mailbox_elsewhere();
CREATE TRIGGER secret_stays_with_its_place_later AFTER UPDATE ON importer_settings
    FOR EACH ROW WHEN (NEW.login_id IS NOT NULL AND NEW.mailbox_kind <> 'maildir' AND (
        (NEW.login_id, NEW.mailbox_kind, NEW.server) IS DISTINCT FROM (OLD.login_id, OLD.mailbox_kind, OLD.server)
        OR NEW.allow_unencrypted AND NOT OLD.allow_unencrypted))
    EXECUTE FUNCTION helpdesk.refuse_mailbox_elsewhere();

CREATE FUNCTION helpdesk.refuse_account_elsewhere() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF helpdesk.login_may_be_sent(NEW.login_id)
        OR NEW.kind = 'graph' -- Microsoft's own servers
        OR EXISTS (
            SELECT FROM helpdesk.outgoing_accounts AS other
            WHERE other.login_id = NEW.login_id AND other.id <> NEW.id
                AND (other.kind, other.host, other.port, other.security)
                    IS NOT DISTINCT FROM (NEW.kind, NEW.host, NEW.port, NEW.security)
                AND (other.allow_unencrypted OR NOT NEW.allow_unencrypted)) THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'The password or certificate was given for another server, port, kind or protection of the connection.'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'a_secret_stays_with_its_place',
              HINT = 'Give the secret again in the same transaction, or set it to null.';
END $$;
COMMENT ON FUNCTION helpdesk.refuse_account_elsewhere IS 'refuses to let a login''s secret be sent to a mail server that it was not given for';
CREATE TRIGGER secret_stays_with_its_place AFTER INSERT ON outgoing_accounts
    FOR EACH ROW WHEN (NEW.login_id IS NOT NULL) EXECUTE FUNCTION helpdesk.refuse_account_elsewhere();
CREATE TRIGGER secret_stays_with_its_place_later AFTER UPDATE ON outgoing_accounts
    FOR EACH ROW WHEN (NEW.login_id IS NOT NULL AND (
        (NEW.login_id, NEW.kind, NEW.host, NEW.port, NEW.security)
            IS DISTINCT FROM (OLD.login_id, OLD.kind, OLD.host, OLD.port, OLD.security)
        OR NEW.allow_unencrypted AND NOT OLD.allow_unencrypted))
    EXECUTE FUNCTION helpdesk.refuse_account_elsewhere();

-- Another CA file, cloud, or a tenant where there was none, is another place for all who use the login.
CREATE FUNCTION helpdesk.refuse_login_elsewhere() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM helpdesk.outgoing_accounts WHERE login_id = NEW.id) OR EXISTS (
        SELECT FROM helpdesk.importer_settings
        WHERE login_id = NEW.id AND mailbox_kind <> 'maildir' AND num_nonnulls(server, OLD.tenant) > 0) THEN
        RAISE EXCEPTION 'The password or certificate was given for another tenant, cloud or CA file.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'a_secret_stays_with_its_place',
                  HINT = 'Give the secret again in the same statement, or set it to null.';
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION helpdesk.refuse_login_elsewhere IS 'refuses another tenant, cloud or CA file beside the same secret, where the login is used';
CREATE TRIGGER secret_stays_with_its_place AFTER UPDATE ON logins
    FOR EACH ROW WHEN (
        num_nonnulls(OLD.password_encrypted, OLD.certificate_encrypted) > 0
        AND (NEW.password_encrypted, NEW.certificate_encrypted)
            IS NOT DISTINCT FROM (OLD.password_encrypted, OLD.certificate_encrypted)
        AND (NEW.ca_file, NEW.cloud, NEW.tenant IS NULL) IS DISTINCT FROM (OLD.ca_file, OLD.cloud, OLD.tenant IS NULL))
    EXECUTE FUNCTION helpdesk.refuse_login_elsewhere();
