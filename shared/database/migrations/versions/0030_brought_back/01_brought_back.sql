-- ── a database that was brought back to an earlier moment ──────────────────────────────────────────────────────────
-- What was imported after the moment is not in the ledger, and read in its mailbox: once, read mail is new too.
-- An older fetcher does not look for it, and leaves the column as it is.

ALTER TABLE mailbox_states
    ADD COLUMN read_again_from   timestamptz,
    ADD COLUMN read_again_until  timestamptz,
    ADD COLUMN read_again_silent boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN mailbox_states.read_again_from IS 'Mail that arrived then or later is taken in once more where the ledger does not know it, whoever read it and also in the folder that imported mail is moved to: the database was brought back to about then. Null: it is done, or was never needed.';
COMMENT ON COLUMN mailbox_states.read_again_until IS 'Until when mail may have been imported that the ledger does not know any more: the moment that it was brought back.';
COMMENT ON COLUMN mailbox_states.read_again_silent IS 'Whether that mail causes no mails (M2–M4): a person said so.';
GRANT SELECT (read_again_from, read_again_until, read_again_silent), UPDATE (read_again_from, read_again_until, read_again_silent)
    ON mailbox_states TO importer_fetcher;
GRANT SELECT (read_again_from, read_again_until, read_again_silent), UPDATE (read_again_silent)
    ON mailbox_states TO importer_console, importer_operator;

-- The rule for numbers. Those given after the moment are in customers' mails and must never name another ticket. So the
-- next number lies beyond what was given, which is known from the database that is replaced (`last_number`), else judged:
-- a thousand, and four times the busiest day of the last ninety for each day that was lost, a day begun being one.
CREATE FUNCTION helpdesk.note_brought_back(moment timestamptz, last_number bigint,
    OUT next_number bigint, OUT mailboxes bigint, OUT mails bigint)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    before jsonb := helpdesk.installation_told();
    reached bigint := (SELECT last_value FROM helpdesk.ticket_number_seq);
    busiest bigint := (SELECT coalesce(max(of_day), 0) FROM (
        SELECT count(*) AS of_day FROM helpdesk.tickets WHERE created_at > moment - interval '90 days'
        GROUP BY date_trunc('day', created_at)) AS days);
    lost_days bigint := ceil(extract(epoch FROM now() - moment) / 86400);
BEGIN
    IF moment > now() THEN
        RAISE EXCEPTION 'A database is brought back to an earlier moment.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'brought_back_to_the_past';
    END IF;
    -- said twice of one restore (the command was repeated): the earlier moment holds, and numbers jump once
    IF EXISTS (SELECT FROM helpdesk.installation WHERE restored_to = moment) THEN
        reached := greatest(reached - 1, coalesce(last_number, 0));
    ELSE
        reached := greatest(reached, coalesce(last_number, reached + 1000 + 4 * busiest * lost_days));
    END IF;
    next_number := reached + 1;
    PERFORM setval('helpdesk.ticket_number_seq', next_number, false);

    UPDATE helpdesk.installation SET restored_at = now(), restored_to = least(restored_to, moment);

    -- A check that succeeded saw all that was unread, so that what arrived earlier is known, save old mail that waits.
    UPDATE helpdesk.mailbox_states AS state SET lease_holder = NULL, lease_until = '-infinity', sync_state = NULL,
        read_again_until = now(), read_again_silent = false,
        read_again_from = least(state.read_again_from, moment - interval '1 hour', state.backlog_oldest_at,
            CASE WHEN settings.enabled
                THEN coalesce(state.last_successful_check_at, moment - interval '30 days') - interval '1 hour' END)
    FROM helpdesk.importer_settings AS settings
    WHERE settings.helpdesk_id = state.helpdesk_id;
    GET DIAGNOSTICS mailboxes = ROW_COUNT;

    -- The queues are emptied: what they held that is known here is published at once, not after an hour.
    UPDATE helpdesk.imported_mails SET next_republish_at = now() WHERE awaits_outcome;
    GET DIAGNOSTICS mails = ROW_COUNT;
    UPDATE helpdesk.notifications SET lease_holder = NULL, lease_until = NULL
    WHERE state = 'planned' AND lease_holder IS NOT NULL;

    PERFORM helpdesk.record_audit('installation', 'brought back', 'installation', NULL, NULL, NULL, before,
        jsonb_build_object('restored_to', moment, 'next_number', next_number, 'mailboxes_read_again', mailboxes));
END $$;
COMMENT ON FUNCTION helpdesk.note_brought_back IS 'prepares a database that was brought back to a moment, while nothing runs on it: numbers given since (last_number, null: judged) are not given again, mailboxes are read again, nothing is read or sent until it is confirmed; the next number, mailboxes, mails to be published again';
REVOKE ALL ON FUNCTION helpdesk.note_brought_back FROM PUBLIC;
GRANT EXECUTE ON FUNCTION helpdesk.note_brought_back TO importer_console, importer_operator;
