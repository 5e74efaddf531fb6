-- ── which mail out repeats which ──────────────────────────────────────────────────────────────────────────────────

DROP VIEW ui_v1.notifications;
CREATE VIEW ui_v1.notifications AS
SELECT id, mail_id, kind, helpdesk_id, ticket_id, supplement_id, recipient_name, recipient_address,
    recipient_employee_id, recipient_person_id, state, reason, created_at, tries, next_try_at, subject, sent_at,
    report_action, report_status, report_diagnostic, reported_at, report_mail_id, summary_id
FROM helpdesk.notifications;
COMMENT ON VIEW ui_v1.notifications IS 'Mails about a ticket, sent or not, and why (M2–M4).';
COMMENT ON COLUMN ui_v1.notifications.summary_id IS 'The notification whose mail tells of it too; null: none does.';
GRANT SELECT ON ui_v1.notifications TO helpdesk_ui;
