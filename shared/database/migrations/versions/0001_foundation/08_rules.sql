-- ── rules that a constraint cannot say ─────────────────────────────────────────────────────────────────────────────
-- Functions name their tables in full: they run for roles with any search path. SECURITY DEFINER stands only where a
-- rule writes what the role itself may not. A refusal is a check_violation that bears the name of its rule.

-- Optimistic concurrency: whoever changes a row moves its version; an UPDATE says which version it has read.
CREATE FUNCTION bump_row_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.row_version := OLD.row_version + 1;
    RETURN NEW;
END $$;

DO $$
DECLARE
    versioned regclass;
BEGIN
    FOR versioned IN
        SELECT attrelid::regclass FROM pg_attribute
        WHERE attname = 'row_version' AND attrelid IN (
            SELECT oid FROM pg_class WHERE relnamespace = 'helpdesk'::regnamespace AND relkind = 'r')
    LOOP
        EXECUTE format('CREATE TRIGGER a_row_version BEFORE UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION bump_row_version()', versioned);
    END LOOP;
END $$;

-- ── full text ──────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION set_ticket_search_document() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.search_document := setweight(to_tsvector('pg_catalog.dutch', left(NEW.title, 1000)), 'A')
        || setweight(to_tsvector('pg_catalog.dutch', left(NEW.body_full_text, 100000)), 'B');
    RETURN NEW;
END $$;
CREATE TRIGGER search_document BEFORE INSERT OR UPDATE OF title, body_full_text ON tickets
    FOR EACH ROW EXECUTE FUNCTION set_ticket_search_document();

CREATE FUNCTION set_supplement_search_document() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.search_document := to_tsvector('pg_catalog.dutch',
        left(coalesce(NEW.mail_subject, ''), 1000) || ' ' || left(NEW.body_full_text, 100000));
    RETURN NEW;
END $$;
CREATE TRIGGER search_document BEFORE INSERT OR UPDATE OF mail_subject, body_full_text ON supplements
    FOR EACH ROW EXECUTE FUNCTION set_supplement_search_document();

-- ── the work list (M5) ─────────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION set_ticket_status_flag() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.status_flag := (SELECT flag FROM helpdesk.statuses WHERE id = NEW.status_id);
    RETURN NEW;
END $$;
CREATE TRIGGER status_flag BEFORE INSERT OR UPDATE OF status_id, status_flag ON tickets
    FOR EACH ROW EXECUTE FUNCTION set_ticket_status_flag();

CREATE FUNCTION move_status_flag() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = helpdesk, pg_temp AS $$
BEGIN
    UPDATE tickets SET status_flag = NEW.flag WHERE helpdesk_id = NEW.helpdesk_id AND status_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER flag_of_tickets AFTER UPDATE OF flag ON statuses
    FOR EACH ROW WHEN (NEW.flag IS DISTINCT FROM OLD.flag) EXECUTE FUNCTION move_status_flag();

-- ── ticket numbers (D1) ────────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION register_ticket_number() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = helpdesk, pg_temp AS $$
BEGIN
    INSERT INTO ticket_numbers (number, ticket_id, is_alias) VALUES (NEW.number, NEW.id, false);
    RETURN NULL;
END $$;
CREATE TRIGGER register_number AFTER INSERT ON tickets FOR EACH ROW EXECUTE FUNCTION register_ticket_number();

CREATE FUNCTION refuse_ticket_number_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'A ticket keeps its number: % cannot be changed.', OLD.number
        USING ERRCODE = 'check_violation', CONSTRAINT = 'a_ticket_keeps_its_number',
              HINT = 'Add the other number as an alias in ticket_numbers.';
END $$;
CREATE TRIGGER number_is_fixed BEFORE UPDATE OF number ON tickets
    FOR EACH ROW WHEN (NEW.number IS DISTINCT FROM OLD.number) EXECUTE FUNCTION refuse_ticket_number_change();
CREATE TRIGGER number_is_fixed BEFORE UPDATE ON ticket_numbers
    FOR EACH ROW EXECUTE FUNCTION refuse_ticket_number_change();

-- A row that is no alias is some ticket's own number, and stays as long as the ticket.
CREATE FUNCTION keep_own_ticket_number() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM helpdesk.tickets WHERE id = OLD.ticket_id) THEN
        RAISE EXCEPTION 'Number % belongs to a ticket and cannot be removed.', OLD.number
            USING ERRCODE = 'check_violation', CONSTRAINT = 'own_number_stays';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER own_number_stays AFTER DELETE ON ticket_numbers
    FOR EACH ROW WHEN (NOT OLD.is_alias) EXECUTE FUNCTION keep_own_ticket_number();

