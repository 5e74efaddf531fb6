-- ── who uses the web console ───────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE web_users (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name          text NOT NULL CONSTRAINT a_user_has_a_name CHECK (name = btrim(name) AND length(name) BETWEEN 1 AND 254),
    password_hash text,
    operator      boolean NOT NULL DEFAULT false,
    language      text NOT NULL DEFAULT 'nl' CONSTRAINT language_is_known CHECK (language IN ('nl', 'en')),
    time_zone     text NOT NULL DEFAULT 'Europe/Amsterdam',
    active        boolean NOT NULL DEFAULT true,
    created_at    timestamptz NOT NULL DEFAULT now(),
    has_password  boolean NOT NULL GENERATED ALWAYS AS (password_hash IS NOT NULL) STORED
);
CREATE UNIQUE INDEX one_user_of_a_name ON web_users (lower(name));

COMMENT ON TABLE web_users IS 'who may use the web console («gebruikers»)';
COMMENT ON COLUMN web_users.id IS 'number of the user';
COMMENT ON COLUMN web_users.name IS 'the name by which the user logs in («gebruikersnaam»)';
COMMENT ON COLUMN web_users.password_hash IS 'Argon2id of the password («wachtwoord»); null: none was chosen yet';
COMMENT ON COLUMN web_users.operator IS 'administers all helpdesks, users and servers («beheerder van alles»)';
COMMENT ON COLUMN web_users.language IS 'language of the pages («taal»)';
COMMENT ON COLUMN web_users.time_zone IS 'zone in which times are shown («tijdzone»)';
COMMENT ON COLUMN web_users.active IS 'may log in («actief»)';
COMMENT ON COLUMN web_users.created_at IS 'when the user was added';
COMMENT ON COLUMN web_users.has_password IS 'whether a password was chosen: what the command line may know of it';

CREATE TABLE web_rights (
    user_id       bigint NOT NULL REFERENCES web_users,
    helpdesk_id   bigint NOT NULL REFERENCES helpdesks,
    role          text NOT NULL CONSTRAINT role_is_known CHECK (role IN ('administrator', 'viewer')),
    personal_data boolean NOT NULL DEFAULT false,
    PRIMARY KEY (user_id, helpdesk_id)
);
CREATE INDEX web_rights_helpdesk ON web_rights (helpdesk_id);

COMMENT ON TABLE web_rights IS 'what a user may do for a helpdesk («rechten»); an operator needs none';
COMMENT ON COLUMN web_rights.user_id IS 'the user';
COMMENT ON COLUMN web_rights.helpdesk_id IS 'the helpdesk';
COMMENT ON COLUMN web_rights.role IS 'administrator («beheerder») changes, viewer («kijker») looks';
COMMENT ON COLUMN web_rights.personal_data IS
    'a viewer sees senders, subjects and mails («persoonsgegevens»); an administrator always does';

CREATE TABLE web_sessions (
    token_hash bytea PRIMARY KEY CONSTRAINT token_is_hashed CHECK (octet_length(token_hash) = 32),
    user_id    bigint NOT NULL REFERENCES web_users,
    started_at timestamptz NOT NULL DEFAULT now(),
    seen_at    timestamptz NOT NULL DEFAULT now(),
    ends_at    timestamptz NOT NULL
);
CREATE INDEX web_sessions_user ON web_sessions (user_id);
CREATE INDEX web_sessions_end ON web_sessions (ends_at);

COMMENT ON TABLE web_sessions IS 'who is logged in; a row ends with logging out, with time, or by an operator';
COMMENT ON COLUMN web_sessions.token_hash IS 'SHA-256 of the cookie, which is nowhere else than in the browser';
COMMENT ON COLUMN web_sessions.user_id IS 'the user';
COMMENT ON COLUMN web_sessions.started_at IS 'when the user logged in';
COMMENT ON COLUMN web_sessions.seen_at IS 'when the user last asked for a page, to the minute';
COMMENT ON COLUMN web_sessions.ends_at IS 'when the session ends, however busy';

CREATE TABLE web_invitations (
    token_hash bytea PRIMARY KEY CONSTRAINT token_is_hashed CHECK (octet_length(token_hash) = 32),
    user_id    bigint NOT NULL REFERENCES web_users,
    made_at    timestamptz NOT NULL DEFAULT now(),
    ends_at    timestamptz NOT NULL
);
CREATE INDEX web_invitations_user ON web_invitations (user_id);

COMMENT ON TABLE web_invitations IS 'links by which a user chooses a password, once; a link that was used is gone';
COMMENT ON COLUMN web_invitations.token_hash IS 'SHA-256 of the secret part of the link';
COMMENT ON COLUMN web_invitations.user_id IS 'the user';
COMMENT ON COLUMN web_invitations.made_at IS 'when the link was made';
COMMENT ON COLUMN web_invitations.ends_at IS 'until when it can be used';

