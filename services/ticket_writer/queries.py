"""The SQL of ticket_writer, named. `repository` runs it and says in which order; parameters stand at each query."""

from __future__ import annotations

from typing import Final

LOCK_MAIL: Final = """
    -- $1 mail_id, $2 keys of advisory locks, ascending
    WITH locked AS MATERIALIZED (SELECT pg_advisory_xact_lock(key) FROM unnest($2::bigint[]) AS key)
    SELECT outcome, decided_replay, helpdesk_id, raw_sha256, (SELECT count(*) FROM locked) AS locks
    FROM imported_mails WHERE mail_id = $1 FOR NO KEY UPDATE
"""

_CLOSED_TOO_LONG: Final = """
    coalesce(status.category = 'closed' AND coalesce(ticket.completed_at, ticket.changed_at)
        < (%s)::timestamptz - make_interval(days => importer.new_ticket_after_days), false)
"""
"""Whether a mail that arrives then finds its ticket closed for longer than the helpdesk goes on with it (SPEC D1)."""

LOCK_IDENTITIES: Final = """
    -- $1 keys of advisory locks, ascending
    SELECT count(pg_advisory_xact_lock(key)) FROM unnest($1::bigint[]) AS key
"""

LOCK_MAILS: Final = """
    -- $1 mails of a batch
    SELECT mail_id FROM imported_mails WHERE mail_id = ANY($1::uuid[]) ORDER BY mail_id FOR NO KEY UPDATE
"""

LOCK_TICKETS: Final = """
    -- $1 numbers and $2 Message-IDs of mails of ours, of a batch: all tickets that they may lead to, in one order
    WITH RECURSIVE way AS (
        SELECT ticket.id, ticket.merged_into_id
        FROM (SELECT ticket_id FROM notifications WHERE message_id = ANY($2::text[])
              UNION SELECT ticket_id FROM ticket_numbers WHERE number = ANY($1::text[])) AS named
            JOIN tickets AS ticket ON ticket.id = named.ticket_id
        UNION
        SELECT ticket.id, ticket.merged_into_id FROM way JOIN tickets AS ticket ON ticket.id = way.merged_into_id
    )
    SELECT id FROM tickets WHERE id IN (SELECT id FROM way WHERE merged_into_id IS NULL) ORDER BY id
    FOR NO KEY UPDATE
"""

LOCK_TICKET: Final = f"""
    -- $1 numbers in the order in which they are tried, $2 Message-ID of a mail of ours, which goes before them.
    -- $3 arrival of a mail that a ticket may have been closed too long for; null: for this one none is.
    -- Merged tickets lead to their target. The first that exists is locked; one that has been closed too long only
    -- where no other is named, so that an answer finds the ticket that goes on from it.
    WITH RECURSIVE named AS (
        SELECT ticket_id, NULL::text AS number, 0::bigint AS position FROM notifications WHERE message_id = $2
        UNION ALL
        SELECT ticket_id, tried.number, tried.position
        FROM unnest($1::text[]) WITH ORDINALITY AS tried (number, position) JOIN ticket_numbers USING (number)
    ), way AS (
        SELECT ticket.id, ticket.merged_into_id, named.number, named.position, false AS merged
        FROM named JOIN tickets AS ticket ON ticket.id = named.ticket_id
        UNION
        SELECT ticket.id, ticket.merged_into_id, way.number, way.position, true
        FROM way JOIN tickets AS ticket ON ticket.id = way.merged_into_id
    ), target AS (
        SELECT way.id, way.number, way.position, way.merged,
            way.position > 0 AND {_CLOSED_TOO_LONG % "$3"} AS closed_too_long
        FROM way
            JOIN tickets AS ticket ON ticket.id = way.id
            JOIN statuses AS status ON status.id = ticket.status_id
            LEFT JOIN importer_settings AS importer ON importer.helpdesk_id = ticket.helpdesk_id
        WHERE way.merged_into_id IS NULL
    ), chosen AS (
        SELECT id, number, position, merged FROM target ORDER BY closed_too_long, position LIMIT 1
    )
    SELECT ticket.id, ticket.merged_into_id, chosen.number, chosen.merged,
        ARRAY(SELECT tried FROM unnest($1::text[]) WITH ORDINALITY AS given (tried, place)
              WHERE place < chosen.position AND NOT EXISTS (SELECT FROM target WHERE target.number = tried)
              ORDER BY place) AS gone
    FROM chosen JOIN tickets AS ticket ON ticket.id = chosen.id
    FOR NO KEY UPDATE OF ticket
"""  # noqa: S608 - our own rule, nothing that was given

