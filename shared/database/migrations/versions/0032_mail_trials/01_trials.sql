-- ── a mail that a person tries ─────────────────────────────────────────────────────────────────────────────────────────
-- The web console leaves it with its question, and cannot read it back. The classifier reads it and hands the facts on to
-- ticket_writer in the same row, which then holds no mail any more; ticket_writer's answer takes the facts' place.

ALTER TABLE service_questions
    DROP CONSTRAINT service_answers,
    ADD CONSTRAINT service_answers CHECK (service IN ('fetcher', 'notifier', 'classifier', 'ticket_writer')),
    ADD CONSTRAINT two_services_try_a_mail CHECK ((question = 'try') = (service IN ('classifier', 'ticket_writer'))),
    ADD COLUMN mail bytea,
    ADD CONSTRAINT a_mail_waits_for_the_classifier CHECK (
        mail IS NULL OR (service = 'classifier' AND answered_at IS NULL AND octet_length(mail) BETWEEN 1 AND 10485760));

COMMENT ON TABLE service_questions IS 'What people ask of a service in the web console («Test de mailbox», «Zoek server», «Probeer een mail»); it answers within seconds, and after an hour the row goes.';
COMMENT ON COLUMN service_questions.service IS 'Who answers: fetcher, notifier, classifier; ticket_writer, to whom the classifier hands on what it found.';
COMMENT ON COLUMN service_questions.question IS 'What is asked: check, check-again, discover; try, of a mail.';
COMMENT ON COLUMN service_questions.arguments IS 'What else the question needs; gone once it is answered.';
COMMENT ON COLUMN service_questions.mail IS 'The mail that is tried, at most 10 MiB; gone once the classifier has read it.';

CREATE FUNCTION helpdesk.settle_question() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- who reads strangers' mail gives no answer in the fetcher's name, such as a server to log in at
    IF session_user IN ('importer_fetcher', 'importer_notifier', 'importer_classifier', 'importer_ticket_writer')
            AND session_user <> 'importer_' || OLD.service THEN
        RAISE EXCEPTION 'only % answers this question', OLD.service USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF NEW.answered_at IS NOT NULL OR NEW.service <> OLD.service THEN
        NEW.mail := NULL;
    END IF;
    IF NEW.answered_at IS NOT NULL THEN
        NEW.arguments := '{}';
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION helpdesk.settle_question IS 'Lets each service answer its own questions alone, and forgets a mail and its facts when they are answered.';
REVOKE ALL ON FUNCTION helpdesk.settle_question FROM PUBLIC;
CREATE TRIGGER settle BEFORE UPDATE ON service_questions FOR EACH ROW EXECUTE FUNCTION helpdesk.settle_question();

GRANT INSERT (mail), DELETE ON service_questions TO importer_web;
GRANT SELECT (id, service, question, helpdesk_id, arguments, mail, asked_by, asked_at, taken_at, answered_at),
    UPDATE (service, arguments, taken_at, answered_at, answer), DELETE ON service_questions TO importer_classifier;
GRANT SELECT (id, service, question, helpdesk_id, arguments, asked_by, asked_at, taken_at, answered_at),
    UPDATE (taken_at, answered_at, answer), DELETE ON service_questions TO importer_ticket_writer;
