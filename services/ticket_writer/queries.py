"""The SQL of ticket_writer, named. `repository` runs it and says in which order; parameters stand at each query."""

from __future__ import annotations

from typing import Final

from shared.database.counted_mails import OWN_ADDRESSES, SENT_ABOUT_TICKET, SENT_BY_SUBJECT, SENT_TO_ADDRESS

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
    SELECT mail_id, outcome, decided_replay, helpdesk_id, raw_sha256
    FROM imported_mails WHERE mail_id = ANY($1::uuid[]) ORDER BY mail_id FOR NO KEY UPDATE
"""

LOCK_TICKETS: Final = """
    -- $1 numbers and $2 Message-IDs of mails of ours, of a batch: the tickets that they lead to, in one order. Merged
    -- ones lead to their target; one that was merged while its lock was waited for says so (`merged_into_id`).
    WITH RECURSIVE way AS (
        SELECT named.number, named.message_id, ticket.id, ticket.merged_into_id, false AS merged
        FROM (SELECT NULL::text AS number, message_id, ticket_id FROM notifications WHERE message_id = ANY($2::text[])
              UNION ALL
              SELECT number, NULL, ticket_id FROM ticket_numbers WHERE number = ANY($1::text[])) AS named
            JOIN tickets AS ticket ON ticket.id = named.ticket_id
        UNION
        SELECT way.number, way.message_id, ticket.id, ticket.merged_into_id, true
        FROM way JOIN tickets AS ticket ON ticket.id = way.merged_into_id
    )
    SELECT ticket.id, ticket.merged_into_id, way.number, way.message_id, way.merged
    FROM way JOIN tickets AS ticket ON ticket.id = way.id
    WHERE way.merged_into_id IS NULL ORDER BY ticket.id
    FOR NO KEY UPDATE OF ticket
"""

MAILBOX_FACTS: Final = f"""
    -- $1 period of the limits, $2 how long an unknown recipient is left alone, $3 period in which a helpdesk's mails to
    -- unknown senders are counted. Side by side, of each mail: $4 helpdesk_id, $5 contacts in order (an array, written
    -- out), $6 employee, $7 what mails to the sender are counted by, $8 subject, $9 content key, $10 text digest,
    -- $11 Message-ID, $12 organisation of the sender's domain, $13 an unknown sender's domain, $14 whether the sender
    -- is unknown
    SELECT
        given.place, statement_timestamp() AS decided_at,
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
         FROM unnest(given.contacts::bigint[]) WITH ORDINALITY AS asked (id, position)
            JOIN persons USING (id)) AS contacts,
        (SELECT jsonb_agg(jsonb_build_object('id', employee.id, 'name', employee.name, 'active', employee.active,
                                             'address', address.address))
         FROM employees AS employee LEFT JOIN LATERAL (
             SELECT address FROM employee_addresses WHERE employee_id = employee.id ORDER BY position LIMIT 1
         ) AS address ON true
         WHERE employee.id IN (
             helpdesk.default_ticket_manager_id, helpdesk.default_executor_id, given.employee_id)) AS employees,
        {OWN_ADDRESSES},
        (SELECT id FROM organisations WHERE id = given.organisation_id) AS sender_organisation_id,
        {SENT_TO_ADDRESS},
        (SELECT jsonb_agg(jsonb_build_object(
                    'mail_id', claim.mail_id, 'helpdesk_id', claim.helpdesk_id, 'helpdesk_name', other.name,
                    'ticket_id', ticket.id, 'ticket_number', ticket.number,
                    'same_text', claim.text_digest = given.text_digest)
                ORDER BY claim.helpdesk_id, claim.mail_id)
         FROM content_keys AS claim
             JOIN tickets AS taken ON taken.id = claim.ticket_id
             JOIN tickets AS ticket ON ticket.id = coalesce(taken.merged_into_id, taken.id)
             JOIN helpdesks AS other ON other.id = claim.helpdesk_id
         WHERE claim.content_key = given.content_key) AS claims,
        EXISTS (SELECT FROM imported_mails AS earlier JOIN content_keys AS claim USING (mail_id)
                WHERE earlier.message_id_header = given.message_id AND earlier.helpdesk_id = given.helpdesk_id
                    AND (claim.content_key, claim.text_digest) <> (given.content_key, given.text_digest))
            AS same_message_id_differs
    FROM unnest($4::bigint[], $5::text[], $6::bigint[], $7::text[], $8::text[], $9::bytea[], $10::bytea[], $11::text[],
                $12::bigint[], $13::text[], $14::boolean[])
            WITH ORDINALITY AS given (helpdesk_id, contacts, employee_id, counted_address, subject, content_key,
                                      text_digest, message_id, organisation_id, domain, is_unknown, place)
        JOIN helpdesks AS helpdesk ON helpdesk.id = given.helpdesk_id
        JOIN importer_settings AS importer ON importer.helpdesk_id = helpdesk.id
        LEFT JOIN statuses AS status ON status.helpdesk_id = helpdesk.id AND status.flag = 'imported'
        {SENT_BY_SUBJECT}
