GRANT UPDATE (held_for_review) ON supplements TO helpdesk_ui;
GRANT INSERT (ticket_id, supplement_id, at, kind, description, details, employee_id, mail_id)
    ON ticket_history TO importer_console, importer_operator;
GRANT UPDATE (visible_to_customer, expanded, status_id, deadline_at, needs_review, held_for_review, changed_at,
    changed_by_employee_id, changed_by_person_id) ON supplements TO importer_console, importer_operator;
GRANT UPDATE (status_id, deadline_at, completed_at, changed_at, changed_by_employee_id, changed_by_person_id,
    needs_review) ON tickets TO importer_console, importer_operator;
GRANT SELECT (name, username, password_encrypted, certificate_encrypted, login_expires_at, tenant, cloud, ca_file)
    ON outgoing_accounts TO importer_notifier;
GRANT SELECT (username, password_encrypted, certificate_encrypted, login_expires_at, tenant, cloud, ca_file)
    ON importer_settings TO importer_fetcher;

CREATE TABLE outgoing_account_states (
    account_id        bigint PRIMARY KEY REFERENCES outgoing_accounts ON DELETE CASCADE,
    refused_logins    integer NOT NULL DEFAULT 0,
    refused_since     timestamptz,
    login_rests_until timestamptz,
    refusal           text,
    expiry_told_on    date,
    CONSTRAINT refused_login_rests CHECK (CASE WHEN refused_logins = 0
        THEN num_nonnulls(refused_since, login_rests_until, refusal) = 0
        ELSE refused_logins > 0 AND num_nonnulls(refused_since, login_rests_until, refusal) = 3 END)
);
INSERT INTO outgoing_account_states (account_id, refused_logins, refused_since, login_rests_until, refusal, expiry_told_on)
SELECT id, coalesce(refused_logins, 0), refused_since, probe_at, problem, expiry_told_on
FROM outgoing_accounts LEFT JOIN login_states USING (login_id);
COMMENT ON TABLE outgoing_account_states IS 'What the notifier keeps of an outgoing account; made with it, begun anew with another login.';
COMMENT ON COLUMN outgoing_account_states.account_id IS 'The account.';
COMMENT ON COLUMN outgoing_account_states.refused_logins IS 'Logins that were refused since one was taken, or the login was changed.';
COMMENT ON COLUMN outgoing_account_states.refused_since IS 'When the first of them was; null: none.';
COMMENT ON COLUMN outgoing_account_states.login_rests_until IS 'Until when nobody tries to log in; null: it was not refused.';
COMMENT ON COLUMN outgoing_account_states.refusal IS 'What the server said.';
COMMENT ON COLUMN outgoing_account_states.expiry_told_on IS 'Day on which the log last warned that the login ends.';
GRANT SELECT ON outgoing_account_states TO importer_notifier, importer_console, importer_operator;
GRANT UPDATE (refused_logins, refused_since, login_rests_until, refusal, expiry_told_on)
    ON outgoing_account_states TO importer_notifier;

CREATE FUNCTION helpdesk.make_outgoing_account_state() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO helpdesk.outgoing_account_states (account_id) VALUES (NEW.id);
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION helpdesk.make_outgoing_account_state FROM PUBLIC;
CREATE TRIGGER account_state AFTER INSERT ON outgoing_accounts
    FOR EACH ROW EXECUTE FUNCTION helpdesk.make_outgoing_account_state();

ALTER TABLE mailbox_states
    ADD COLUMN refused_logins integer NOT NULL DEFAULT 0,
    ADD COLUMN refused_since timestamptz,
    ADD COLUMN login_rests_until timestamptz,
    ADD COLUMN expiry_told_on date;
UPDATE mailbox_states SET refused_logins = login.refused_logins, refused_since = login.refused_since,
    login_rests_until = login.probe_at, expiry_told_on = login.expiry_told_on
FROM importer_settings AS settings JOIN login_states AS login USING (login_id)
WHERE settings.helpdesk_id = mailbox_states.helpdesk_id;
ALTER TABLE mailbox_states ADD CONSTRAINT refused_login_rests CHECK (CASE WHEN refused_logins = 0
    THEN num_nonnulls(refused_since, login_rests_until) = 0
    ELSE refused_logins > 0 AND num_nonnulls(refused_since, login_rests_until) = 2 END);
COMMENT ON COLUMN mailbox_states.refused_logins IS 'Logins that were refused since one was taken, or the login was changed.';
COMMENT ON COLUMN mailbox_states.refused_since IS 'When the first of them was; null: none.';
COMMENT ON COLUMN mailbox_states.login_rests_until IS 'Until when no fetcher tries to log in; null: it was not refused.';
COMMENT ON COLUMN mailbox_states.expiry_told_on IS 'Day on which the log last warned that the login ends.';
GRANT SELECT (refused_logins, refused_since, login_rests_until, expiry_told_on),
    UPDATE (refused_logins, refused_since, login_rests_until, expiry_told_on) ON mailbox_states TO importer_fetcher;

CREATE OR REPLACE FUNCTION helpdesk.reset_mailbox_state() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO helpdesk.mailbox_states (helpdesk_id) VALUES (NEW.helpdesk_id)
    ON CONFLICT (helpdesk_id) DO UPDATE SET
        last_successful_check_at = NULL, last_check_at = NULL, next_check_at = '-infinity',
        failed_checks = 0, problem = NULL, problem_kind = NULL, problem_since = NULL, sync_state = NULL,
        refused_logins = 0, refused_since = NULL, login_rests_until = NULL,
        backlog_waiting = 0, backlog_oldest_at = NULL, backlog_newest_at = NULL,
        backlog_choice = NULL, backlog_chosen_at = NULL, backlog_chosen_until = NULL;
    RETURN NULL;
END $$;

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
