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
ALTER TABLE mailbox_states DROP COLUMN failed_dialogue, DROP COLUMN failed_dialogue_at;
