-- ── one log, and one function that writes it ───────────────────────────────────────────────────────────────────────

CREATE TABLE audit_log (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at            timestamptz NOT NULL DEFAULT now(),
    actor         text,
    database_role text NOT NULL,
    tool          text NOT NULL,
    kind          text NOT NULL CHECK (kind IN ('settings', 'repair', 'raw-mail', 'removal', 'installation')),
    deed          text NOT NULL CHECK (btrim(deed) <> ''),
    thing         text NOT NULL CHECK (btrim(thing) <> ''),
    thing_id      text,
    helpdesk_id   bigint,
    mail_id       uuid,
    before        jsonb,
    after         jsonb
);
CREATE INDEX audit_log_at ON audit_log (at DESC, id DESC);
CREATE INDEX audit_log_thing ON audit_log (thing, thing_id, at DESC);
CREATE INDEX audit_log_mail ON audit_log (mail_id, at DESC) WHERE mail_id IS NOT NULL;
COMMENT ON TABLE audit_log IS 'Each change of a setting, repair, look at a raw mail, removal and change of the installation: who, when, and what it was before and after. Written by triggers and by helpdesk.record_audit alone; nobody changes it. It names mails, helpdesks and people by their ids, also when they are gone.';
COMMENT ON COLUMN audit_log.id IS 'Identity, given by the database.';
COMMENT ON COLUMN audit_log.at IS 'When: the beginning of the transaction.';
COMMENT ON COLUMN audit_log.actor IS 'Who, as the tool names him (helpdesk.actor of the transaction); null: it named nobody.';
COMMENT ON COLUMN audit_log.database_role IS 'The role that logged in at the database: that much is certain.';
COMMENT ON COLUMN audit_log.tool IS 'The program, as it calls itself (application_name).';
COMMENT ON COLUMN audit_log.kind IS 'settings, repair, raw-mail (a look at one), removal (of what is needed no more, or of personal data), installation.';
COMMENT ON COLUMN audit_log.deed IS 'What was done, in a word: added, changed, removed, replayed, …';
COMMENT ON COLUMN audit_log.thing IS 'To what: the table, or what else it is.';
COMMENT ON COLUMN audit_log.thing_id IS 'Which one; null: no single one.';
COMMENT ON COLUMN audit_log.helpdesk_id IS 'The helpdesk that it belongs to; null: none.';
COMMENT ON COLUMN audit_log.mail_id IS 'The mail that it is about; null: none.';
COMMENT ON COLUMN audit_log.before IS 'What changed, as it was; null: there was nothing.';
COMMENT ON COLUMN audit_log.after IS 'What changed, as it is now, a secret or the name of a contact as «changed»; null: it is gone.';
GRANT SELECT ON audit_log TO importer_console, importer_operator;

CREATE FUNCTION helpdesk.record_audit(
    kind text, deed text, thing text, thing_id text, helpdesk bigint, mail uuid, before jsonb, after jsonb
) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO helpdesk.audit_log (actor, database_role, tool, kind, deed, thing, thing_id, helpdesk_id, mail_id, before, after)
    VALUES (nullif(btrim(left(current_setting('helpdesk.actor', true), 200)), ''), session_user,
        current_setting('application_name'), kind, deed, thing, thing_id, helpdesk, mail, before, after)
$$;
COMMENT ON FUNCTION helpdesk.record_audit IS 'records a deed that no row of a table shows, in the name of helpdesk.actor';
REVOKE ALL ON FUNCTION helpdesk.record_audit FROM PUBLIC;
GRANT EXECUTE ON FUNCTION helpdesk.record_audit TO importer_console, importer_operator;

CREATE FUNCTION helpdesk.refuse_change_of_audit() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'What was recorded stays as it is.'
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'the_audit_log_stays';
END $$;
COMMENT ON FUNCTION helpdesk.refuse_change_of_audit IS 'keeps what was recorded from the owner''s own mistakes too';
CREATE TRIGGER it_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION helpdesk.refuse_change_of_audit();