-- Numbers that come from elsewhere push the sequence past them, so that it never gives one of them to a new ticket.
-- ALTER SEQUENCE, unlike setval, keeps others from drawing until we commit; hence the second look at last_value.
CREATE FUNCTION move_ticket_number_sequence() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = helpdesk, pg_temp AS $$
DECLARE
    highest bigint := (SELECT max(number::bigint) FROM added WHERE number ~ '^[1-9][0-9]{0,14}$');
BEGIN
    IF highest > (SELECT last_value FROM ticket_number_seq) THEN
        ALTER SEQUENCE ticket_number_seq CACHE 1;
        IF highest > (SELECT last_value FROM ticket_number_seq) THEN
            EXECUTE format('ALTER SEQUENCE ticket_number_seq RESTART WITH %s', highest + 1);
        END IF;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER move_sequence AFTER INSERT ON ticket_numbers
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION move_ticket_number_sequence();

-- Merged and parent tickets form trees. Two people who close a loop from both ends wait for each other here.
CREATE FUNCTION refuse_ticket_loop() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = helpdesk, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('helpdesk.ticket_loops', 0));
    IF EXISTS (
        WITH RECURSIVE onward AS (
            SELECT NEW.merged_into_id AS id
            UNION
            SELECT tickets.merged_into_id FROM onward JOIN tickets USING (id) WHERE tickets.merged_into_id IS NOT NULL)
        SELECT FROM onward WHERE id = NEW.id) THEN
        RAISE EXCEPTION 'Ticket % would be merged into itself.', NEW.number
            USING ERRCODE = 'check_violation', CONSTRAINT = 'merged_tickets_form_no_loop';
    END IF;
    IF EXISTS (
        WITH RECURSIVE upward AS (
            SELECT NEW.parent_ticket_id AS id
            UNION
            SELECT tickets.parent_ticket_id FROM upward JOIN tickets USING (id) WHERE tickets.parent_ticket_id IS NOT NULL)
        SELECT FROM upward WHERE id = NEW.id) THEN
        RAISE EXCEPTION 'Ticket % would belong to itself.', NEW.number
            USING ERRCODE = 'check_violation', CONSTRAINT = 'parent_tickets_form_no_loop';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER no_loop BEFORE UPDATE OF merged_into_id, parent_ticket_id ON tickets
    FOR EACH ROW WHEN (NEW.merged_into_id IS NOT NULL OR NEW.parent_ticket_id IS NOT NULL)
    EXECUTE FUNCTION refuse_ticket_loop();

-- A supplement is of its ticket's helpdesk when it is written; it stays there as history when the ticket moves on.
CREATE FUNCTION set_supplement_helpdesk() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    of_ticket bigint := (SELECT helpdesk_id FROM helpdesk.tickets WHERE id = NEW.ticket_id);
BEGIN
    IF NEW.helpdesk_id <> of_ticket THEN
        RAISE EXCEPTION 'Ticket id % is of helpdesk %, not of helpdesk %.', NEW.ticket_id, of_ticket, NEW.helpdesk_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'a_supplement_is_of_its_tickets_helpdesk';
    END IF;
    NEW.helpdesk_id := of_ticket;
    RETURN NEW;
END $$;
CREATE TRIGGER helpdesk_of_ticket BEFORE INSERT ON supplements
    FOR EACH ROW EXECUTE FUNCTION set_supplement_helpdesk();

-- ── importer settings (D14, DESIGN 2) ──────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION check_importer_settings() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    turned_on_or_changed boolean := TG_OP = 'INSERT' OR NOT OLD.enabled
        OR NEW.default_contact_id IS DISTINCT FROM OLD.default_contact_id
        OR NEW.default_employee_id IS DISTINCT FROM OLD.default_employee_id;
