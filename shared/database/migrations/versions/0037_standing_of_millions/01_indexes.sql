-- Not CONCURRENTLY, as in 0013: some seconds for a million mails.

-- What the day brought. A row is written behind those before it, so that a summary of each range of pages is enough: it
-- costs the pipeline next to nothing, where a tree would be written with every change of a mail.
CREATE INDEX imported_mails_outcome_at ON imported_mails USING brin (outcome_at)
    WITH (pages_per_range = 16, autosummarize = on);
CREATE INDEX notifications_sent_at ON notifications USING brin ((coalesce(sent_at, created_at)))
    WITH (pages_per_range = 16, autosummarize = on);

-- Quarantined mails that wait for a person, without all those that one, or his rule, has decided.
CREATE INDEX imported_mails_undecided ON imported_mails (helpdesk_id, outcome_at)
    WHERE outcome = 'quarantine'
        AND NOT reasons @> '[{"id": "discarded-by-person"}]'
        AND NOT reasons @> '[{"id": "marked-read-by-person"}]'
        AND NOT reasons @> '[{"id": "sender-blocked"}]'
        AND NOT reasons @> '[{"id": "list-blocked"}]';

-- The work list Quarantaine, the newest first.
CREATE INDEX imported_mails_not_discarded ON imported_mails (helpdesk_id, received_at DESC)
    WHERE outcome = 'quarantine' AND NOT reasons @> '[{"id": "discarded-by-person"}]';

-- Aliases, which are held against the pattern of ticket numbers.
CREATE INDEX ticket_numbers_aliases ON ticket_numbers (number) WHERE is_alias;

-- The index of senders is a partial one, of which the planner takes no statistics: without these it supposes that each
-- sender wrote one mail of two hundred, and reads the whole ledger for one who wrote two.
CREATE STATISTICS imported_mails_senders ON (lower(sender_address)) FROM imported_mails;
ANALYZE imported_mails (sender_address);
