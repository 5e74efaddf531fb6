DELETE FROM service_questions WHERE question = 'try';
REVOKE ALL ON service_questions FROM importer_classifier, importer_ticket_writer;
REVOKE ALL (id, service, question, helpdesk_id, arguments, mail, asked_by, asked_at, taken_at, answered_at, answer)
    ON service_questions FROM importer_classifier, importer_ticket_writer;
REVOKE DELETE ON service_questions FROM importer_web;
DROP TRIGGER settle ON service_questions;
DROP FUNCTION helpdesk.settle_question;
ALTER TABLE service_questions
    DROP CONSTRAINT two_services_try_a_mail,
    DROP COLUMN mail,
    DROP CONSTRAINT service_answers,
    ADD CONSTRAINT service_answers CHECK (service IN ('fetcher', 'notifier'));
COMMENT ON TABLE service_questions IS 'What people ask of a service in the web console («Test de mailbox», «Zoek server»); it answers within seconds, and after an hour the row goes.';
COMMENT ON COLUMN service_questions.service IS 'Who answers: fetcher or notifier.';
COMMENT ON COLUMN service_questions.question IS 'What is asked: check, check-again, discover.';
COMMENT ON COLUMN service_questions.arguments IS 'What else the question needs.';
