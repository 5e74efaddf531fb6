-- ── a sender who floods is slowed ──────────────────────────────────────────────────────────────────────────────────
-- What he sends beyond his helpdesk's number an hour waits its turn, in its order, four hours at most; nothing is dropped.
-- An older classifier holds nothing, and takes what is held when it is published again.

ALTER TABLE importer_settings ADD COLUMN mails_per_sender_per_hour integer DEFAULT 300
    CONSTRAINT mails_per_sender_in_bounds CHECK (mails_per_sender_per_hour BETWEEN 1 AND 1000000);
COMMENT ON COLUMN importer_settings.mails_per_sender_per_hour IS 'So many mails of one sender («Mails per afzender per uur») are taken in within an hour; more wait their turn, four hours at most. Null: as many as come.';
GRANT SELECT (mails_per_sender_per_hour), INSERT (mails_per_sender_per_hour), UPDATE (mails_per_sender_per_hour)
    ON importer_settings TO importer_console, importer_operator, importer_web;
GRANT SELECT (mails_per_sender_per_hour) ON importer_settings TO importer_classifier;

CREATE TABLE sender_budgets (
    helpdesk_id bigint NOT NULL REFERENCES helpdesks ON DELETE CASCADE,
    sender      bytea NOT NULL CHECK (octet_length(sender) = 32),
    spent_until timestamptz NOT NULL,
    PRIMARY KEY (helpdesk_id, sender)
);
CREATE INDEX sender_budgets_spent ON sender_budgets (spent_until);
COMMENT ON TABLE sender_budgets IS 'What senders who send much have used of their hour (a leaky bucket); rows go a day after it is full again.';
COMMENT ON COLUMN sender_budgets.helpdesk_id IS 'The helpdesk whose mailbox they write to.';
COMMENT ON COLUMN sender_budgets.sender IS 'SHA-256 of the address as it is delivered to, of whether a trusted check vouches for it, and of the ticket that is answered.';
COMMENT ON COLUMN sender_budgets.spent_until IS 'When all that was sent would have come at an even pace; an hour ahead of now: the hour''s number is used up.';

CREATE TABLE held_mails (
    mail_id        uuid PRIMARY KEY REFERENCES imported_mails ON DELETE CASCADE,
    helpdesk_id    bigint NOT NULL REFERENCES helpdesks ON DELETE CASCADE,
    sender_address text NOT NULL,
    held_at        timestamptz NOT NULL DEFAULT now(),
    held_until     timestamptz NOT NULL
);
CREATE INDEX held_mails_until ON held_mails (held_until);
COMMENT ON TABLE held_mails IS 'Mails beyond their sender''s number an hour, that wait or waited for their turn; rows go a day after it.';
COMMENT ON COLUMN held_mails.mail_id IS 'The mail.';
COMMENT ON COLUMN held_mails.helpdesk_id IS 'Its helpdesk.';
COMMENT ON COLUMN held_mails.sender_address IS 'Its sender, for people to see.';
COMMENT ON COLUMN held_mails.held_at IS 'Since when it waits.';
COMMENT ON COLUMN held_mails.held_until IS 'When it goes on: it is published again then.';
GRANT SELECT ON held_mails TO importer_console, importer_operator, importer_web;
GRANT SELECT (mail_id, held_until) ON held_mails TO importer_fetcher, importer_reconciler;

