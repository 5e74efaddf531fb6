-- ── mails to staff in a burst become one (M2, M3, D10) ─────────────────────────────────────────────────────────────
-- The first of them stays planned and collects the others; they name it. An older ticket_writer lets each be sent; an
-- older notifier sends the first alone.

ALTER TABLE helpdesks ADD COLUMN summary_after integer DEFAULT 20
    CONSTRAINT summaries_have_a_beginning CHECK (summary_after BETWEEN 1 AND 10000);
COMMENT ON COLUMN helpdesks.summary_after IS 'How many mails (M2, M3) go to one employee within ten minutes before the next become one summary; null: there is none.';
GRANT SELECT (summary_after) ON helpdesks TO importer_ticket_writer;

ALTER TABLE notifications
    ADD COLUMN collects_until timestamptz,
    ADD COLUMN summary_id     uuid REFERENCES notifications,
    ADD CONSTRAINT in_summary_names_it CHECK ((summary_id IS NOT NULL) = (state = 'not-sent' AND reason = 'in-summary')),
    ADD CONSTRAINT summaries_are_for_staff CHECK (
        kind <> 'ticket-added-customer' OR num_nonnulls(collects_until, summary_id) = 0),
    ADD CONSTRAINT a_summary_is_in_no_other CHECK (num_nonnulls(collects_until, summary_id) <= 1);
COMMENT ON COLUMN notifications.collects_until IS 'Until when it waits for others to the same employee, which it then tells of in one mail; null: it waits for none (M2, M3).';
COMMENT ON COLUMN notifications.summary_id IS 'The notification whose mail tells of it too; null: none does.';
CREATE INDEX notifications_summary ON notifications (summary_id) WHERE summary_id IS NOT NULL;
CREATE INDEX notifications_collecting ON notifications (helpdesk_id, coalesce(counted_address, recipient_key))
    WHERE collects_until IS NOT NULL AND state = 'planned' AND tries = 0;
GRANT SELECT (tries, collects_until, summary_id) ON notifications TO importer_ticket_writer;
GRANT SELECT (collects_until) ON notifications TO importer_classifier;

CREATE OR REPLACE VIEW ui_v1.notifications AS
SELECT id, mail_id, kind, helpdesk_id, ticket_id, supplement_id, recipient_name, recipient_address,
    recipient_employee_id, recipient_person_id, state, reason, created_at, tries, next_try_at, subject, sent_at,
    report_action, report_status, report_diagnostic, reported_at, report_mail_id, summary_id
FROM helpdesk.notifications;
COMMENT ON COLUMN ui_v1.notifications.summary_id IS 'The notification whose mail tells of it too; null: none does.';

CREATE OR REPLACE VIEW ui_v1.helpdesk_settings AS
SELECT id, name, active, group_id, calendar_id, default_ticket_type_id, default_priority_id, default_environment_id,
    default_ticket_manager_id, default_executor_id, recalculate_deadline, portal_supplement_status_id,
    send_import_mails, sender_name, sender_address, reply_to_address, fallback_recipient, ticket_url, row_version,
    unknown_senders_per_hour, quoted_to_strangers, summary_after
FROM helpdesk.helpdesks;
COMMENT ON COLUMN ui_v1.helpdesk_settings.summary_after IS 'How many mails (M2, M3) go to one employee within ten minutes before the next become one summary; null: there is none.';
GRANT INSERT (summary_after), UPDATE (summary_after) ON ui_v1.helpdesk_settings TO helpdesk_ui;
