-- ── a mail out that was sent once more stands beside its first in what the screens read ────────────────────────────

CREATE OR REPLACE VIEW ui_v1.notifications AS
SELECT id, mail_id, kind, helpdesk_id, ticket_id, supplement_id, recipient_name, recipient_address,
    recipient_employee_id, recipient_person_id, state, reason, created_at, tries, next_try_at, subject, sent_at,
    report_action, report_status, report_diagnostic, reported_at, report_mail_id, summary_id, resend_of
FROM helpdesk.notifications;
COMMENT ON COLUMN ui_v1.notifications.resend_of IS 'The notification that a person had sent once more with this one; null: it was decided with the ticket.';
