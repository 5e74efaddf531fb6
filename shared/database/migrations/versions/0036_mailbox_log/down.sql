DROP FUNCTION helpdesk.remove_mailbox_checks;
DROP TABLE mailbox_checks;
ALTER TABLE mailbox_states DROP COLUMN quiet_checks, DROP COLUMN quiet_ms, DROP COLUMN quiet_longest_ms;