MAILBOX_FACTS: Final = """
    -- $1 helpdesk_id, $2 contacts in order, $3 employee, $4 what mails to the sender are counted by, $5 subject,
    -- $6 content key, $7 text digest, $8 Message-ID, $9 period of the limits, $10 how long an unknown recipient is left
    -- alone, $11 organisation of the sender's domain, $12 an unknown sender's domain,
    -- $13 period in which the helpdesk's mails to unknown senders are counted; null: the sender is known
    SELECT
        statement_timestamp() AS decided_at,
        helpdesk.name, helpdesk.default_ticket_type_id, helpdesk.default_priority_id, helpdesk.default_environment_id,
        helpdesk.default_ticket_manager_id, helpdesk.default_executor_id, helpdesk.recalculate_deadline,
        helpdesk.send_import_mails, helpdesk.fallback_recipient, helpdesk.summary_after,
        helpdesk.unknown_senders_per_hour,
        importer.default_employee_id, importer.old_mail_days, importer.confirm_to_employees,
        status.id AS imported_status_id,
        (SELECT jsonb_build_object('id', id, 'organisation_id', organisation_id, 'active', active)
         FROM persons WHERE id = importer.default_contact_id) AS default_contact,
        (SELECT jsonb_agg(jsonb_build_object('id', id, 'organisation_id', organisation_id, 'active', active)
                          ORDER BY asked.position)
         FROM unnest($2::bigint[]) WITH ORDINALITY AS asked (id, position) JOIN persons USING (id)) AS contacts,
        (SELECT jsonb_agg(jsonb_build_object('id', employee.id, 'name', employee.name, 'active', employee.active,
                                             'address', address.address))
         FROM employees AS employee LEFT JOIN LATERAL (
             SELECT address FROM employee_addresses WHERE employee_id = employee.id ORDER BY position LIMIT 1
         ) AS address ON true
         WHERE employee.id IN (helpdesk.default_ticket_manager_id, helpdesk.default_executor_id, $3)) AS employees,
        ARRAY(SELECT lower(mailbox_address) FROM importer_settings WHERE mailbox_address IS NOT NULL
              UNION SELECT lower(username) FROM importer_settings WHERE username LIKE '%@%'
              UNION SELECT lower(sender_address) FROM helpdesks WHERE sender_address IS NOT NULL
              UNION SELECT lower(reply_to_address) FROM helpdesks WHERE reply_to_address IS NOT NULL) AS own_addresses,
        (SELECT id FROM organisations WHERE id = $11) AS sender_organisation_id,
        sent.in_all, sent.same_subject,
        (SELECT count(*) FROM notifications WHERE coalesce(counted_domain, split_part(recipient_key, '@', 2)) = $12
            AND kind = 'ticket-added-customer' AND recipient_person_id IS NULL AND recipient_employee_id IS NULL
            AND state <> 'not-sent' AND created_at > statement_timestamp() - $9::interval) AS in_domain,
        CASE WHEN $13::interval IS NOT NULL THEN (
            SELECT count(*) FROM notifications WHERE helpdesk_id = $1
                AND kind = 'ticket-added-customer' AND recipient_person_id IS NULL AND recipient_employee_id IS NULL
                AND state IN ('planned', 'sent', 'failed') AND created_at > statement_timestamp() - $13::interval)
            END AS to_unknown,
        EXISTS (SELECT FROM notifications WHERE coalesce(counted_address, recipient_key) = $4
                AND state = 'failed' AND reason = 'unknown-recipient'
                AND created_at > statement_timestamp() - $10::interval) AS unknown_recipient,
        (SELECT jsonb_agg(jsonb_build_object(
                    'mail_id', claim.mail_id, 'helpdesk_id', claim.helpdesk_id, 'helpdesk_name', other.name,
                    'ticket_id', ticket.id, 'ticket_number', ticket.number, 'same_text', claim.text_digest = $7)
                ORDER BY claim.helpdesk_id, claim.mail_id)
         FROM content_keys AS claim
             JOIN tickets AS taken ON taken.id = claim.ticket_id
             JOIN tickets AS ticket ON ticket.id = coalesce(taken.merged_into_id, taken.id)
             JOIN helpdesks AS other ON other.id = claim.helpdesk_id
         WHERE claim.content_key = $6) AS claims,
        EXISTS (SELECT FROM imported_mails AS earlier JOIN content_keys AS claim USING (mail_id)
                WHERE earlier.message_id_header = $8 AND earlier.helpdesk_id = $1
                    AND (claim.content_key, claim.text_digest) <> ($6, $7)) AS same_message_id_differs
    FROM helpdesks AS helpdesk
        JOIN importer_settings AS importer ON importer.helpdesk_id = helpdesk.id
        LEFT JOIN statuses AS status ON status.helpdesk_id = helpdesk.id AND status.flag = 'imported'
        CROSS JOIN LATERAL (
            SELECT count(*) AS in_all, count(*) FILTER (WHERE lower(mail.subject) = lower($5::text)) AS same_subject
            FROM notifications AS notification JOIN imported_mails AS mail USING (mail_id)
            WHERE coalesce(notification.counted_address, notification.recipient_key) = $4
                AND notification.kind = 'ticket-added-customer'
                AND notification.state <> 'not-sent'
                AND notification.created_at > statement_timestamp() - $9::interval
        ) AS sent
    WHERE helpdesk.id = $1
"""

