-- ── a person may pause a mailbox and hold mail out ─────────────────────────────────────────────────────────────────
-- An older fetcher reads a paused mailbox, and an older notifier sends what is held: upgrade them before you brake.

ALTER TABLE importer_settings
    ADD COLUMN paused_since  timestamptz,
    ADD COLUMN paused_reason text NOT NULL DEFAULT '';
COMMENT ON COLUMN importer_settings.paused_since IS 'Since when a person keeps the mailbox from being read; null: it is read.';
COMMENT ON COLUMN importer_settings.paused_reason IS 'Why, in his words.';
GRANT SELECT (paused_since) ON importer_settings TO importer_fetcher;
GRANT SELECT (paused_since, paused_reason), UPDATE (paused_since, paused_reason) ON importer_settings
    TO importer_console, importer_operator;

CREATE TABLE outgoing_holds (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    helpdesk_id bigint REFERENCES helpdesks ON DELETE CASCADE,
    held_since  timestamptz NOT NULL DEFAULT now(),
    reason      text NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX held_once ON outgoing_holds (coalesce(helpdesk_id, 0));
COMMENT ON TABLE outgoing_holds IS 'While a row is here, the notifier sends no mail of that helpdesk; it waits, planned.';
COMMENT ON COLUMN outgoing_holds.id IS 'Identity, given by the database.';
COMMENT ON COLUMN outgoing_holds.helpdesk_id IS 'Whose mail is held; null: that of all.';
COMMENT ON COLUMN outgoing_holds.held_since IS 'Since when.';
COMMENT ON COLUMN outgoing_holds.reason IS 'Why, in the words of who did it.';
GRANT SELECT (helpdesk_id) ON outgoing_holds TO importer_notifier, importer_web;
GRANT SELECT, INSERT (helpdesk_id, reason), DELETE ON outgoing_holds TO importer_console, importer_operator;
CREATE TRIGGER z_audit AFTER INSERT OR DELETE ON outgoing_holds
    FOR EACH ROW EXECUTE FUNCTION helpdesk.audit_settings('id', '');

-- A function, since whoever may write `state` could have a mail sent twice.
CREATE FUNCTION helpdesk.discard_held_mails(of_helpdesk bigint, these uuid[], OUT discarded bigint)
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH discarded AS (
        UPDATE helpdesk.notifications AS mail
        SET state = 'not-sent', reason = 'discarded-by-person', lease_holder = NULL, lease_until = NULL
        WHERE mail.state = 'planned' AND coalesce(mail.lease_until < now(), true)
            AND (of_helpdesk IS NULL OR mail.helpdesk_id = of_helpdesk) AND (these IS NULL OR mail.id = ANY (these))
            AND EXISTS (SELECT FROM helpdesk.outgoing_holds AS hold
                WHERE hold.helpdesk_id IS NULL OR hold.helpdesk_id = mail.helpdesk_id)
        RETURNING mail.id)
    SELECT count(*) FROM discarded $$;
COMMENT ON FUNCTION helpdesk.discard_held_mails IS 'never sends planned mails that are held and in no notifier''s hands (of a helpdesk or all, these or all); how many';
REVOKE ALL ON FUNCTION helpdesk.discard_held_mails FROM PUBLIC;
GRANT EXECUTE ON FUNCTION helpdesk.discard_held_mails TO importer_console, importer_operator;
CREATE TRIGGER z_audit_discarded AFTER UPDATE OF state ON notifications
    FOR EACH ROW WHEN (OLD.state = 'planned' AND NEW.state = 'not-sent' AND NEW.reason = 'discarded-by-person')
    EXECUTE FUNCTION helpdesk.audit_repair('discarded', 'id', 'state,reason');