CREATE TABLE web_login_tries (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject  bytea NOT NULL CONSTRAINT subject_is_hashed CHECK (octet_length(subject) = 32),
    tried_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX web_login_tries_subject ON web_login_tries (subject, tried_at);
CREATE INDEX web_login_tries_time ON web_login_tries (tried_at);

COMMENT ON TABLE web_login_tries IS 'logins that failed within the last hour; so many, and no more are tried for a while';
COMMENT ON COLUMN web_login_tries.id IS 'number of the try';
COMMENT ON COLUMN web_login_tries.subject IS 'SHA-256 of the name that was typed, or of the address that it came from';
COMMENT ON COLUMN web_login_tries.tried_at IS 'when';

-- Who was added, given rights or locked, and by whom.
CREATE TRIGGER z_audit AFTER INSERT OR UPDATE OR DELETE ON web_users
    FOR EACH ROW EXECUTE FUNCTION helpdesk.audit_settings('id', 'password_hash');
CREATE TRIGGER z_audit AFTER INSERT OR UPDATE OR DELETE ON web_rights
    FOR EACH ROW EXECUTE FUNCTION helpdesk.audit_settings('user_id,helpdesk_id', '');

-- ── the role of the web console ────────────────────────────────────────────────────────────────────────────────────

GRANT USAGE ON SCHEMA helpdesk TO importer_web;
GRANT SELECT ON public.alembic_version TO importer_web;
GRANT SELECT ON web_users, web_rights, web_sessions, web_invitations, web_login_tries TO importer_web;
GRANT UPDATE (password_hash, language, time_zone) ON web_users TO importer_web;
GRANT INSERT (token_hash, user_id, ends_at), UPDATE (seen_at), DELETE ON web_sessions TO importer_web;
GRANT DELETE ON web_invitations TO importer_web;
GRANT INSERT (subject), DELETE ON web_login_tries TO importer_web;
-- What the pages show: never a login's secret, and of people only what stands in a mail.
GRANT SELECT (id, name) ON helpdesks TO importer_web;
GRANT SELECT ON imported_mails, imported_mail_outcomes, dead_letters, mailbox_states, attachments,
    raw_mail_chunks TO importer_web;
GRANT SELECT (id, mail_id, kind, helpdesk_id, ticket_id, recipient_address, subject, state, reason, tries, next_try_at,
    lease_until, sent_at, created_at, server_reply, summary_id, report_action, report_status, report_diagnostic, reported_at)
    ON notifications TO importer_web;
GRANT SELECT (id, number, helpdesk_id, mail_id, reported_at, sender_address, needs_review, body_full_text, body_full_html)
    ON tickets TO importer_web;
GRANT SELECT (id, ticket_id, helpdesk_id, mail_id, reported_at, sender_address, needs_review, held_for_review,
    body_full_text, body_full_html) ON supplements TO importer_web;
GRANT EXECUTE ON FUNCTION helpdesk.note_look_at_raw_mail TO importer_web; -- by the view of raw mails alone
-- Accepting what was reviewed is ticket_writer's, who is asked as by the helpdesk UI.
GRANT USAGE ON SCHEMA ui_v1 TO importer_web;
GRANT EXECUTE ON FUNCTION ui_v1.accept_review TO importer_web;
GRANT SELECT ON ui_v1.attachment_chunks TO importer_web;
GRANT SELECT (helpdesk_id, enabled, default_employee_id) ON importer_settings TO importer_web;
-- Repairs: replay and discard (a trigger keeps every other outcome), close a dead letter, choose for old mail, send now.
GRANT UPDATE (choice, replay_number, published_at, next_republish_at, republish_count, outcome_at, decided_replay,
    reasons) ON imported_mails TO importer_web;
GRANT UPDATE (resolved_at) ON dead_letters TO importer_web;
GRANT UPDATE (next_check_at, backlog_choice, backlog_chosen_at, backlog_chosen_until) ON mailbox_states TO importer_web;
GRANT UPDATE (next_try_at) ON notifications TO importer_web;

-- ── the command line adds users ────────────────────────────────────────────────────────────────────────────────────

GRANT SELECT (id, name, operator, language, time_zone, active, created_at, has_password),
    INSERT (name, operator, language, time_zone), UPDATE (operator, language, time_zone, active) ON web_users
    TO importer_console, importer_operator;
GRANT SELECT, INSERT, UPDATE (role, personal_data), DELETE ON web_rights TO importer_console, importer_operator;
GRANT SELECT (token_hash, user_id), INSERT (token_hash, user_id, ends_at), DELETE ON web_invitations
    TO importer_console, importer_operator;
GRANT SELECT (user_id), DELETE ON web_sessions TO importer_console, importer_operator;
