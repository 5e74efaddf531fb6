-- ── repairs: what people's tools do about mails, dead letters, notifications, old mail, numbers and reviews ────────
-- The services write the same columns for each mail: their roles are passed over before any function is called.

CREATE FUNCTION helpdesk.audit_repair() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE -- what was done, the column that names the row, the columns that tell it
    was CONSTANT jsonb := to_jsonb(OLD);
    becomes CONSTANT jsonb := to_jsonb(NEW);
    said CONSTANT text[] := string_to_array(TG_ARGV[2], ',');
BEGIN
    PERFORM helpdesk.record_audit('repair', TG_ARGV[0], TG_TABLE_NAME, becomes ->> TG_ARGV[1],
        (becomes ->> 'helpdesk_id')::bigint, (becomes ->> 'mail_id')::uuid,
        (SELECT jsonb_object_agg(key, value) FROM jsonb_each(was) WHERE key = ANY (said) AND value <> 'null'),
        (SELECT jsonb_object_agg(key, value) FROM jsonb_each(becomes) WHERE key = ANY (said) AND value <> 'null'));
    RETURN NULL;
END $$;
COMMENT ON FUNCTION helpdesk.audit_repair IS 'records a repair of a row (what was done, the column that names it, columns that tell it)';

CREATE TRIGGER z_audit_forced AFTER INSERT ON imported_mails FOR EACH ROW WHEN (NEW.force_number > 0)
    EXECUTE FUNCTION helpdesk.audit_repair('forced', 'mail_id', 'forced_from,force_number,choice');
CREATE TRIGGER z_audit_replayed AFTER UPDATE OF replay_number ON imported_mails
    FOR EACH ROW WHEN (NEW.replay_number <> OLD.replay_number)
    EXECUTE FUNCTION helpdesk.audit_repair('replayed', 'mail_id', 'replay_number,choice');
CREATE TRIGGER z_audit_discarded AFTER UPDATE OF reasons ON imported_mails
    FOR EACH ROW WHEN (session_user <> 'importer_ticket_writer'
        AND NEW.reasons @> '[{"id": "discarded-by-person"}]' AND NOT OLD.reasons @> '[{"id": "discarded-by-person"}]')
    EXECUTE FUNCTION helpdesk.audit_repair('discarded', 'mail_id', 'reasons');
CREATE TRIGGER z_audit_chosen AFTER UPDATE OF backlog_choice ON mailbox_states
    FOR EACH ROW WHEN (NEW.backlog_choice IS NOT NULL AND session_user <> 'importer_fetcher')
    EXECUTE FUNCTION helpdesk.audit_repair('chosen-for-old-mail', 'helpdesk_id', 'backlog_choice,backlog_chosen_until,backlog_waiting');
CREATE TRIGGER z_audit_sent_now AFTER UPDATE OF next_try_at ON notifications
    FOR EACH ROW WHEN (session_user <> 'importer_notifier' AND pg_trigger_depth() = 0)
    EXECUTE FUNCTION helpdesk.audit_repair('sent-now', 'id', 'next_try_at');
CREATE TRIGGER z_audit_closed AFTER UPDATE OF resolved_at ON dead_letters
    FOR EACH ROW WHEN (NEW.resolved_at IS DISTINCT FROM OLD.resolved_at AND pg_trigger_depth() = 0)
    EXECUTE FUNCTION helpdesk.audit_repair('closed-dead-letter', 'id', 'queue,reason,resolved_at');
CREATE TRIGGER z_audit_accepted AFTER UPDATE OF needs_review ON tickets
    FOR EACH ROW WHEN (OLD.needs_review AND NOT NEW.needs_review)
    EXECUTE FUNCTION helpdesk.audit_repair('accepted', 'id', 'needs_review');
CREATE TRIGGER z_audit_accepted AFTER UPDATE OF needs_review ON supplements
    FOR EACH ROW WHEN (OLD.needs_review AND NOT NEW.needs_review)
    EXECUTE FUNCTION helpdesk.audit_repair('accepted', 'id', 'needs_review,held_for_review,changed_by_employee_id');
CREATE TRIGGER z_audit_asked AFTER INSERT ON review_requests
    FOR EACH ROW EXECUTE FUNCTION helpdesk.audit_repair('asked-to-accept', 'id', 'employee_id');

-- Old numbers come by the hundred thousand: one row a statement.
CREATE FUNCTION helpdesk.audit_aliases() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF pg_trigger_depth() = 1 AND EXISTS (SELECT FROM added) THEN
        PERFORM helpdesk.record_audit('repair', 'added', 'ticket_numbers', NULL, NULL, NULL, NULL,
            (SELECT jsonb_build_object('aliases', count(*), 'first', min(number), 'last', max(number)) FROM added));
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION helpdesk.audit_aliases IS 'records old numbers that were added to tickets';
CREATE TRIGGER z_audit AFTER INSERT ON ticket_numbers REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT WHEN (session_user <> 'importer_ticket_writer') EXECUTE FUNCTION helpdesk.audit_aliases();