TICKET_FACTS: Final = f"""
    -- $1 ticket id, its row locked, $2 sender's address, $3 his contacts, $4 period of the limits, $5 day of arrival,
    -- $6 as $3 of LOCK_TICKET
    SELECT
        ticket.id, ticket.number, ticket.helpdesk_id, ticket.contact_id, ticket.organisation_id, ticket.deadline_at,
        ticket.planned_at, ticket.completed_at, ticket.priority_id, ticket.time_needed_hours,
        ticket.recalculate_deadline,
        helpdesk.name AS helpdesk_name, helpdesk.send_import_mails, helpdesk.fallback_recipient,
        helpdesk.summary_after,
        coalesce(importer.treat_employee_as_customer, false) AS treat_employee_as_customer,
        coalesce(importer.hold_strangers, false) AS hold_strangers,
        coalesce(importer.trim_replies, false) AS trim_replies,
        {_CLOSED_TOO_LONG % "$6"} AS closed_too_long,
        priority.resolution_minutes, calendar.time_zone, calendar.holiday_country,
        calendar.open_holidays, calendar.closed_holidays,
        to_jsonb(status) AS status, to_jsonb(portal_status) AS portal_status,
        (SELECT jsonb_build_object('id', employee.id, 'name', employee.name, 'active', employee.active, 'address', (
                    SELECT address FROM employee_addresses WHERE employee_id = employee.id ORDER BY position LIMIT 1))
         FROM employees AS employee WHERE employee.id = ticket.executor_id) AS executor,
        (SELECT jsonb_agg(jsonb_build_array(weekday, extract(epoch FROM opens)::int / 60,
                                            extract(epoch FROM closes)::int / 60))
         FROM calendar_hours WHERE calendar_id = calendar.id) AS hours,
        (SELECT jsonb_agg(jsonb_build_array(day, extract(epoch FROM opens)::int / 60,
                                            extract(epoch FROM closes)::int / 60))
         FROM calendar_exceptions WHERE calendar_id = calendar.id AND day >= $5::date - 1) AS exceptions,
        ARRAY(SELECT person_id FROM unnest($3::bigint[]) AS person_id
              WHERE person_id IN (ticket.contact_id, ticket.sender_person_id)
                  OR EXISTS (SELECT FROM supplements WHERE ticket_id = ticket.id AND NOT needs_review
                             AND person_id IN (informant_person_id, sender_person_id))) AS participants,
        $2 <> '' AND (
            lower(ticket.sender_address) = $2
            OR EXISTS (SELECT FROM jsonb_array_elements(ticket.sender_to || ticket.sender_cc) AS reader
                       WHERE lower(reader ->> 'address') = $2)
            OR EXISTS (SELECT FROM supplements AS earlier WHERE earlier.ticket_id = ticket.id
                       AND NOT earlier.needs_review AND (
                           lower(earlier.sender_address) = $2
                           OR EXISTS (SELECT FROM jsonb_array_elements(earlier.sender_to || earlier.sender_cc) AS reader
                                      WHERE lower(reader ->> 'address') = $2)))) AS sender_took_part,
        (SELECT jsonb_object_agg(counted, mails) FROM (
            SELECT coalesce(counted_address, recipient_key) AS counted, count(*) AS mails FROM notifications
            WHERE ticket_id = ticket.id AND kind <> 'ticket-added-customer' AND state <> 'not-sent'
                AND recipient_key IS NOT NULL AND created_at > statement_timestamp() - $4::interval
            GROUP BY counted) AS by_address) AS sent
    FROM tickets AS ticket
        JOIN helpdesks AS helpdesk ON helpdesk.id = ticket.helpdesk_id
        JOIN statuses AS status ON status.id = ticket.status_id
        JOIN calendars AS calendar ON calendar.id = helpdesk.calendar_id
        LEFT JOIN statuses AS portal_status ON portal_status.id = helpdesk.portal_supplement_status_id
        LEFT JOIN priorities AS priority ON priority.id = ticket.priority_id
        LEFT JOIN importer_settings AS importer ON importer.helpdesk_id = helpdesk.id
    WHERE ticket.id = $1
"""  # noqa: S608 - our own rule, nothing that was given

