DO $$
BEGIN
    IF coalesce(current_setting('helpdesk.lose_data', true), '') <> 'yes'
        AND EXISTS (SELECT FROM helpdesk.templates WHERE kind = 'summary') THEN
        RAISE EXCEPTION 'Table templates has rows of summaries, which this downgrade would destroy.'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'Restore a backup instead; or, when the data may go, downgrade with lose_data.';
    END IF;
END $$;

DELETE FROM templates WHERE kind = 'summary';
ALTER TABLE templates
    DROP CONSTRAINT templates_kind_check,
    ADD CONSTRAINT templates_kind_check CHECK (
        kind IN ('ticket-added-manager', 'supplement-added-executor', 'ticket-added-customer'));

CREATE OR REPLACE FUNCTION helpdesk.template_problem(source text, is_subject boolean) RETURNS text
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    piece text[];
    asked text;
    allowed boolean;
    numbered boolean := false;
BEGIN
    IF source IS NULL THEN
        RETURN NULL; -- the default
    END IF;
    FOR piece IN SELECT regexp_matches(source, '(\[\[)|\[([^][]*)\]|(\[)', 'g') LOOP
        CONTINUE WHEN piece[1] IS NOT NULL;
        IF piece[3] IS NOT NULL THEN
            RETURN 'A [ is not closed by a ]. Close it, or write [[ for a bracket that is meant as such.';
        END IF;
        asked := regexp_replace(piece[2], '\?$', '');
        asked := lower(btrim(regexp_replace(replace(replace(asked, '&nbsp;', ' '), chr(160), ' '), '\s+', ' ', 'g')));
        allowed := (SELECT in_subject FROM helpdesk.placeholders() AS known WHERE known.name = asked);
        IF allowed IS NULL THEN
            RETURN format('[%s] is unknown.', left(piece[2], 40));
        ELSIF is_subject AND (NOT allowed OR piece[2] LIKE '%?') THEN
            RETURN format('[%s] is for a body.', left(piece[2], 40));
        END IF;
        numbered := numbered OR asked = 'ticketnummer';
    END LOOP;
    IF is_subject AND source ~ '[\n\r]' THEN
        RETURN 'A subject is one line: remove the line break.';
    ELSIF is_subject AND NOT numbered THEN
        RETURN 'The subject must have [ticketnummer] in it: without it an answer does not find its ticket.';
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION helpdesk.check_template() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    problem text := coalesce(
        helpdesk.template_problem(NEW.subject, true), helpdesk.template_problem(NEW.body_html, false),
        helpdesk.template_problem(NEW.body_text, false));
BEGIN
    IF problem IS NOT NULL THEN
        RAISE EXCEPTION '%', problem
            USING ERRCODE = 'check_violation', CONSTRAINT = 'a_template_can_be_used',
                  HINT = 'docs/templates.md lists the placeholders.';
    END IF;
    RETURN NEW;
END $$;
DROP FUNCTION helpdesk.template_problem(text, boolean, boolean), helpdesk.summary_placeholders();

DROP VIEW ui_v1.helpdesk_settings, ui_v1.notifications;
CREATE VIEW ui_v1.notifications AS
SELECT id, mail_id, kind, helpdesk_id, ticket_id, supplement_id, recipient_name, recipient_address,
    recipient_employee_id, recipient_person_id, state, reason, created_at, tries, next_try_at, subject, sent_at,
    report_action, report_status, report_diagnostic, reported_at, report_mail_id
FROM helpdesk.notifications;
GRANT SELECT ON ui_v1.notifications TO helpdesk_ui;
CREATE VIEW ui_v1.helpdesk_settings AS
SELECT id, name, active, group_id, calendar_id, default_ticket_type_id, default_priority_id, default_environment_id,
    default_ticket_manager_id, default_executor_id, recalculate_deadline, portal_supplement_status_id,
    send_import_mails, sender_name, sender_address, reply_to_address, fallback_recipient, ticket_url, row_version,
    unknown_senders_per_hour, quoted_to_strangers
FROM helpdesk.helpdesks;
GRANT SELECT, INSERT (name, active, group_id, calendar_id, default_ticket_type_id, default_priority_id,
    default_environment_id, default_ticket_manager_id, default_executor_id, recalculate_deadline,
    portal_supplement_status_id, send_import_mails, sender_name, sender_address, reply_to_address, fallback_recipient,
    ticket_url, unknown_senders_per_hour, quoted_to_strangers), UPDATE (name, active, group_id, calendar_id,
    default_ticket_type_id, default_priority_id, default_environment_id, default_ticket_manager_id,
    default_executor_id, recalculate_deadline, portal_supplement_status_id, send_import_mails, sender_name,
    sender_address, reply_to_address, fallback_recipient, ticket_url, unknown_senders_per_hour, quoted_to_strangers)
    ON ui_v1.helpdesk_settings TO helpdesk_ui;
ALTER TABLE helpdesks DROP COLUMN summary_after;
REVOKE SELECT (tries) ON notifications FROM importer_ticket_writer;
ALTER TABLE notifications DROP COLUMN collects_until, DROP COLUMN summary_id;
