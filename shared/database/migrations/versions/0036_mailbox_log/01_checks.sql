-- ── what the checks of a mailbox were ──────────────────────────────────────────────────────────────────────────────────
-- A row for a check that took in mail or filed some, or that went otherwise than the one before it. The others are counted
-- in mailbox_states, which each check writes anyway; the next row takes their count along.

ALTER TABLE mailbox_states
    ADD COLUMN quiet_checks     integer NOT NULL DEFAULT 0 CHECK (quiet_checks >= 0),
    ADD COLUMN quiet_ms         bigint NOT NULL DEFAULT 0 CHECK (quiet_ms >= 0),
    ADD COLUMN quiet_longest_ms integer NOT NULL DEFAULT 0 CHECK (quiet_longest_ms >= 0);
COMMENT ON COLUMN mailbox_states.quiet_checks IS 'Checks since the last row in mailbox_checks: they went as it did, and there was nothing to do.';
COMMENT ON COLUMN mailbox_states.quiet_ms IS 'Milliseconds that they took together.';
COMMENT ON COLUMN mailbox_states.quiet_longest_ms IS 'Milliseconds of the longest of them.';
GRANT SELECT (quiet_checks, quiet_ms, quiet_longest_ms), UPDATE (quiet_checks, quiet_ms, quiet_longest_ms)
    ON mailbox_states TO importer_fetcher;

CREATE TABLE mailbox_checks (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    helpdesk_id      bigint NOT NULL REFERENCES importer_settings (helpdesk_id) ON DELETE CASCADE,
    at               timestamptz NOT NULL DEFAULT now(),
    took_ms          integer NOT NULL CHECK (took_ms >= 0),
    unread           integer NOT NULL CHECK (unread >= 0),
    taken_in         integer NOT NULL CHECK (taken_in >= 0),
    filed            integer NOT NULL CHECK (filed >= 0),
    problem_kind     text,
    problem          text,
    problem_ended    timestamptz,
    quiet_checks     integer NOT NULL CHECK (quiet_checks >= 0),
    quiet_ms         bigint NOT NULL CHECK (quiet_ms >= 0),
    quiet_longest_ms integer NOT NULL CHECK (quiet_longest_ms >= 0),
    CONSTRAINT a_problem_has_a_kind CHECK ((problem IS NULL) = (problem_kind IS NULL)),
    CONSTRAINT what_ended_is_over CHECK (problem IS NULL OR problem_ended IS NULL)
);
CREATE INDEX mailbox_checks_of_a_mailbox ON mailbox_checks (helpdesk_id, at DESC, id DESC);
CREATE INDEX mailbox_checks_by_age ON mailbox_checks (at);
COMMENT ON TABLE mailbox_checks IS 'The log of the mailboxes: checks that took in mail or filed some, or went otherwise than the one before. Kept for 90 days.';
COMMENT ON COLUMN mailbox_checks.id IS 'The row''s number; by it, of two of one moment, the later.';
COMMENT ON COLUMN mailbox_checks.helpdesk_id IS 'Whose mailbox.';
COMMENT ON COLUMN mailbox_checks.at IS 'When the check ended.';
COMMENT ON COLUMN mailbox_checks.took_ms IS 'Milliseconds that it took.';
COMMENT ON COLUMN mailbox_checks.unread IS 'Unread mails that it listed.';
COMMENT ON COLUMN mailbox_checks.taken_in IS 'Mails that it took in.';
COMMENT ON COLUMN mailbox_checks.filed IS 'Mails taken in before that it marked read, moved or deleted.';
COMMENT ON COLUMN mailbox_checks.problem_kind IS 'What kept it from all of its mail, as in mailbox_states; null: nothing.';
COMMENT ON COLUMN mailbox_checks.problem IS 'The sentence that people read of it.';
COMMENT ON COLUMN mailbox_checks.problem_ended IS 'Since when the problem had been there that this check was the first without; null: none ended.';
COMMENT ON COLUMN mailbox_checks.quiet_checks IS 'Checks between the row before and this one: they went as that one did, and there was nothing to do.';
COMMENT ON COLUMN mailbox_checks.quiet_ms IS 'Milliseconds that they took together.';
COMMENT ON COLUMN mailbox_checks.quiet_longest_ms IS 'Milliseconds of the longest of them.';
GRANT INSERT (helpdesk_id, took_ms, unread, taken_in, filed, problem_kind, problem, problem_ended, quiet_checks, quiet_ms,
    quiet_longest_ms) ON mailbox_checks TO importer_fetcher;
GRANT SELECT ON mailbox_checks TO importer_web, importer_console, importer_operator;

CREATE FUNCTION helpdesk.remove_mailbox_checks(page integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    removed integer;
BEGIN
    DELETE FROM helpdesk.mailbox_checks WHERE id IN (
        SELECT id FROM helpdesk.mailbox_checks WHERE at < now() - interval '90 days' ORDER BY at LIMIT page);
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN removed;
END $$;
COMMENT ON FUNCTION helpdesk.remove_mailbox_checks IS 'removes so many rows of the mailboxes'' log that are older than 90 days, the oldest first; how many';
REVOKE ALL ON FUNCTION helpdesk.remove_mailbox_checks FROM PUBLIC;
GRANT EXECUTE ON FUNCTION helpdesk.remove_mailbox_checks TO importer_operator;