_ALL_THAT_COMES_WITH_IT: Final = """
    -- $1 mail_id, $2 ticket or supplement, $3 $4 $5 its bodies, $6 the mailbox's helpdesk, $7 time of import, $8 S6,
    -- $9 history, $10 attachments, $11 notifications, $12 the ledger's row, $13 content key, $14 text digest,
    -- $15 whether the content is claimed
    , history AS (
        INSERT INTO ticket_history (ticket_id, supplement_id, at, kind, description, details, employee_id, mail_id)
        SELECT written.ticket_id, written.supplement_id, $7, entry.kind, entry.description, entry.details, $8, $1
        FROM written, jsonb_to_recordset($9) AS entry (position integer, kind text, description text, details jsonb)
        ORDER BY entry.position
    ), stored AS (
        INSERT INTO attachments (id, ticket_id, supplement_id, mail_id, position, name, media_type, byte_size, width,
                                 height, inline, content_id, blob_sha256, left_out_reason, decoration)
        SELECT part.id, written.ticket_id, written.supplement_id, $1, part.position, part.name, part.media_type,
            part.byte_size, part.width, part.height, part.inline, part.content_id, decode(part.sha256, 'hex'),
            part.left_out_reason, part.decoration
        FROM written, jsonb_to_recordset($10) AS part (
            id uuid, position integer, name text, media_type text, byte_size bigint, width integer, height integer,
            inline boolean, content_id text, sha256 text, left_out_reason text, decoration text)
    ), copied AS (
        INSERT INTO attachment_copies (attachment_id, kind, mail_id, media_type, width, height, byte_size, blob_sha256)
        SELECT part.id, copy.kind, $1, copy.media_type, copy.width, copy.height, copy.byte_size,
            decode(copy.sha256, 'hex')
        FROM written, jsonb_to_recordset($10) AS part (id uuid, copies jsonb),
            jsonb_to_recordset(part.copies) AS copy (
                kind text, media_type text, width integer, height integer, byte_size bigint, sha256 text)
    ), planned AS (
        INSERT INTO notifications (id, mail_id, kind, helpdesk_id, ticket_id, supplement_id, recipient_name,
                                   recipient_address, recipient_employee_id, recipient_person_id, state, reason,
                                   to_stranger, counted_address, counted_domain, summary_id, collects_until,
                                   next_try_at)
        SELECT mail.id, $1, mail.kind, written.helpdesk_id, written.ticket_id, written.supplement_id, mail.name,
            mail.address, mail.employee_id, mail.person_id, mail.state, mail.reason,
            mail.to_stranger, mail.counted_address, mail.counted_domain, mail.summary_id,
            statement_timestamp() + mail.collects_for, statement_timestamp() + mail.collects_for
        FROM written, jsonb_to_recordset($11) AS mail (
            id uuid, kind text, name text, address text, employee_id bigint, person_id bigint, state text, reason text,
            to_stranger boolean, counted_address text, counted_domain text, summary_id uuid, collects_for interval)
    ), claimed AS (
        INSERT INTO content_keys (helpdesk_id, content_key, text_digest, mail_id, ticket_id)
        SELECT $6, $13, $14, $1, written.ticket_id FROM written WHERE $15::boolean
    )
    UPDATE imported_mails AS mail SET
        outcome = ledger.outcome, outcome_at = $7, decided_replay = ledger.decided_replay, reasons = ledger.reasons,
        message_id_header = ledger.message_id_header, sender_name = ledger.sender_name,
        sender_address = ledger.sender_address, subject = ledger.subject, sent_at = ledger.sent_at,
        classified_at = ledger.classified_at, content_key = $13, text_digest = $14,
        content_key_version = ledger.content_key_version,
        ticket_id = written.ticket_id, supplement_id = written.supplement_id
    FROM written, jsonb_to_record($12) AS ledger (
        outcome text, decided_replay integer, reasons jsonb, message_id_header text, sender_name text,
        sender_address text, subject text, sent_at timestamptz, classified_at timestamptz, content_key_version smallint)
    WHERE mail.mail_id = $1
    RETURNING mail.mail_id, mail.helpdesk_id, mail.outcome, mail.outcome_at, mail.ticket_id, written.number,
        mail.supplement_id, ARRAY(
            SELECT decided.id FROM jsonb_to_recordset($11) AS decided (id uuid, kind text, state text)
            WHERE decided.state <> 'not-sent' ORDER BY decided.kind) AS notification_ids
"""