"""  # noqa: S608 - our own parts

TICKET_FACTS: Final = f"""
    -- $1 period of the limits. Side by side: $2 ticket id, its row locked, $3 sender's address, $4 his contacts (an
    -- array, written out), $5 day of arrival, $6 arrival of a mail that a ticket may have been closed too long for;
    -- null: for this one none is
    SELECT
        given.place, ticket.id, ticket.number, ticket.helpdesk_id, ticket.contact_id, ticket.organisation_id,
        ticket.deadline_at,
        ticket.planned_at, ticket.completed_at, ticket.priority_id, ticket.time_needed_hours,
        ticket.recalculate_deadline,
        helpdesk.name AS helpdesk_name, helpdesk.send_import_mails, helpdesk.fallback_recipient,
        helpdesk.summary_after,
        coalesce(importer.treat_employee_as_customer, false) AS treat_employee_as_customer,
        coalesce(importer.hold_strangers, false) AS hold_strangers,
        coalesce(importer.trim_replies, false) AS trim_replies,
        {_CLOSED_TOO_LONG % "given.arrived_at"} AS closed_too_long,
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
         FROM calendar_exceptions WHERE calendar_id = calendar.id AND day >= given.arrived_on - 1) AS exceptions,
        ARRAY(SELECT person_id FROM unnest(given.contacts::bigint[]) AS person_id
              WHERE person_id IN (ticket.contact_id, ticket.sender_person_id)
                  OR EXISTS (SELECT FROM supplements WHERE ticket_id = ticket.id AND NOT needs_review
                             AND person_id IN (informant_person_id, sender_person_id))) AS participants,
        given.address <> '' AND (
            lower(ticket.sender_address) = given.address
            OR EXISTS (SELECT FROM jsonb_array_elements(ticket.sender_to || ticket.sender_cc) AS reader
                       WHERE lower(reader ->> 'address') = given.address)
            OR EXISTS (SELECT FROM supplements AS earlier WHERE earlier.ticket_id = ticket.id
                       AND NOT earlier.needs_review AND (
                           lower(earlier.sender_address) = given.address
                           OR EXISTS (SELECT FROM jsonb_array_elements(earlier.sender_to || earlier.sender_cc) AS reader
                                      WHERE lower(reader ->> 'address') = given.address)))) AS sender_took_part,
        {SENT_ABOUT_TICKET}
    FROM unnest($2::bigint[], $3::text[], $4::text[], $5::date[], $6::timestamptz[])
            WITH ORDINALITY AS given (ticket_id, address, contacts, arrived_on, arrived_at, place)
        JOIN tickets AS ticket ON ticket.id = given.ticket_id
        JOIN helpdesks AS helpdesk ON helpdesk.id = ticket.helpdesk_id
        JOIN statuses AS status ON status.id = ticket.status_id
        JOIN calendars AS calendar ON calendar.id = helpdesk.calendar_id
        LEFT JOIN statuses AS portal_status ON portal_status.id = helpdesk.portal_supplement_status_id
        LEFT JOIN priorities AS priority ON priority.id = ticket.priority_id
        LEFT JOIN importer_settings AS importer ON importer.helpdesk_id = helpdesk.id
