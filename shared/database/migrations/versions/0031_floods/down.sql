-- What waits has its time in imported_mails.next_republish_at, and goes on then.
DROP FUNCTION helpdesk.release_floods;
DROP FUNCTION helpdesk.hold_floods;
DROP TABLE held_mails;
DROP TABLE sender_budgets;
ALTER TABLE importer_settings DROP COLUMN mails_per_sender_per_hour;