ADD_TICKET: Final = (
    """
    -- N1-N18; what is not named here stays empty, as N11, N13, N14 and N16 want
    WITH ticket AS (
        INSERT INTO tickets (
            helpdesk_id, organisation_id, contact_id, created_at, created_by_employee_id, reported_at,
            entry_channel_id, mail_subject, title, body_html, body_full_html, body_full_text, ticket_type_id,
            priority_id, environment_id, ticket_manager_id, executor_id, status_id, recalculate_deadline, changed_at,
            changed_by_employee_id, sender_name, sender_address, sender_to, sender_cc, sender_person_id,
            sender_employee_id, automatic, verdict, needs_review, mail_id)
        SELECT
            helpdesk_id, organisation_id, contact_id, $7, $8, reported_at,
            (SELECT id FROM entry_channels WHERE system_key = 'mail'), mail_subject, title, $3, $4, $5, ticket_type_id,
            priority_id, environment_id, ticket_manager_id, executor_id, status_id, recalculate_deadline, $7,
            $8, sender_name, sender_address, sender_to, sender_cc, sender_person_id,
            sender_employee_id, automatic, verdict, needs_review, $1
        FROM jsonb_populate_record(NULL::tickets, $2)
        RETURNING id, number, helpdesk_id
    ), written AS (
        SELECT id AS ticket_id, NULL::bigint AS supplement_id, number, helpdesk_id FROM ticket
    )"""  # noqa: S608 - both parts are constants of this module
    + _ALL_THAT_COMES_WITH_IT
)

