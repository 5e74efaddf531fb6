-- ── what a person asks of a service: the fetcher opens mailboxes, and nobody else may ──────────────────────────────────
-- The web console, which has none of its secrets, leaves a row; the service answers within seconds.

CREATE TABLE service_questions (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    service     text NOT NULL CONSTRAINT service_answers CHECK (service IN ('fetcher', 'notifier')),
    question    text NOT NULL CHECK (btrim(question) <> ''),
    helpdesk_id bigint NOT NULL REFERENCES helpdesks ON DELETE CASCADE,
    arguments   jsonb NOT NULL DEFAULT '{}',
    asked_by    text NOT NULL,
    asked_at    timestamptz NOT NULL DEFAULT now(),
    taken_at    timestamptz,
    answered_at timestamptz,
    answer      jsonb,
    CONSTRAINT answer_has_its_moment CHECK ((answered_at IS NULL) = (answer IS NULL))
);
CREATE INDEX service_questions_open ON service_questions (service, id) WHERE answered_at IS NULL;
CREATE INDEX service_questions_asked ON service_questions (helpdesk_id, question, id);
CREATE INDEX service_questions_age ON service_questions (asked_at);

COMMENT ON TABLE service_questions IS 'What people ask of a service in the web console («Test de mailbox», «Zoek server»); it answers within seconds, and after an hour the row goes.';
COMMENT ON COLUMN service_questions.id IS 'Number of the question.';
COMMENT ON COLUMN service_questions.service IS 'Who answers: fetcher or notifier.';
COMMENT ON COLUMN service_questions.question IS 'What is asked: check, check-again, discover.';
COMMENT ON COLUMN service_questions.helpdesk_id IS 'The helpdesk that it is about.';
COMMENT ON COLUMN service_questions.arguments IS 'What else the question needs.';
COMMENT ON COLUMN service_questions.asked_by IS 'Who asked: the name of the user.';
COMMENT ON COLUMN service_questions.asked_at IS 'When it was asked.';
COMMENT ON COLUMN service_questions.taken_at IS 'When a service began to answer; an answer that does not come within three minutes is begun again.';
COMMENT ON COLUMN service_questions.answered_at IS 'When it was answered; null: it waits.';
COMMENT ON COLUMN service_questions.answer IS 'The answer; in `ok` how it ended.';

GRANT SELECT (id, service, question, helpdesk_id, asked_by, asked_at, taken_at, answered_at, answer),
    INSERT (service, question, helpdesk_id, arguments, asked_by) ON service_questions TO importer_web;
GRANT SELECT (id, service, question, helpdesk_id, arguments, asked_by, asked_at, taken_at, answered_at),
    UPDATE (taken_at, answered_at, answer), DELETE ON service_questions TO importer_fetcher;
