ALTER TABLE notifications ADD COLUMN doubtful_tries integer NOT NULL DEFAULT 0
    CONSTRAINT doubtful_tries_are_counted CHECK (doubtful_tries >= 0);
COMMENT ON COLUMN notifications.doubtful_tries IS
    'How many tries a server may have taken without saying so; the mail may have arrived as often.';
GRANT UPDATE (doubtful_tries) ON notifications TO importer_notifier;
