-- ── what a mailbox still holds ─────────────────────────────────────────────────────────────────────────────────────

ALTER TABLE mailbox_states
    ADD COLUMN import_left    integer CHECK (import_left >= 0),
    ADD COLUMN import_left_at timestamptz,
    ADD CONSTRAINT what_is_left_has_a_moment CHECK ((import_left IS NULL) = (import_left_at IS NULL));
COMMENT ON COLUMN mailbox_states.import_left IS 'Mails that the mailbox held and that were to be taken in yet, as a check with many of them saw it; null: none did. What came later is not among them.';
COMMENT ON COLUMN mailbox_states.import_left_at IS 'When it saw that.';
GRANT UPDATE (import_left, import_left_at) ON mailbox_states TO importer_fetcher;

-- Another mailbox begins without.
CREATE OR REPLACE FUNCTION helpdesk.reset_mailbox_state() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO helpdesk.mailbox_states (helpdesk_id) VALUES (NEW.helpdesk_id)
    ON CONFLICT (helpdesk_id) DO UPDATE SET
        last_successful_check_at = NULL, last_check_at = NULL, next_check_at = '-infinity',
        failed_checks = 0, problem = NULL, problem_kind = NULL, problem_since = NULL, sync_state = NULL,
        backlog_waiting = 0, backlog_oldest_at = NULL, backlog_newest_at = NULL,
        backlog_choice = NULL, backlog_chosen_at = NULL, backlog_chosen_until = NULL,
        import_left = NULL, import_left_at = NULL;
    RETURN NULL;
END $$;

-- ── a row of the mailbox's log for checks that failed alike ────────────────────────────────────────────────────────

ALTER TABLE mailbox_checks ADD COLUMN alike integer NOT NULL DEFAULT 0 CHECK (alike >= 0);
COMMENT ON COLUMN mailbox_checks.alike IS 'Checks of the hour after it that the same kind of problem kept from their mail, in other words; problem has the last of these. They are among the checks between this row and the next, too.';
GRANT SELECT (id, helpdesk_id, at, problem_kind, alike), UPDATE (problem, alike) ON mailbox_checks TO importer_fetcher;

-- The work list Quarantaine is found by the index of what nobody decided, imported_mails_undecided.
DROP INDEX imported_mails_not_discarded;
