-- ── mail that was read before the importer saw it ──────────────────────────────────────────────────────────────────
-- An older fetcher knows nothing of it and imports unread mail alone.

ALTER TABLE importer_settings ADD COLUMN read_mail_from timestamptz;
COMMENT ON COLUMN importer_settings.read_mail_from IS '«Ook gelezen mail importeren vanaf»: mail that arrived then or later is imported too when somebody read it before the importer looked; null: unread mail alone (W1).';
COMMENT ON COLUMN mailbox_states.sync_state IS 'How far the mailbox was followed, for read_mail_from: the setting''s moment (since), the moment of the look (until), and what the server is asked from the next time (state); null: not at all.';
GRANT SELECT (read_mail_from) ON importer_settings TO importer_fetcher, importer_console, importer_operator;
GRANT INSERT (read_mail_from), UPDATE (read_mail_from) ON importer_settings TO importer_console, importer_operator;
GRANT SELECT (sync_state), UPDATE (sync_state) ON mailbox_states TO importer_fetcher;