ADD_SUPPLEMENT: Final = (
    """
    -- A2-A12; $16 status, $17 deadline and $18 completion of the ticket afterwards
    WITH ticket AS (
        UPDATE tickets SET
            status_id = $16, deadline_at = $17, completed_at = $18,
            changed_at = $7, changed_by_employee_id = $8, changed_by_person_id = NULL
        WHERE id = (($2::jsonb) ->> 'ticket_id')::bigint
        RETURNING id, number, helpdesk_id
    ), supplement AS (
        INSERT INTO supplements (
            ticket_id, helpdesk_id, reported_at, supplement_type_id, informant_person_id, informant_employee_id,
            mail_subject, body_html, body_full_html, body_full_text, visible_to_customer, expanded, status_id,
            priority_id, executor_id, planned_at, deadline_at, recalculate_deadline, time_needed_hours, created_at,
            created_by_person_id, created_by_employee_id, changed_at, changed_by_employee_id, sender_name,
            sender_address, sender_to, sender_cc, sender_person_id, sender_employee_id, automatic, verdict,
            needs_review, held_for_review, by_employee, mail_id)
        SELECT
            ticket.id, ticket.helpdesk_id, given.reported_at,
            (SELECT id FROM supplement_types WHERE system_key = 'imported_from_mail'),
            given.informant_person_id, given.informant_employee_id, given.mail_subject, $3, $4, $5,
            given.visible_to_customer, given.expanded, given.status_id, given.priority_id, given.executor_id,
            given.planned_at, given.deadline_at, given.recalculate_deadline, given.time_needed_hours, $7,
            given.created_by_person_id, given.created_by_employee_id, $7, $8, given.sender_name,
            given.sender_address, given.sender_to, given.sender_cc, given.sender_person_id, given.sender_employee_id,
            given.automatic, given.verdict, given.needs_review, given.held_for_review, given.by_employee, $1
        FROM ticket, jsonb_populate_record(NULL::supplements, $2) AS given
        RETURNING id
    ), written AS (
        SELECT ticket.id AS ticket_id, supplement.id AS supplement_id, ticket.number, ticket.helpdesk_id
        FROM ticket, supplement
    )"""  # noqa: S608 - both parts are constants of this module
    + _ALL_THAT_COMES_WITH_IT
)

SETTLE_WITHOUT_TICKET: Final = """
    -- a duplicate or a quarantined mail: $1 mail_id, $2 the ledger's row, $3 content key, $4 text digest
    UPDATE imported_mails AS mail SET
        outcome = ledger.outcome, outcome_at = statement_timestamp(), decided_replay = ledger.decided_replay,
        reasons = ledger.reasons,
        message_id_header = ledger.message_id_header, sender_name = ledger.sender_name,
        sender_address = ledger.sender_address, subject = ledger.subject, sent_at = ledger.sent_at,
        classified_at = ledger.classified_at, content_key = $3, text_digest = $4,
        content_key_version = ledger.content_key_version,
        duplicate_of = ledger.duplicate_of, ticket_id = ledger.ticket_id
    FROM jsonb_to_record($2) AS ledger (
        outcome text, decided_replay integer, reasons jsonb, message_id_header text, sender_name text,
        sender_address text, subject text, sent_at timestamptz, classified_at timestamptz, content_key_version smallint,
        duplicate_of uuid, ticket_id bigint)
    WHERE mail.mail_id = $1
"""