BEGIN
    IF NOT NEW.enabled THEN
        NEW.imported_status_id := NULL;
    ELSE
        NEW.imported_status_id := (
            SELECT id FROM helpdesk.statuses WHERE helpdesk_id = NEW.helpdesk_id AND flag = 'imported');
        IF NEW.imported_status_id IS NULL THEN
            RAISE EXCEPTION 'The importer of helpdesk % cannot be on: none of its statuses has the flag «geïmporteerd».', NEW.helpdesk_id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'importer_on_needs_imported_status',
                      HINT = 'Bind one of the helpdesk''s statuses to the flag «geïmporteerd» first.';
        ELSIF turned_on_or_changed AND EXISTS (
            SELECT FROM helpdesk.persons WHERE id = NEW.default_contact_id AND NOT active) THEN
            RAISE EXCEPTION 'The importer of helpdesk % cannot be on: its default contact («Standaard contactpersoon») is not active.', NEW.helpdesk_id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'importer_on_needs_active_contact',
                      HINT = 'Choose an active contact.';
        ELSIF turned_on_or_changed AND EXISTS (
            SELECT FROM helpdesk.employees WHERE id = NEW.default_employee_id AND NOT active) THEN
            RAISE EXCEPTION 'The importer of helpdesk % cannot be on: its default employee («Standaard werknemer») is not active.', NEW.helpdesk_id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'importer_on_needs_active_employee',
                      HINT = 'Choose an active employee.';
        END IF;
    END IF;
    IF upper(NEW.folder) = 'INBOX' THEN
        NEW.folder := 'INBOX';
    END IF;
    IF TG_OP = 'UPDATE' AND (
        (helpdesk.mailbox_kind(NEW.kind, NEW.server, NEW.username, NEW.tenant), NEW.server,
            coalesce(NEW.mailbox_address, NEW.username), NEW.folder)
        IS DISTINCT FROM (OLD.mailbox_kind, OLD.server, coalesce(OLD.mailbox_address, OLD.username), OLD.folder)) THEN
        NEW.generation := OLD.generation + 1;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER settings_are_sound BEFORE INSERT OR UPDATE ON importer_settings
    FOR EACH ROW EXECUTE FUNCTION check_importer_settings();

-- Another mailbox (a new generation) has never been checked: what was kept of the old one is forgotten.
CREATE FUNCTION reset_mailbox_state() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = helpdesk, pg_temp AS $$
BEGIN
    INSERT INTO mailbox_states (helpdesk_id) VALUES (NEW.helpdesk_id)
    ON CONFLICT (helpdesk_id) DO UPDATE SET
        last_successful_check_at = NULL, last_check_at = NULL, next_check_at = '-infinity',
        failed_checks = 0, problem = NULL, problem_kind = NULL, problem_since = NULL, sync_state = NULL,
        refused_logins = 0, refused_since = NULL, login_rests_until = NULL,
        backlog_waiting = 0, backlog_oldest_at = NULL, backlog_newest_at = NULL,
        backlog_choice = NULL, backlog_chosen_at = NULL, backlog_chosen_until = NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER mailbox_state AFTER INSERT ON importer_settings
    FOR EACH ROW EXECUTE FUNCTION reset_mailbox_state();
CREATE TRIGGER mailbox_state_of_another_mailbox AFTER UPDATE ON importer_settings
    FOR EACH ROW WHEN (NEW.generation <> OLD.generation) EXECUTE FUNCTION reset_mailbox_state();

-- Another login, password or server may well be taken: what was refused before is forgotten, and it is tried at once.
-- The same secret under another key is no change; who re-encrypts says so (services.console, `encryption rotate`).
CREATE FUNCTION forget_refused_logins() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = helpdesk, pg_temp AS $$
BEGIN
    IF current_setting('helpdesk.reencrypting', true) = 'on' THEN
        RETURN NULL;
    ELSIF TG_TABLE_NAME = 'outgoing_accounts' THEN
        UPDATE outgoing_account_states SET
            refused_logins = 0, refused_since = NULL, login_rests_until = NULL, refusal = NULL, expiry_told_on = NULL
        WHERE account_id = NEW.id;
        UPDATE notifications SET next_try_at = now()
        WHERE state = 'planned' AND reason = 'login-refused' AND next_try_at > now()
            AND helpdesk_id IN (SELECT id FROM helpdesks WHERE outgoing_account_id = NEW.id);
    ELSE
        UPDATE mailbox_states SET next_check_at = '-infinity', failed_checks = 0,
            refused_logins = 0, refused_since = NULL, login_rests_until = NULL, expiry_told_on = NULL
        WHERE helpdesk_id = NEW.helpdesk_id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER refused_logins_of_another_login AFTER UPDATE ON importer_settings
    FOR EACH ROW WHEN (
        (NEW.mailbox_kind, NEW.server, NEW.username, NEW.password_encrypted, NEW.secret_expires_on,
            NEW.certificate_encrypted, NEW.tenant, NEW.cloud)
        IS DISTINCT FROM (OLD.mailbox_kind, OLD.server, OLD.username, OLD.password_encrypted, OLD.secret_expires_on,
            OLD.certificate_encrypted, OLD.tenant, OLD.cloud))
    EXECUTE FUNCTION forget_refused_logins();
