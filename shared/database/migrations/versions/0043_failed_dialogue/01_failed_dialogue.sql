-- ── what was said in the last check that failed ────────────────────────────────────────────────────────────────────
-- Steps of fixed words, numbers, and the settings' own host and port: nothing that the server wrote freely, no name of a
-- person and no secret. The next check that fails writes it anew; a good one leaves it.

ALTER TABLE mailbox_states
    ADD COLUMN failed_dialogue    jsonb
        CHECK (jsonb_typeof(failed_dialogue) = 'array' AND jsonb_array_length(failed_dialogue) BETWEEN 1 AND 40),
    ADD COLUMN failed_dialogue_at timestamptz,
    ADD CONSTRAINT a_dialogue_has_a_moment CHECK ((failed_dialogue IS NULL) = (failed_dialogue_at IS NULL));
COMMENT ON COLUMN mailbox_states.failed_dialogue IS 'What was asked of the mail server and what came, in the last check that failed: the last steps of it, each with milliseconds since the check began and those that the answer took (null: none came), what was asked and what came. Without secrets, names and text of the server''s. Null: no check of this mailbox failed yet.';
COMMENT ON COLUMN mailbox_states.failed_dialogue_at IS 'When that check ended.';
GRANT SELECT (failed_dialogue, failed_dialogue_at), UPDATE (failed_dialogue, failed_dialogue_at)
    ON mailbox_states TO importer_fetcher;

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
        import_left = NULL, import_left_at = NULL, failed_dialogue = NULL, failed_dialogue_at = NULL;
    RETURN NULL;
END $$;
