DROP STATISTICS imported_mails_senders;
DROP INDEX ticket_numbers_aliases;
DROP INDEX imported_mails_not_discarded;
DROP INDEX imported_mails_undecided;
DROP INDEX notifications_sent_at;
DROP INDEX imported_mails_outcome_at;
