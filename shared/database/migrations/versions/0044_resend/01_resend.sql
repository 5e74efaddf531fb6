-- ── a person may have a mail out sent once more ────────────────────────────────────────────────────────────────────
-- A row of its own, so that the earlier one keeps its outcome and its Message-ID, by which reports find it. Each mail is
-- repeated once at most: who wants it again repeats the newest. An older ticket_writer adds no such rows, and its own
-- are unique as before; an older notifier sends them as any other (of a summary it tells the first entry alone). The key
-- is built again: this one table waits meanwhile, seconds for a million mails.

ALTER TABLE notifications
    ADD COLUMN resend_of uuid REFERENCES notifications,
    ADD CONSTRAINT notifications_mail_id_kind_resend_of_key UNIQUE NULLS NOT DISTINCT (mail_id, kind, resend_of),
    ADD CONSTRAINT no_mail_repeats_itself CHECK (resend_of <> id);
ALTER TABLE notifications DROP CONSTRAINT notifications_mail_id_kind_key;
COMMENT ON COLUMN notifications.resend_of IS 'The mail that a person had sent once more with this one; null: it was decided with the ticket.';
GRANT SELECT (recipient_key, recipient_employee_id, recipient_person_id, counted_address, counted_domain, resend_of) ON notifications TO importer_web;

CREATE FUNCTION helpdesk.recipient_now(of_notification uuid, OUT name text, OUT address text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN mail.kind <> 'ticket-added-customer' THEN coalesce(employee.name, '') ELSE mail.recipient_name END,
        CASE
            WHEN mail.recipient_person_id IS NOT NULL THEN (
                SELECT his.address FROM helpdesk.person_addresses AS his WHERE his.person_id = mail.recipient_person_id
                ORDER BY his.address_key = lower(mail.recipient_address) DESC, his.id LIMIT 1)
            WHEN mail.recipient_employee_id IS NOT NULL AND mail.kind = 'ticket-added-customer' THEN (
                SELECT his.address FROM helpdesk.employee_addresses AS his
                WHERE his.employee_id = mail.recipient_employee_id
                ORDER BY his.address_key = lower(mail.recipient_address) DESC, his.position LIMIT 1)
            WHEN mail.recipient_employee_id IS NOT NULL THEN (
                SELECT his.address FROM helpdesk.employee_addresses AS his
                WHERE his.employee_id = mail.recipient_employee_id AND employee.active
                ORDER BY his.position LIMIT 1)
            WHEN mail.kind <> 'ticket-added-customer' THEN helpdesk.fallback_recipient
            WHEN mail.recipient_address NOT LIKE '%@erased.invalid' THEN mail.recipient_address
        END
    FROM helpdesk.notifications AS mail
    JOIN helpdesk.helpdesks AS helpdesk ON helpdesk.id = mail.helpdesk_id
    LEFT JOIN helpdesk.employees AS employee ON employee.id = mail.recipient_employee_id
    WHERE mail.id = of_notification $$;
COMMENT ON FUNCTION helpdesk.recipient_now IS 'where a mail would go if it were sent now: the address that it had where that is still his, else the first of his; staff are mailed at their first; null: he has none';
REVOKE ALL ON FUNCTION helpdesk.recipient_now FROM PUBLIC;
GRANT EXECUTE ON FUNCTION helpdesk.recipient_now TO importer_console, importer_operator, importer_web;

-- A function, since whoever may add planned rows could mail whom he likes.
CREATE FUNCTION helpdesk.resend_notification(of_notification uuid, to_address text, counted_as text, in_domain text)
    RETURNS uuid LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    again helpdesk.notifications;
BEGIN
    INSERT INTO helpdesk.notifications (id, mail_id, kind, helpdesk_id, ticket_id, supplement_id, recipient_name,
        recipient_address, recipient_employee_id, recipient_person_id, state, next_try_at, to_stranger, counted_address,
        counted_domain, collects_until, resend_of)
    SELECT gen_random_uuid(), mail.mail_id, mail.kind, mail.helpdesk_id, mail.ticket_id, mail.supplement_id,
        recipient.name, recipient.address, mail.recipient_employee_id, mail.recipient_person_id, 'planned', now(),
        mail.to_stranger, counted_as, in_domain, CASE WHEN mail.collects_until IS NOT NULL THEN now() END, mail.id
    FROM helpdesk.notifications AS mail, helpdesk.recipient_now(mail.id) AS recipient
    WHERE mail.id = of_notification AND recipient.address = to_address
        AND (mail.state IN ('sent', 'failed') OR mail.state = 'not-sent' AND mail.reason = 'discarded-by-person')
    ON CONFLICT ON CONSTRAINT notifications_mail_id_kind_resend_of_key DO NOTHING
    RETURNING * INTO again;
    IF again.id IS NOT NULL THEN
        PERFORM helpdesk.record_audit('repair', 'resent', 'notifications', again.id::text, again.helpdesk_id,
            again.mail_id, NULL, jsonb_build_object('resend_of', again.resend_of));
    END IF;
    RETURN again.id;
END $$;
COMMENT ON FUNCTION helpdesk.resend_notification IS 'plans a mail once more that was sent, failed or was discarded, to this address if that is where it would go now; its id, or null where it was resent already or may not be';
REVOKE ALL ON FUNCTION helpdesk.resend_notification FROM PUBLIC;
GRANT EXECUTE ON FUNCTION helpdesk.resend_notification TO importer_console, importer_operator, importer_web;
