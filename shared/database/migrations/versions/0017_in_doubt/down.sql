ALTER TABLE notifications DROP COLUMN doubtful_tries;
