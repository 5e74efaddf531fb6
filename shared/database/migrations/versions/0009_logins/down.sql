-- Mailboxes and accounts have their copies of what they use. A login that several share becomes one of each.
DO $$
BEGIN
    IF coalesce(current_setting('helpdesk.lose_data', true), '') <> 'yes' AND EXISTS (
        SELECT FROM helpdesk.logins WHERE id NOT IN (
            SELECT login_id FROM helpdesk.importer_settings WHERE login_id IS NOT NULL
            UNION ALL SELECT login_id FROM helpdesk.outgoing_accounts WHERE login_id IS NOT NULL)) THEN
        RAISE EXCEPTION 'Table logins has rows that nothing uses, which this downgrade would destroy.'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'Remove them first (logins remove), or downgrade with lose_data.';
    END IF;
END $$;

DROP VIEW ui_v1.importer_settings;
DROP FUNCTION helpdesk.login_of_mailbox, helpdesk.login_of_account;
CREATE VIEW ui_v1.importer_settings AS
SELECT settings.helpdesk_id, settings.enabled, settings.kind, settings.username,
    settings.password_is_set AS has_password, settings.server, settings.mailbox_address, settings.folder,
    settings.default_contact_id, contact.name AS default_contact_name, settings.default_employee_id,
    employee.name AS default_employee_name, settings.marker, state.last_successful_check_at, state.problem,
    state.problem_since, settings.row_version,
    settings.mailbox_kind, settings.tenant, settings.certificate_is_set AS has_certificate, settings.cloud,
    settings.ca_file, settings.allow_unencrypted, settings.impersonate, settings.secret_expires_on,
    settings.certificate_expires_at, settings.login_expires_at, state.problem_kind, state.refused_logins,
    state.refused_since, state.login_rests_until
FROM helpdesk.importer_settings AS settings
    JOIN helpdesk.mailbox_states AS state USING (helpdesk_id)
    LEFT JOIN helpdesk.persons AS contact ON contact.id = settings.default_contact_id
    LEFT JOIN helpdesk.employees AS employee ON employee.id = settings.default_employee_id;
COMMENT ON VIEW ui_v1.importer_settings IS 'Settings of the importer as the first tab shows them; never the password (S1–S8).';
GRANT SELECT ON ui_v1.importer_settings TO helpdesk_ui;

CREATE OR REPLACE FUNCTION ui_v1.set_mailbox_password(helpdesk bigint, sealed bytea, expires_on date DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM helpdesk.refuse_unsealed(sealed);
    UPDATE helpdesk.importer_settings SET password_encrypted = sealed, secret_expires_on = expires_on,
        certificate_encrypted = NULL, certificate_expires_at = NULL
    WHERE helpdesk_id = set_mailbox_password.helpdesk;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'Helpdesk % has no settings of the importer yet.', set_mailbox_password.helpdesk
            USING ERRCODE = 'check_violation', CONSTRAINT = 'settings_come_first';
    END IF;
END $$;
CREATE OR REPLACE FUNCTION ui_v1.set_account_password(account bigint, sealed bytea, expires_on date DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM helpdesk.refuse_unsealed(sealed);
    UPDATE helpdesk.outgoing_accounts SET password_encrypted = sealed, secret_expires_on = expires_on,
        certificate_encrypted = NULL, certificate_expires_at = NULL
    WHERE id = set_account_password.account;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'There is no outgoing account %.', set_account_password.account
            USING ERRCODE = 'check_violation', CONSTRAINT = 'settings_come_first';
    END IF;
END $$;

CREATE OR REPLACE FUNCTION helpdesk.forget_refused_logins() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF current_setting('helpdesk.reencrypting', true) = 'on' THEN
        RETURN NULL;
    ELSIF TG_TABLE_NAME = 'outgoing_accounts' THEN
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

DROP TRIGGER secret_stays_with_its_place_later ON outgoing_accounts;
DROP TRIGGER secret_stays_with_its_place ON outgoing_accounts;
DROP TRIGGER secret_stays_with_its_place_later ON importer_settings;
DROP TRIGGER secret_stays_with_its_place ON importer_settings;
DROP TRIGGER login_is_written_through_again ON outgoing_accounts;
DROP TRIGGER login_is_written_through ON outgoing_accounts;
DROP TRIGGER login_is_written_through_again ON importer_settings;
DROP TRIGGER login_is_written_through ON importer_settings;
DROP TRIGGER login_is_copied ON outgoing_accounts;
DROP TRIGGER login_is_copied ON importer_settings;
CREATE FUNCTION helpdesk.refuse_secret_elsewhere() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'The password or certificate was given for another server, kind, cloud, CA file or protection of the connection.'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'a_secret_stays_with_its_place',
              HINT = 'Give the secret again in the same statement, or set it to null.';
END $$;
COMMENT ON FUNCTION helpdesk.refuse_secret_elsewhere IS 'refuses to let a stored secret be sent to a place that it was not given for';
REVOKE ALL ON FUNCTION helpdesk.refuse_secret_elsewhere FROM PUBLIC;

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

ALTER TABLE importer_settings DROP COLUMN login_id;
ALTER TABLE outgoing_accounts DROP COLUMN login_id;
DROP TABLE login_states;
DROP TABLE logins;
DROP FUNCTION helpdesk.refuse_login_elsewhere, helpdesk.refuse_account_elsewhere, helpdesk.refuse_mailbox_elsewhere, helpdesk.login_may_be_sent,
    helpdesk.spread_login, helpdesk.refuse_shared_login, helpdesk.free_login_name, helpdesk.write_login_through,
    helpdesk.copy_login, helpdesk.wake_what_waited_for_login, helpdesk.make_login_state, helpdesk.note_secret;
