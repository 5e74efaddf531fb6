REVOKE UPDATE (sync_state) ON mailbox_states FROM importer_fetcher;
COMMENT ON COLUMN mailbox_states.sync_state IS 'What the mailbox''s adapter remembers between checks.';
UPDATE mailbox_states SET sync_state = NULL WHERE sync_state IS NOT NULL;
ALTER TABLE importer_settings DROP COLUMN read_mail_from;
