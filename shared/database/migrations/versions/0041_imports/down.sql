CREATE INDEX imported_mails_not_discarded ON imported_mails (helpdesk_id, received_at DESC)
    WHERE outcome = 'quarantine' AND NOT reasons @> '[{"id": "discarded-by-person"}]';
REVOKE SELECT (id, helpdesk_id, at, problem_kind, alike), UPDATE (problem, alike) ON mailbox_checks FROM importer_fetcher;
ALTER TABLE mailbox_checks DROP COLUMN alike;

CREATE OR REPLACE FUNCTION helpdesk.reset_mailbox_state() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO helpdesk.mailbox_states (helpdesk_id) VALUES (NEW.helpdesk_id)
    ON CONFLICT (helpdesk_id) DO UPDATE SET
        last_successful_check_at = NULL, last_check_at = NULL, next_check_at = '-infinity',
        failed_checks = 0, problem = NULL, problem_kind = NULL, problem_since = NULL, sync_state = NULL,
        backlog_waiting = 0, backlog_oldest_at = NULL, backlog_newest_at = NULL,
        backlog_choice = NULL, backlog_chosen_at = NULL, backlog_chosen_until = NULL;
    RETURN NULL;
END $$;
ALTER TABLE mailbox_states DROP COLUMN import_left, DROP COLUMN import_left_at;