-- `mails`: rows of place, mail_id, helpdesk_id, sender (hexadecimal) and address, in the order in which they came. Returns
-- those that are to wait. Said again of the same mail it says the same, and counts it once. Not counted: what has its
-- outcome, and what a person wants imported (forced, replayed, or old mail that he chose).
CREATE FUNCTION helpdesk.hold_floods(mails jsonb) RETURNS TABLE (mail_id uuid, held_until timestamptz)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    -- what a crash takes of this is no loss: the mail is in the ledger, and published again within the hour
    PERFORM set_config('synchronous_commit', 'off', true);
    DELETE FROM helpdesk.held_mails WHERE held_until < now() - interval '1 day';
    DELETE FROM helpdesk.sender_budgets WHERE spent_until < now() - interval '1 day';
    RETURN QUERY
    WITH asked AS (
        SELECT given.place, given.mail_id, given.helpdesk_id, decode(given.sender, 'hex') AS sender, given.address,
            interval '1 hour' / settings.mails_per_sender_per_hour AS share, held.held_until
        FROM jsonb_to_recordset(mails) AS given (place integer, mail_id uuid, helpdesk_id bigint, sender text, address text)
            JOIN helpdesk.importer_settings AS settings ON settings.helpdesk_id = given.helpdesk_id
            JOIN helpdesk.imported_mails AS mail
                ON mail.mail_id = given.mail_id AND mail.helpdesk_id = given.helpdesk_id
            LEFT JOIN helpdesk.held_mails AS held ON held.mail_id = given.mail_id
        WHERE settings.mails_per_sender_per_hour IS NOT NULL AND mail.outcome IS NULL AND mail.choice IS NULL
            AND mail.force_number = 0
    ), counted AS (
        SELECT asked.*, row_number() OVER (PARTITION BY helpdesk_id, sender ORDER BY place) AS nth,
            count(*) OVER (PARTITION BY helpdesk_id, sender) AS all_of_them
        FROM asked WHERE held_until IS NULL
    ), spent AS (
        INSERT INTO helpdesk.sender_budgets AS budget (helpdesk_id, sender, spent_until)
        SELECT helpdesk_id, sender, now() + count(*) * min(share) FROM counted
        GROUP BY helpdesk_id, sender ORDER BY helpdesk_id, sender  -- one order: no two batches wait for one another
        ON CONFLICT ON CONSTRAINT sender_budgets_pkey DO UPDATE
            SET spent_until = greatest(budget.spent_until, now()) + (excluded.spent_until - now())
        RETURNING budget.helpdesk_id, budget.sender, budget.spent_until
    ), due AS (
        SELECT counted.mail_id, counted.helpdesk_id, counted.address,
            least(spent.spent_until - (all_of_them - nth) * share - interval '1 hour', now() + interval '4 hours') AS at
        FROM counted JOIN spent USING (helpdesk_id, sender)
    ), held AS (
        INSERT INTO helpdesk.held_mails (mail_id, helpdesk_id, sender_address, held_until)
        SELECT due.mail_id, due.helpdesk_id, due.address, due.at FROM due WHERE due.at > now()
        ON CONFLICT DO NOTHING
        RETURNING held_mails.mail_id, held_mails.held_until
    ), waiting AS (
        SELECT held.mail_id, held.held_until FROM held
        UNION ALL
        SELECT asked.mail_id, asked.held_until FROM asked WHERE asked.held_until > now()
    ), later AS (
        UPDATE helpdesk.imported_mails AS mail SET next_republish_at = waiting.held_until
        FROM waiting WHERE mail.mail_id = waiting.mail_id
    )
    SELECT waiting.mail_id, waiting.held_until FROM waiting;
    -- however long he goes on, his hour is full again five hours after he stops: nothing waits longer than four
    UPDATE helpdesk.sender_budgets SET spent_until = now() + interval '5 hours'
    WHERE spent_until > now() + interval '5 hours';
END $$;
COMMENT ON FUNCTION helpdesk.hold_floods IS 'Counts mails against their senders'' number an hour, and says which wait until when.';

CREATE FUNCTION helpdesk.release_floods(of_helpdesk bigint, of_sender text) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH released AS (
        UPDATE helpdesk.held_mails SET held_until = now()
        WHERE held_until > now() AND (of_helpdesk IS NULL OR helpdesk_id = of_helpdesk)
            AND (of_sender IS NULL OR lower(sender_address) = lower(of_sender))
        RETURNING mail_id
    ), due AS (
        UPDATE helpdesk.imported_mails AS mail SET next_republish_at = now()
        FROM released WHERE mail.mail_id = released.mail_id RETURNING 1
    )
    SELECT count(*) FROM due
$$;
COMMENT ON FUNCTION helpdesk.release_floods IS 'Lets mails go on at once that wait for their sender''s turn: of a helpdesk, of a sender, or all (nulls); how many.';
REVOKE ALL ON FUNCTION helpdesk.hold_floods, helpdesk.release_floods FROM PUBLIC;
GRANT EXECUTE ON FUNCTION helpdesk.hold_floods TO importer_classifier;
GRANT EXECUTE ON FUNCTION helpdesk.release_floods TO importer_console, importer_operator;
