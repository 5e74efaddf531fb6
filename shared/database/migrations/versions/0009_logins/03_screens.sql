-- ── screens and «Wachtwoord wijzigen» ──────────────────────────────────────────────────────────────────────────────

CREATE OR REPLACE VIEW ui_v1.importer_settings AS
SELECT settings.helpdesk_id, settings.enabled, settings.kind, login.username,
    coalesce(login.password_is_set, false) AS has_password, settings.server, settings.mailbox_address, settings.folder,
    settings.default_contact_id, contact.name AS default_contact_name, settings.default_employee_id,
    employee.name AS default_employee_name, settings.marker, state.last_successful_check_at, state.problem,
    state.problem_since, settings.row_version,
    settings.mailbox_kind, login.tenant, coalesce(login.certificate_is_set, false) AS has_certificate,
    coalesce(login.cloud, 'global') AS cloud,
    login.ca_file, settings.allow_unencrypted, settings.impersonate, login.secret_expires_on,
    login.certificate_expires_at, login.expires_at AS login_expires_at, state.problem_kind,
    coalesce(login_state.refused_logins, 0) AS refused_logins,
    login_state.refused_since, login_state.probe_at AS login_rests_until,
    settings.login_id, login.name AS login_name
FROM helpdesk.importer_settings AS settings
    JOIN helpdesk.mailbox_states AS state USING (helpdesk_id)
    LEFT JOIN helpdesk.logins AS login ON login.id = settings.login_id
    LEFT JOIN helpdesk.login_states AS login_state ON login_state.login_id = settings.login_id
    LEFT JOIN helpdesk.persons AS contact ON contact.id = settings.default_contact_id
    LEFT JOIN helpdesk.employees AS employee ON employee.id = settings.default_employee_id;
COMMENT ON COLUMN ui_v1.importer_settings.login_id IS 'The login that opens the mailbox; null: none yet, or none needed.';
COMMENT ON COLUMN ui_v1.importer_settings.login_name IS 'Its name.';

CREATE FUNCTION helpdesk.login_of_mailbox(of_helpdesk bigint) RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    login bigint;
BEGIN
    SELECT settings.login_id INTO login FROM helpdesk.importer_settings AS settings
    WHERE settings.helpdesk_id = of_helpdesk FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'Helpdesk % has no settings of the importer yet.', of_helpdesk
            USING ERRCODE = 'check_violation', CONSTRAINT = 'settings_come_first';
    ELSIF login IS NOT NULL THEN
        PERFORM helpdesk.refuse_shared_login(login);
        RETURN login;
    END IF;
    INSERT INTO helpdesk.logins (name)
    SELECT helpdesk.free_login_name(name || ' (mailbox)') FROM helpdesk.helpdesks WHERE id = of_helpdesk
    RETURNING id INTO login;
    UPDATE helpdesk.importer_settings SET login_id = login WHERE helpdesk_id = of_helpdesk;
    RETURN login;
END $$;
COMMENT ON FUNCTION helpdesk.login_of_mailbox IS 'the login that is this mailbox''s alone, made where it has none; a shared one is refused';

CREATE FUNCTION helpdesk.login_of_account(of_account bigint) RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    login bigint;
BEGIN
    SELECT account.login_id INTO login FROM helpdesk.outgoing_accounts AS account
    WHERE account.id = of_account FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'There is no outgoing account %.', of_account
            USING ERRCODE = 'check_violation', CONSTRAINT = 'settings_come_first';
    ELSIF login IS NOT NULL THEN
        PERFORM helpdesk.refuse_shared_login(login);
        RETURN login;
    END IF;
    INSERT INTO helpdesk.logins (name)
    SELECT helpdesk.free_login_name(name || ' (account)') FROM helpdesk.outgoing_accounts WHERE id = of_account
    RETURNING id INTO login;
    UPDATE helpdesk.outgoing_accounts SET login_id = login WHERE id = of_account;
    RETURN login;
END $$;
COMMENT ON FUNCTION helpdesk.login_of_account IS 'the login that is this account''s alone, made where it has none; a shared one is refused';

CREATE OR REPLACE FUNCTION ui_v1.set_mailbox_password(helpdesk bigint, sealed bytea, expires_on date DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM helpdesk.refuse_unsealed(sealed);
    UPDATE helpdesk.logins SET password_encrypted = sealed, secret_expires_on = expires_on,
        certificate_encrypted = NULL, certificate_expires_at = NULL
    WHERE id = helpdesk.login_of_mailbox(set_mailbox_password.helpdesk);
END $$;

CREATE OR REPLACE FUNCTION ui_v1.set_account_password(account bigint, sealed bytea, expires_on date DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM helpdesk.refuse_unsealed(sealed);
    UPDATE helpdesk.logins SET password_encrypted = sealed, secret_expires_on = expires_on,
        certificate_encrypted = NULL, certificate_expires_at = NULL
    WHERE id = helpdesk.login_of_account(set_account_password.account);
END $$;

-- ── who may do what ────────────────────────────────────────────────────────────────────────────────────────────────

REVOKE ALL ON FUNCTION helpdesk.note_secret, helpdesk.make_login_state, helpdesk.wake_what_waited_for_login,
    helpdesk.copy_login, helpdesk.write_login_through, helpdesk.free_login_name, helpdesk.refuse_shared_login,
    helpdesk.spread_login, helpdesk.login_may_be_sent, helpdesk.refuse_mailbox_elsewhere,
    helpdesk.refuse_account_elsewhere, helpdesk.refuse_login_elsewhere,
    helpdesk.login_of_mailbox, helpdesk.login_of_account FROM PUBLIC;
GRANT EXECUTE ON FUNCTION helpdesk.free_login_name, helpdesk.refuse_shared_login, helpdesk.login_of_mailbox,
    helpdesk.login_of_account TO importer_console, importer_operator;

GRANT SELECT (id, username, tenant, cloud, ca_file, password_encrypted, certificate_encrypted, expires_at, row_version)
    ON logins TO importer_fetcher, importer_notifier;
GRANT SELECT (login_id, refused_logins, refused_since, probe_at, problem, fingerprint),
    UPDATE (refused_logins, refused_since, probe_at, problem, fingerprint)
    ON login_states TO importer_fetcher, importer_notifier;
-- one of them shows and announces how all stand: there are as many fetchers as notifiers, at least one
GRANT SELECT (name) ON logins TO importer_fetcher;
GRANT SELECT (expiry_told_on), UPDATE (expiry_told_on) ON login_states TO importer_fetcher;
GRANT SELECT (login_id) ON outgoing_accounts TO importer_fetcher;
GRANT SELECT (login_id) ON importer_settings TO importer_fetcher;
GRANT SELECT (login_id) ON outgoing_accounts TO importer_notifier;

GRANT SELECT (id, name, kind, username, tenant, cloud, ca_file, password_is_set, secret_expires_on, certificate_is_set,
    certificate_expires_at, expires_at, row_version),
    INSERT (name, username, tenant, cloud, ca_file, password_encrypted, secret_expires_on, certificate_encrypted,
        certificate_expires_at),
    UPDATE (name, username, tenant, cloud, ca_file, password_encrypted, secret_expires_on, certificate_encrypted,
        certificate_expires_at), DELETE
    ON logins TO importer_console, importer_operator;
GRANT SELECT (login_id, refused_logins, refused_since, probe_at, problem, expiry_told_on) ON login_states
    TO importer_console, importer_operator;
GRANT SELECT (login_id), INSERT (login_id), UPDATE (login_id) ON importer_settings, outgoing_accounts
    TO importer_console, importer_operator;