CREATE TRIGGER refused_logins_of_another_login AFTER UPDATE ON outgoing_accounts
    FOR EACH ROW WHEN (
        (NEW.kind, NEW.host, NEW.port, NEW.username, NEW.password_encrypted, NEW.secret_expires_on,
            NEW.certificate_encrypted, NEW.tenant, NEW.cloud, NEW.mailbox_address)
        IS DISTINCT FROM (OLD.kind, OLD.host, OLD.port, OLD.username, OLD.password_encrypted, OLD.secret_expires_on,
            OLD.certificate_encrypted, OLD.tenant, OLD.cloud, OLD.mailbox_address))
    EXECUTE FUNCTION forget_refused_logins();

CREATE FUNCTION make_outgoing_account_state() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = helpdesk, pg_temp AS $$
BEGIN
    INSERT INTO outgoing_account_states (account_id) VALUES (NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER account_state AFTER INSERT ON outgoing_accounts
    FOR EACH ROW EXECUTE FUNCTION make_outgoing_account_state();

-- ── outcomes and dead letters (D7) ─────────────────────────────────────────────────────────────────────────────────

-- Only a quarantined mail may get another outcome, by a replay; a forced import is a row of its own (DESIGN 2).
CREATE FUNCTION keep_outcome_history() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = helpdesk, pg_temp AS $$
BEGIN
    IF OLD.outcome <> 'quarantine' OR NEW.outcome IS NULL THEN
        RAISE EXCEPTION 'Mail % already ended as %.', OLD.mail_id, OLD.outcome
            USING ERRCODE = 'check_violation', CONSTRAINT = 'an_outcome_is_final',
                  HINT = 'Only a quarantined mail may be replayed; force a second import to get another ticket.';
    END IF;
    INSERT INTO imported_mail_outcomes (mail_id, outcome, outcome_at, reasons)
    VALUES (OLD.mail_id, OLD.outcome, OLD.outcome_at, OLD.reasons);
    -- the mail has got past the queues before the ticket: what was parked there is solved
    UPDATE dead_letters SET resolved_at = greatest(now(), recorded_at)
    WHERE mail_id = NEW.mail_id AND queue LIKE 'mail.%' AND resolved_at IS NULL;
    RETURN NEW;
END $$;
CREATE TRIGGER outcome_history BEFORE UPDATE OF outcome, outcome_at, reasons, ticket_id, supplement_id, duplicate_of ON imported_mails
    FOR EACH ROW WHEN (OLD.outcome IS NOT NULL AND
        (NEW.outcome, NEW.outcome_at, NEW.reasons, NEW.ticket_id, NEW.supplement_id, NEW.duplicate_of)
        IS DISTINCT FROM (OLD.outcome, OLD.outcome_at, OLD.reasons, OLD.ticket_id, OLD.supplement_id, OLD.duplicate_of))
    EXECUTE FUNCTION keep_outcome_history();

-- At commit, the ticket or supplement that a mail became names that mail.
CREATE FUNCTION check_outcome_is_of_the_mail() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = helpdesk, pg_temp AS $$
BEGIN
    IF NEW.outcome = 'ticket' AND NOT EXISTS (
        SELECT FROM tickets WHERE id = NEW.ticket_id AND mail_id = NEW.mail_id)
    OR NEW.outcome = 'supplement' AND NOT EXISTS (
        SELECT FROM supplements WHERE id = NEW.supplement_id AND mail_id = NEW.mail_id) THEN
        RAISE EXCEPTION 'The % of mail % was not made from that mail.', NEW.outcome, NEW.mail_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'an_outcome_is_of_its_mail';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER outcome_is_of_its_mail AFTER INSERT OR UPDATE OF outcome, ticket_id, supplement_id ON imported_mails
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.outcome IN ('ticket', 'supplement')) EXECUTE FUNCTION check_outcome_is_of_the_mail();

-- The one thing that every service may do to the ledger. False when the ledger does not know the mail.
CREATE FUNCTION record_dead_letter(mail_id uuid, queue text, reason text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = helpdesk, pg_temp AS $$
BEGIN
    PERFORM FROM imported_mails AS mail WHERE mail.mail_id = record_dead_letter.mail_id FOR UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO dead_letters AS letter (mail_id, queue, reason)
    VALUES (record_dead_letter.mail_id, record_dead_letter.queue, record_dead_letter.reason)
    ON CONFLICT DO NOTHING;
    UPDATE imported_mails AS mail SET
        outcome = 'quarantine', outcome_at = now(),
        reasons = mail.reasons || jsonb_build_array(jsonb_build_object('id', 'dead-letter', 'detail', record_dead_letter.reason))
    WHERE mail.mail_id = record_dead_letter.mail_id AND mail.outcome IS NULL;
    RETURN true;
END $$;