BURST: Final = """
    -- $1 helpdesk, $2 what mails to an employee are counted by, $3 the period in which they are
    -- The one that collects is locked, so that no notifier writes it before this transaction has added to it. One that
    -- a notifier has in hand (tries), or whose time is over, collects no more.
    WITH collecting AS (
        SELECT id FROM notifications
        WHERE helpdesk_id = $1 AND coalesce(counted_address, recipient_key) = $2
            AND collects_until > statement_timestamp() AND state = 'planned' AND tries = 0
        ORDER BY created_at LIMIT 1 FOR SHARE
    )
    SELECT (SELECT id FROM collecting) AS collecting,
        (SELECT count(*) FROM notifications WHERE helpdesk_id = $1
            AND coalesce(counted_address, recipient_key) = $2 AND kind <> 'ticket-added-customer'
            AND (state <> 'not-sent' OR summary_id IS NOT NULL)
            AND created_at > statement_timestamp() - $3::interval) AS mails
"""

LOCK_BURST: Final = "SELECT pg_advisory_xact_lock($1)"

NOTE_IN_HISTORY: Final = """
    -- $1 tickets, $2 kind, $3 description, $4 details, $5 employee, $6 mail_id
    INSERT INTO ticket_history (ticket_id, at, kind, description, details, employee_id, mail_id)
    SELECT ticket_id, statement_timestamp(), $2, $3, $4, $5, $6 FROM unnest($1::bigint[]) AS ticket_id
"""

_EVENT: Final = """
    SELECT mail.mail_id, mail.helpdesk_id, mail.outcome, mail.outcome_at, mail.ticket_id, ticket.number,
        mail.supplement_id,
        ARRAY(SELECT id FROM notifications WHERE mail_id = mail.mail_id AND state <> 'not-sent' ORDER BY kind)
            AS notification_ids
    FROM imported_mails AS mail JOIN tickets AS ticket ON ticket.id = mail.ticket_id
"""

EVENT_OF_MAIL: Final = _EVENT + "WHERE mail.mail_id = $1 AND mail.outcome IN ('ticket', 'supplement')"

UNPUBLISHED_EVENTS: Final = (
    _EVENT
    + """
    -- $1 age from which an event counts as left behind, $2 how many at once
    WHERE mail.event_published_at IS NULL AND mail.outcome IN ('ticket', 'supplement')
        AND mail.outcome_at < now() - $1::interval
    ORDER BY mail.outcome_at LIMIT $2 FOR NO KEY UPDATE OF mail SKIP LOCKED
"""
)

LOCK_NOTIFICATION: Final = """
    -- $1 Message-ID of a mail of ours
    SELECT id AS notification_id, recipient_address AS address,
        coalesce(report_action = 'failed', false) AS has_failed,
        kind <> 'ticket-added-customer' OR recipient_employee_id IS NOT NULL AS to_employee
    FROM notifications WHERE message_id = $1 FOR NO KEY UPDATE
"""

REPORT_DELIVERY: Final = """
    -- $1 notification, its row locked, $2 action, $3 status code, $4 diagnostic, $5 arrival of the report, $6 its mail,
    -- $7 why the notification failed; null: it did not. One that is still being sent becomes failed when that ends.
    UPDATE notifications SET
        report_action = $2, report_status = $3, report_diagnostic = $4, reported_at = $5, report_mail_id = $6,
        state = CASE WHEN $7::text IS NOT NULL AND state = 'sent' THEN 'failed' ELSE state END,
        reason = CASE WHEN $7::text IS NOT NULL AND state IN ('planned', 'sent') THEN $7 ELSE reason END
    WHERE id = $1
"""

EVENTS_PUBLISHED: Final = "UPDATE imported_mails SET event_published_at = now() WHERE mail_id = ANY($1::uuid[])"

OUTCOME_OF_MAIL: Final = "SELECT outcome, decided_replay FROM imported_mails WHERE mail_id = $1"

RECORD_DEAD_LETTER: Final = "SELECT record_dead_letter($1, $2, $3)"
