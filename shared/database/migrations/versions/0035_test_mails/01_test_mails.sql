-- ── a template as a mail to who edits it ───────────────────────────────────────────────────────────────────────────────

GRANT SELECT (id, service, question, helpdesk_id, arguments, asked_by, asked_at, taken_at, answered_at),
    UPDATE (taken_at, answered_at, answer), DELETE ON service_questions TO importer_notifier;
-- of which ticket, or supplement, the mail is that is written
GRANT SELECT (helpdesk_id, mail_id) ON tickets TO importer_notifier;
GRANT SELECT (ticket_id, mail_id) ON supplements TO importer_notifier;
COMMENT ON TABLE service_questions IS 'What people ask of a service in the web console («Test de mailbox», «Zoek server», «Probeer een mail», «Stuur testmail»); it answers within seconds, and after an hour the row goes.';
COMMENT ON COLUMN service_questions.question IS 'What is asked: check, check-again, discover; try, of a mail; test-mail, of a template.';