"""  # noqa: S608 - our own rule, nothing that was given

_GIVEN: Final = """
    -- $1 of each mail a row: its place, mail_id, the columns of the ticket or supplement, the mailbox's helpdesk, time
    -- of import, S6, history, attachments, notifications, the ledger's row, whether the content is claimed, and what a
    -- supplement leaves in its ticket. Side by side, in the order of their places: $2 $3 $4 bodies, $5 content keys,
    -- $6 text digests
    WITH given AS MATERIALIZED (
        SELECT *
        FROM jsonb_to_recordset($1) AS told (
                place bigint, mail_id uuid, columns jsonb, helpdesk_id bigint, at timestamptz, employee_id bigint,
                history jsonb, parts jsonb, notifications jsonb, ledger jsonb, claims boolean, status_id bigint,
                deadline_at timestamptz, completed_at timestamptz)
            JOIN unnest($2::text[], $3::text[], $4::text[], $5::bytea[], $6::bytea[])
                WITH ORDINALITY AS said (body_html, body_full_html, body_full_text, content_key, text_digest, place)
                USING (place)
    )"""

_ALL_THAT_COMES_WITH_IT: Final = """
    , history AS (
        INSERT INTO ticket_history (ticket_id, supplement_id, at, kind, description, details, employee_id, mail_id)
        SELECT written.ticket_id, written.supplement_id, given.at, entry.kind, entry.description, entry.details,
            given.employee_id, mail_id
        FROM given JOIN written USING (mail_id), jsonb_to_recordset(given.history) AS entry (
            position integer, kind text, description text, details jsonb)
        ORDER BY given.place, entry.position
    ), stored AS (
        INSERT INTO attachments (id, ticket_id, supplement_id, mail_id, position, name, media_type, byte_size, width,
                                 height, inline, content_id, blob_sha256, left_out_reason, decoration)
        SELECT part.id, written.ticket_id, written.supplement_id, mail_id, part.position, part.name, part.media_type,
            part.byte_size, part.width, part.height, part.inline, part.content_id, decode(part.sha256, 'hex'),
            part.left_out_reason, part.decoration
        FROM given JOIN written USING (mail_id), jsonb_to_recordset(given.parts) AS part (
            id uuid, position integer, name text, media_type text, byte_size bigint, width integer, height integer,
            inline boolean, content_id text, sha256 text, left_out_reason text, decoration text)
    ), copied AS (
        INSERT INTO attachment_copies (attachment_id, kind, mail_id, media_type, width, height, byte_size, blob_sha256)
        SELECT part.id, copy.kind, mail_id, copy.media_type, copy.width, copy.height, copy.byte_size,
            decode(copy.sha256, 'hex')
        FROM given JOIN written USING (mail_id), jsonb_to_recordset(given.parts) AS part (id uuid, copies jsonb),
            jsonb_to_recordset(part.copies) AS copy (
                kind text, media_type text, width integer, height integer, byte_size bigint, sha256 text)
    ), planned AS (
        INSERT INTO notifications (id, mail_id, kind, helpdesk_id, ticket_id, supplement_id, recipient_name,
                                   recipient_address, recipient_employee_id, recipient_person_id, state, reason,
                                   to_stranger, counted_address, counted_domain, summary_id, collects_until,
                                   next_try_at)
        SELECT mail.id, mail_id, mail.kind, written.helpdesk_id, written.ticket_id, written.supplement_id, mail.name,
            mail.address, mail.employee_id, mail.person_id, mail.state, mail.reason,
            mail.to_stranger, mail.counted_address, mail.counted_domain, mail.summary_id,
            statement_timestamp() + mail.collects_for, statement_timestamp() + mail.collects_for
        FROM given JOIN written USING (mail_id), jsonb_to_recordset(given.notifications) AS mail (
            id uuid, kind text, name text, address text, employee_id bigint, person_id bigint, state text, reason text,
            to_stranger boolean, counted_address text, counted_domain text, summary_id uuid, collects_for interval)
    ), claimed AS (
        INSERT INTO content_keys (helpdesk_id, content_key, text_digest, mail_id, ticket_id)
        SELECT given.helpdesk_id, given.content_key, given.text_digest, mail_id, written.ticket_id
        FROM given JOIN written USING (mail_id) WHERE given.claims
    )
    UPDATE imported_mails AS mail SET
        outcome = ledger.outcome, outcome_at = given.at, decided_replay = ledger.decided_replay,
        reasons = ledger.reasons,
        message_id_header = ledger.message_id_header, sender_name = ledger.sender_name,
        sender_address = ledger.sender_address, subject = ledger.subject, sent_at = ledger.sent_at,
        classified_at = ledger.classified_at, content_key = given.content_key, text_digest = given.text_digest,
        content_key_version = ledger.content_key_version,
        ticket_id = written.ticket_id, supplement_id = written.supplement_id
    FROM given JOIN written USING (mail_id), jsonb_to_record(given.ledger) AS ledger (
        outcome text, decided_replay integer, reasons jsonb, message_id_header text, sender_name text,
        sender_address text, subject text, sent_at timestamptz, classified_at timestamptz, content_key_version smallint)
    WHERE mail.mail_id = given.mail_id
    RETURNING mail.mail_id, mail.helpdesk_id, mail.outcome, mail.outcome_at, mail.ticket_id, written.number,
        mail.supplement_id, ARRAY(
            SELECT decided.id FROM jsonb_to_recordset(given.notifications) AS decided (id uuid, kind text, state text)
            WHERE decided.state <> 'not-sent' ORDER BY decided.kind) AS notification_ids
