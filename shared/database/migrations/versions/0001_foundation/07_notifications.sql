-- ── notifications (M2–M4, DESIGN 9) ────────────────────────────────────────────────────────────────────────────────

CREATE TABLE notifications (
    id                    uuid PRIMARY KEY,
    mail_id               uuid NOT NULL REFERENCES imported_mails,
    kind                  text NOT NULL CHECK (kind IN (
                              'ticket-added-manager', 'supplement-added-executor', 'ticket-added-customer')),
    helpdesk_id           bigint NOT NULL REFERENCES helpdesks,
    ticket_id             bigint NOT NULL REFERENCES tickets,
    supplement_id         bigint,
    recipient_name        text NOT NULL DEFAULT '',
    recipient_address     text,
    recipient_key         text GENERATED ALWAYS AS (
                              regexp_replace(lower(recipient_address), '[+][^@]*@', '@')) STORED,
    recipient_employee_id bigint REFERENCES employees,
    recipient_person_id   bigint REFERENCES persons,
    state                 text NOT NULL CHECK (state IN ('planned', 'sent', 'not-sent', 'failed')),
    reason                text,
    created_at            timestamptz NOT NULL DEFAULT now(),
    tries                 integer NOT NULL DEFAULT 0 CHECK (tries >= 0),
    next_try_at           timestamptz,
    lease_holder          text,
    lease_until           timestamptz,
    message_id            text UNIQUE,
    subject               text,
    mime                  bytea,
    draft_id              text,
    sent_at               timestamptz,
    server_reply          text,
    -- what a delivery report said since (D6); written by ticket_writer with the supplement that the report became
    report_action         text CHECK (report_action IN ('failed', 'delayed', 'delivered', 'relayed', 'expanded')),
    report_status         text,
    report_diagnostic     text,
    reported_at           timestamptz,
    report_mail_id        uuid REFERENCES imported_mails,
    UNIQUE (mail_id, kind),
    FOREIGN KEY (ticket_id, supplement_id) REFERENCES supplements (ticket_id, id),
    CONSTRAINT planned_has_a_recipient CHECK (state = 'not-sent' OR recipient_address IS NOT NULL),
    CONSTRAINT not_sent_has_a_reason CHECK (state NOT IN ('not-sent', 'failed') OR coalesce(btrim(reason), '') <> ''),
    CONSTRAINT sent_has_proof CHECK (state <> 'sent' OR (sent_at IS NOT NULL AND message_id IS NOT NULL)),
    CONSTRAINT supplement_kind_names_its_supplement CHECK (
        (kind = 'supplement-added-executor') = (supplement_id IS NOT NULL)),
    CONSTRAINT one_recipient CHECK (num_nonnulls(recipient_employee_id, recipient_person_id) <= 1),
    CONSTRAINT lease_is_whole CHECK ((lease_holder IS NULL) = (lease_until IS NULL)),
    CONSTRAINT report_is_whole CHECK (num_nonnulls(report_action, reported_at, report_mail_id) IN (0, 3)),
    CONSTRAINT reported_failure_is_no_success CHECK (report_action IS DISTINCT FROM 'failed' OR state <> 'sent')
);
CREATE INDEX notifications_planned ON notifications (next_try_at NULLS FIRST) WHERE state = 'planned';
CREATE INDEX notifications_recipient ON notifications (recipient_key, created_at) WHERE recipient_key IS NOT NULL;
CREATE INDEX notifications_recipient_domain ON notifications (split_part(recipient_key, '@', 2), created_at)
    WHERE kind = 'ticket-added-customer' AND recipient_person_id IS NULL AND recipient_employee_id IS NULL;
CREATE INDEX notifications_report ON notifications (report_mail_id) WHERE report_mail_id IS NOT NULL;
CREATE INDEX notifications_ticket ON notifications (ticket_id, created_at);
CREATE INDEX notifications_state ON notifications (helpdesk_id, state, created_at DESC);
