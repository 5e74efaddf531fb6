-- ── refusals are kept with the login (login_states) ────────────────────────────────────────────────────────────────

CREATE OR REPLACE FUNCTION helpdesk.reset_mailbox_state() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO helpdesk.mailbox_states (helpdesk_id) VALUES (NEW.helpdesk_id)
    ON CONFLICT (helpdesk_id) DO UPDATE SET
        last_successful_check_at = NULL, last_check_at = NULL, next_check_at = '-infinity',
        failed_checks = 0, problem = NULL, problem_kind = NULL, problem_since = NULL, sync_state = NULL,
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
        UPDATE helpdesk.notifications SET next_try_at = now()
        WHERE state = 'planned' AND reason = 'login-refused' AND next_try_at > now()
            AND helpdesk_id IN (SELECT id FROM helpdesk.helpdesks WHERE outgoing_account_id = NEW.id);
    ELSE
        UPDATE helpdesk.mailbox_states SET next_check_at = '-infinity', failed_checks = 0
        WHERE helpdesk_id = NEW.helpdesk_id;
    END IF;
    RETURN NULL;
END $$;

ALTER TABLE mailbox_states DROP COLUMN refused_logins, DROP COLUMN refused_since, DROP COLUMN login_rests_until,
    DROP COLUMN expiry_told_on;
DROP TRIGGER account_state ON outgoing_accounts;
DROP FUNCTION helpdesk.make_outgoing_account_state;
DROP TABLE outgoing_account_states;