"""

_NEW_TICKETS: Final = """
    -- N1-N18; what is not named here stays empty, as N11, N13, N14 and N16 want
    , new_ticket AS (
        INSERT INTO tickets (
            helpdesk_id, organisation_id, contact_id, created_at, created_by_employee_id, reported_at,
            entry_channel_id, mail_subject, title, body_html, body_full_html, body_full_text, ticket_type_id,
            priority_id, environment_id, ticket_manager_id, executor_id, status_id, recalculate_deadline, changed_at,
            changed_by_employee_id, sender_name, sender_address, sender_to, sender_cc, sender_person_id,
            sender_employee_id, automatic, verdict, needs_review, mail_id)
        SELECT
            new.helpdesk_id, new.organisation_id, new.contact_id, given.at, given.employee_id, new.reported_at,
            (SELECT id FROM entry_channels WHERE system_key = 'mail'), new.mail_subject, new.title, given.body_html,
            given.body_full_html, given.body_full_text, new.ticket_type_id, new.priority_id, new.environment_id,
            new.ticket_manager_id, new.executor_id, new.status_id, new.recalculate_deadline, given.at,
            given.employee_id, new.sender_name, new.sender_address, new.sender_to, new.sender_cc, new.sender_person_id,
            new.sender_employee_id, new.automatic, new.verdict, new.needs_review, given.mail_id
        FROM given, jsonb_populate_record(NULL::tickets, given.columns) AS new
        WHERE given.ledger ->> 'outcome' = 'ticket'
        ORDER BY given.place
        RETURNING mail_id, id, number, helpdesk_id
    )"""

_NEW_SUPPLEMENTS: Final = """
    -- A2-A12, each to a ticket of its own
    , known_ticket AS (
        UPDATE tickets SET
            status_id = given.status_id, deadline_at = given.deadline_at, completed_at = given.completed_at,
            changed_at = given.at, changed_by_employee_id = given.employee_id, changed_by_person_id = NULL
        FROM given
        WHERE id = (given.columns ->> 'ticket_id')::bigint
        RETURNING given.mail_id, id, number, tickets.helpdesk_id
    ), supplement AS (
        INSERT INTO supplements (
            ticket_id, helpdesk_id, reported_at, supplement_type_id, informant_person_id, informant_employee_id,
            mail_subject, body_html, body_full_html, body_full_text, visible_to_customer, expanded, status_id,
            priority_id, executor_id, planned_at, deadline_at, recalculate_deadline, time_needed_hours, created_at,
            created_by_person_id, created_by_employee_id, changed_at, changed_by_employee_id, sender_name,
            sender_address, sender_to, sender_cc, sender_person_id, sender_employee_id, automatic, verdict,
            needs_review, held_for_review, by_employee, mail_id)
        SELECT
            ticket.id, ticket.helpdesk_id, new.reported_at,
            (SELECT id FROM supplement_types WHERE system_key = 'imported_from_mail'),
            new.informant_person_id, new.informant_employee_id, new.mail_subject, given.body_html,
            given.body_full_html, given.body_full_text, new.visible_to_customer, new.expanded, new.status_id,
            new.priority_id, new.executor_id, new.planned_at, new.deadline_at, new.recalculate_deadline,
            new.time_needed_hours, given.at, new.created_by_person_id, new.created_by_employee_id, given.at,
            given.employee_id, new.sender_name, new.sender_address, new.sender_to, new.sender_cc, new.sender_person_id,
            new.sender_employee_id, new.automatic, new.verdict, new.needs_review, new.held_for_review,
            new.by_employee, ticket.mail_id
        FROM given JOIN known_ticket AS ticket USING (mail_id),
            jsonb_populate_record(NULL::supplements, given.columns) AS new
        ORDER BY given.place
        RETURNING mail_id, id
    )"""

_WRITTEN_TICKETS: Final = """
        SELECT mail_id, id AS ticket_id, NULL::bigint AS supplement_id, number, helpdesk_id FROM new_ticket"""

_WRITTEN_SUPPLEMENTS: Final = """
        SELECT mail_id, ticket.id, supplement.id, ticket.number, ticket.helpdesk_id
        FROM known_ticket AS ticket JOIN supplement USING (mail_id)"""


def _add(kinds: str, written: str) -> str:
    """Add what is of these `kinds`, in the order of the places, and all that comes with what is `written`."""
    names = "mail_id, ticket_id, supplement_id, number, helpdesk_id"
    return f"{_GIVEN}{kinds}\n    , written ({names}) AS ({written}\n    ){_ALL_THAT_COMES_WITH_IT}"


ADD_TICKETS: Final = _add(_NEW_TICKETS, _WRITTEN_TICKETS)
ADD_SUPPLEMENTS: Final = _add(_NEW_SUPPLEMENTS, _WRITTEN_SUPPLEMENTS)
ADD_BOTH: Final = _add(_NEW_TICKETS + _NEW_SUPPLEMENTS, f"{_WRITTEN_TICKETS}\n        UNION ALL{_WRITTEN_SUPPLEMENTS}")
"""Both in one statement: each costs as much as two mails in it, however few it writes."""

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

EVENTS_OF_MAILS: Final = _EVENT + "WHERE mail.mail_id = ANY($1::uuid[]) AND mail.outcome IN ('ticket', 'supplement')"

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
