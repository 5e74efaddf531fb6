-- ── functions that run with the owner's rights: nothing in them is looked up by a search path ──────────────────────
-- The same functions as in 0001, save that every name is whole and only the system's schemas are searched.

CREATE OR REPLACE FUNCTION helpdesk.move_status_flag() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE helpdesk.tickets SET status_flag = NEW.flag WHERE helpdesk_id = NEW.helpdesk_id AND status_id = NEW.id;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION helpdesk.register_ticket_number() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO helpdesk.ticket_numbers (number, ticket_id, is_alias) VALUES (NEW.number, NEW.id, false);
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION helpdesk.move_ticket_number_sequence() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    highest bigint := (SELECT max(number::bigint) FROM added WHERE number ~ '^[1-9][0-9]{0,14}$');
BEGIN
    IF highest > (SELECT last_value FROM helpdesk.ticket_number_seq) THEN
        ALTER SEQUENCE helpdesk.ticket_number_seq CACHE 1;
        IF highest > (SELECT last_value FROM helpdesk.ticket_number_seq) THEN
            EXECUTE format('ALTER SEQUENCE helpdesk.ticket_number_seq RESTART WITH %s', highest + 1);
        END IF;
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION helpdesk.refuse_ticket_loop() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('helpdesk.ticket_loops', 0));
    IF EXISTS (
        WITH RECURSIVE onward AS (
            SELECT NEW.merged_into_id AS id
            UNION
            SELECT tickets.merged_into_id FROM onward JOIN helpdesk.tickets USING (id) WHERE tickets.merged_into_id IS NOT NULL)
        SELECT FROM onward WHERE id = NEW.id) THEN
        RAISE EXCEPTION 'Ticket % would be merged into itself.', NEW.number
            USING ERRCODE = 'check_violation', CONSTRAINT = 'merged_tickets_form_no_loop';
    END IF;
    IF EXISTS (
        WITH RECURSIVE upward AS (
            SELECT NEW.parent_ticket_id AS id
            UNION
            SELECT tickets.parent_ticket_id FROM upward JOIN helpdesk.tickets USING (id) WHERE tickets.parent_ticket_id IS NOT NULL)
        SELECT FROM upward WHERE id = NEW.id) THEN
        RAISE EXCEPTION 'Ticket % would belong to itself.', NEW.number
            USING ERRCODE = 'check_violation', CONSTRAINT = 'parent_tickets_form_no_loop';
    END IF;
    RETURN NEW;
END $$;

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

CREATE OR REPLACE FUNCTION helpdesk.make_outgoing_account_state() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO helpdesk.outgoing_account_states (account_id) VALUES (NEW.id);
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION helpdesk.keep_outcome_history() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF OLD.outcome <> 'quarantine' OR NEW.outcome IS NULL THEN
        RAISE EXCEPTION 'Mail % already ended as %.', OLD.mail_id, OLD.outcome
            USING ERRCODE = 'check_violation', CONSTRAINT = 'an_outcome_is_final',
                  HINT = 'Only a quarantined mail may be replayed; force a second import to get another ticket.';
    END IF;
    INSERT INTO helpdesk.imported_mail_outcomes (mail_id, outcome, outcome_at, reasons)
    VALUES (OLD.mail_id, OLD.outcome, OLD.outcome_at, OLD.reasons);
    -- the mail has got past the queues before the ticket: what was parked there is solved
    UPDATE helpdesk.dead_letters SET resolved_at = greatest(now(), recorded_at)
    WHERE mail_id = NEW.mail_id AND queue LIKE 'mail.%' AND resolved_at IS NULL;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION helpdesk.check_outcome_is_of_the_mail() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.outcome = 'ticket' AND NOT EXISTS (
        SELECT FROM helpdesk.tickets WHERE id = NEW.ticket_id AND mail_id = NEW.mail_id)
    OR NEW.outcome = 'supplement' AND NOT EXISTS (
        SELECT FROM helpdesk.supplements WHERE id = NEW.supplement_id AND mail_id = NEW.mail_id) THEN
        RAISE EXCEPTION 'The % of mail % was not made from that mail.', NEW.outcome, NEW.mail_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'an_outcome_is_of_its_mail';
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION helpdesk.record_dead_letter(mail_id uuid, queue text, reason text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM FROM helpdesk.imported_mails AS mail WHERE mail.mail_id = record_dead_letter.mail_id FOR UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO helpdesk.dead_letters AS letter (mail_id, queue, reason)
    VALUES (record_dead_letter.mail_id, record_dead_letter.queue, record_dead_letter.reason)
    ON CONFLICT DO NOTHING;
    UPDATE helpdesk.imported_mails AS mail SET
        outcome = 'quarantine', outcome_at = now(),
        reasons = mail.reasons || jsonb_build_array(jsonb_build_object('id', 'dead-letter', 'detail', record_dead_letter.reason))
    WHERE mail.mail_id = record_dead_letter.mail_id AND mail.outcome IS NULL;
    RETURN true;
END $$;

CREATE OR REPLACE FUNCTION helpdesk.notify_helpdesk_changes() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
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
        FROM changed JOIN helpdesk.tickets ON tickets.id = changed.ticket_id;
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

-- ── nothing is everybody's ─────────────────────────────────────────────────────────────────────────────────────────
-- Whoever may execute a trigger function may attach it to a table of his own, and then it runs as the owner. Triggers of
-- ours fire without that right: nobody needs it.

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA helpdesk, ui_v1 FROM PUBLIC;
ALTER DEFAULT PRIVILEGES REVOKE ALL ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES REVOKE ALL ON TYPES FROM PUBLIC;
-- a generated column and the check of settings call it with the rights of who writes
GRANT EXECUTE ON FUNCTION helpdesk.mailbox_kind TO importer_console, importer_operator;
