-- ── what the effect of a supplement stands on (D12, D20) ───────────────────────────────────────────────────────────

ALTER TABLE supplements ADD COLUMN by_employee boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN supplements.by_employee IS
    'an employee wrote the mail or forwarded it, whoever sent it first (D12); what accepting it later stands on (D20)';

UPDATE supplements SET by_employee = true
WHERE mail_id IS NOT NULL AND (informant_employee_id IS NOT NULL OR EXISTS (
    SELECT FROM imported_mails AS mail
    WHERE mail.mail_id = supplements.mail_id AND mail.reasons @> '[{"id": "forwarded-by-employee"}]'));

-- ── what people ask for in the helpdesk UI; ticket_writer carries it out by its own rules ──────────────────────────

CREATE TABLE review_requests (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    mail_id      uuid NOT NULL REFERENCES imported_mails,
    employee_id  bigint NOT NULL REFERENCES employees,
    requested_at timestamptz NOT NULL DEFAULT now(),
    answered_at  timestamptz,
    refusal      text,
    CONSTRAINT refusal_is_an_answer CHECK (refusal IS NULL OR answered_at IS NOT NULL)
);
CREATE UNIQUE INDEX one_open_request_a_mail ON review_requests (mail_id) WHERE answered_at IS NULL;
CREATE INDEX review_requests_open ON review_requests (id) WHERE answered_at IS NULL;
CREATE INDEX review_requests_mail ON review_requests (mail_id);

COMMENT ON TABLE review_requests IS
    'acceptances that people asked for in the helpdesk UI (ui_v1.accept_review); ticket_writer answers within seconds';
COMMENT ON COLUMN review_requests.id IS 'number of the request';
COMMENT ON COLUMN review_requests.mail_id IS 'the mail whose ticket or supplement is accepted («beoordeeld»)';
COMMENT ON COLUMN review_requests.employee_id IS 'the employee («werknemer») who accepts';
COMMENT ON COLUMN review_requests.requested_at IS 'when it was asked for';
COMMENT ON COLUMN review_requests.answered_at IS 'when it was carried out or refused; null: it waits';
COMMENT ON COLUMN review_requests.refusal IS
    'why it was refused: nothing-waits, became-nothing, or our-error (the log of ticket_writer says more); null: carried out';

CREATE FUNCTION ui_v1.accept_review(mail uuid, employee bigint) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    request_id bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM helpdesk.supplements WHERE mail_id = mail AND needs_review)
        AND NOT EXISTS (SELECT FROM helpdesk.tickets WHERE mail_id = mail AND needs_review)
    THEN
        RAISE EXCEPTION 'What mail % became does not wait for a person.', mail
            USING ERRCODE = 'check_violation', CONSTRAINT = 'nothing_waits_for_review';
    END IF;
    INSERT INTO helpdesk.review_requests AS request (mail_id, employee_id)
    VALUES (mail, employee)
    ON CONFLICT (mail_id) WHERE answered_at IS NULL DO UPDATE SET employee_id = request.employee_id
    RETURNING request.id INTO request_id;
    RETURN request_id;
END $$;
COMMENT ON FUNCTION ui_v1.accept_review IS
    'accepts what a mail became, in the name of an employee; the number of the request in ui_v1.review_requests';

CREATE VIEW ui_v1.review_requests AS
SELECT id, mail_id, employee_id, requested_at, answered_at, refusal FROM helpdesk.review_requests;
COMMENT ON VIEW ui_v1.review_requests IS 'what became of acceptances that were asked for by ui_v1.accept_review';
COMMENT ON COLUMN ui_v1.review_requests.id IS 'number of the request';
COMMENT ON COLUMN ui_v1.review_requests.mail_id IS 'the mail whose ticket or supplement is accepted («beoordeeld»)';
COMMENT ON COLUMN ui_v1.review_requests.employee_id IS 'the employee («werknemer») who accepts';
COMMENT ON COLUMN ui_v1.review_requests.requested_at IS 'when it was asked for';
COMMENT ON COLUMN ui_v1.review_requests.answered_at IS 'when it was carried out or refused; null: it waits';
COMMENT ON COLUMN ui_v1.review_requests.refusal IS 'why it was refused; null: carried out, or it waits';

-- ── who may do what ────────────────────────────────────────────────────────────────────────────────────────────────

REVOKE ALL ON FUNCTION ui_v1.accept_review FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ui_v1.accept_review TO helpdesk_ui;
GRANT SELECT ON ui_v1.review_requests TO helpdesk_ui;
GRANT SELECT ON review_requests TO importer_console, importer_operator;
GRANT SELECT, UPDATE (answered_at, refusal) ON review_requests TO importer_ticket_writer;
GRANT UPDATE (visible_to_customer, expanded, status_id, deadline_at, needs_review, held_for_review, changed_at,
    changed_by_employee_id, changed_by_person_id) ON supplements TO importer_ticket_writer;
