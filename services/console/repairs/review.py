"""Tickets and supplements that a person should look at (SPEC D13, D20): the SQL of `review`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

import asyncpg

from services.console.fields import BadValue
from services.console.repairs.accepting import Accepted, Held, accept_held
from services.console.repairs.mails import explained
from shared.database.pool import Connection
from shared.messages import MailId, ReasonId
from shared.portal.calendars import Calendar, Hours
from shared.portal.history import Entry, note
from shared.portal.status import Status, StatusCategory

REASONS: Final = frozenset({ReasonId.STRANGER, ReasonId.FORGED_SENDER, ReasonId.SAME_MESSAGE_ID_DIFFERS})
"""What makes the importer ask for a person's look."""

_LIST: Final = """
    SELECT mail.mail_id, helpdesk.name AS helpdesk, found.what, ticket.number AS ticket, found.reported_at,
        found.sender_address AS sender, mail.subject, found.held, mail.reasons
    FROM (
        SELECT 'ticket' AS what, id AS ticket_id, helpdesk_id, mail_id, reported_at, sender_address, false AS held
        FROM tickets WHERE needs_review
        UNION ALL
        SELECT 'supplement', ticket_id, helpdesk_id, mail_id, reported_at, sender_address, held_for_review
        FROM supplements WHERE needs_review) AS found
        JOIN tickets AS ticket ON ticket.id = found.ticket_id
        JOIN helpdesks AS helpdesk ON helpdesk.id = found.helpdesk_id
        JOIN imported_mails AS mail ON mail.mail_id = found.mail_id
    WHERE $1::bigint IS NULL OR found.helpdesk_id = $1
    ORDER BY found.reported_at DESC LIMIT $2"""

_FIND: Final = """
    SELECT mail.ticket_id, mail.supplement_id, importer.default_employee_id
    FROM imported_mails AS mail JOIN importer_settings AS importer USING (helpdesk_id)
    WHERE mail.mail_id = $1 AND mail.outcome IN ('ticket', 'supplement')"""

_LOCK_TICKET: Final = "SELECT needs_review FROM tickets WHERE id = $1 FOR NO KEY UPDATE"

_SUPPLEMENT: Final = """
    SELECT needs_review, held_for_review, reported_at, automatic IS NOT NULL AS is_automatic, helpdesk_id
    FROM supplements WHERE id = $1"""

_TICKET: Final = """
    SELECT ticket.helpdesk_id, ticket.recalculate_deadline, ticket.deadline_at, ticket.completed_at,
        priority.resolution_minutes, to_jsonb(status) AS status, to_jsonb(portal_status) AS portal_status,
        calendar.time_zone, calendar.holiday_country,
        (SELECT jsonb_agg(jsonb_build_array(weekday, extract(epoch FROM opens)::int / 60,
                                            extract(epoch FROM closes)::int / 60))
         FROM calendar_hours WHERE calendar_id = calendar.id) AS hours,
        (SELECT jsonb_agg(jsonb_build_array(day, extract(epoch FROM opens)::int / 60,
                                            extract(epoch FROM closes)::int / 60))
         FROM calendar_exceptions WHERE calendar_id = calendar.id) AS exceptions
    FROM tickets AS ticket
        JOIN helpdesks AS helpdesk ON helpdesk.id = ticket.helpdesk_id
        JOIN statuses AS status ON status.id = ticket.status_id
        JOIN calendars AS calendar ON calendar.id = helpdesk.calendar_id
        LEFT JOIN statuses AS portal_status ON portal_status.id = helpdesk.portal_supplement_status_id
        LEFT JOIN priorities AS priority ON priority.id = ticket.priority_id
    WHERE ticket.id = $1"""

_CHANGE_TICKET: Final = """
    UPDATE tickets SET status_id = $2, deadline_at = $3, completed_at = $4, changed_at = now(),
        changed_by_employee_id = $5, changed_by_person_id = NULL
    WHERE id = $1"""

_CLEAR_TICKET: Final = "UPDATE tickets SET needs_review = false WHERE id = $1"

_CLEAR_SUPPLEMENT: Final = "UPDATE supplements SET needs_review = false WHERE id = $1"

_RELEASE_SUPPLEMENT: Final = """
    -- noted as the ticket now is; a ticket that moved to another helpdesk has statuses that this supplement cannot note
    UPDATE supplements SET needs_review = false, held_for_review = false, visible_to_customer = $2, expanded = $3,
        status_id = CASE WHEN helpdesk_id = $4 THEN $5 ELSE status_id END, deadline_at = $6, changed_at = now(),
        changed_by_employee_id = $7, changed_by_person_id = NULL
    WHERE id = $1"""

_HISTORY: Final = """
    INSERT INTO ticket_history (ticket_id, supplement_id, kind, description, details, employee_id, mail_id)
    VALUES ($1, $2, $3, $4, $5, $6, $7)"""


async def waiting(connection: Connection, helpdesk_id: int | None, limit: int) -> list[dict[str, Any]]:
    """What waits for a look, the newest first, with the reasons for it alone."""
    found = await connection.fetch(_LIST, helpdesk_id, limit)
    return [
        dict(row) | {"reasons": explained([reason for reason in row["reasons"] if reason["id"] in REASONS])}
        for row in found
    ]


async def accept(connection: Connection, mail_id: MailId, employee_id: int | None) -> str:
    """Accept what a mail became, in the name of an employee (S6 where none is given); a sentence of what was done."""
    found = await connection.fetchrow(_FIND, mail_id)
    if found is None:
        raise BadValue(f"Mail {mail_id} is no ticket and no supplement; `review list` shows what waits.")
    by = found["default_employee_id"] if employee_id is None else employee_id
    if by is None:
        raise BadValue("The helpdesk has no «Standaard werknemer»: say who accepts with --by.")
    needs_review = await connection.fetchval(_LOCK_TICKET, found["ticket_id"])
    if found["supplement_id"] is None:
        if not needs_review:
            raise _nothing_waits(mail_id)
        await connection.execute(_CLEAR_TICKET, found["ticket_id"])
        entry = note("Ticket beoordeeld en geaccepteerd.")
        await _note(connection, [entry], found, by, mail_id)
        return "The ticket is accepted."
    supplement = await connection.fetchrow(_SUPPLEMENT, found["supplement_id"])
    if supplement is None or not supplement["needs_review"]:
        raise _nothing_waits(mail_id)
    if not supplement["held_for_review"]:
        await connection.execute(_CLEAR_SUPPLEMENT, found["supplement_id"])
        await _note(connection, [note("Aanvulling beoordeeld en geaccepteerd.")], found, by, mail_id)
        return "The supplement is accepted."
    accepted = await _release(connection, found, supplement, by)
    await _note(connection, accepted.history, found, by, mail_id)
    return f"The supplement is accepted; the ticket's status is «{accepted.status.name}»."


async def _release(connection: Connection, found: asyncpg.Record, supplement: asyncpg.Record, by: int) -> Accepted:
    ticket = await connection.fetchrow(_TICKET, found["ticket_id"])
    if ticket is None:
        raise RuntimeError("a row that this transaction has locked is gone")
    accepted = accept_held(_held(ticket, supplement))
    await connection.execute(
        _CHANGE_TICKET, found["ticket_id"], accepted.status.id, accepted.deadline_at, accepted.completed_at, by
    )
    await connection.execute(
        _RELEASE_SUPPLEMENT, found["supplement_id"], accepted.status.visible_to_customer, accepted.status.expanded,
        ticket["helpdesk_id"], accepted.status.id, accepted.deadline_at, by,
    )  # fmt: skip
    return accepted


async def _note(
    connection: Connection, entries: Sequence[Entry], found: asyncpg.Record, by: int, mail_id: MailId
) -> None:
    for entry in entries:
        await connection.execute(
            _HISTORY, found["ticket_id"], found["supplement_id"], entry.kind, entry.description, entry.details, by,
            mail_id,
        )  # fmt: skip


def _held(ticket: asyncpg.Record, supplement: asyncpg.Record) -> Held:
    weekly: dict[int, tuple[Hours, ...]] = {}
    for weekday, opens, closes in ticket["hours"] or ():
        weekly[weekday] = (*weekly.get(weekday, ()), Hours(opens, closes))
    return Held(
        arrived_at=supplement["reported_at"],
        is_automatic=supplement["is_automatic"],
        status=_status(ticket["status"]),
        portal_status=None if ticket["portal_status"] is None else _status(ticket["portal_status"]),
        recalculate_deadline=ticket["recalculate_deadline"],
        resolution_minutes=ticket["resolution_minutes"],
        deadline_at=ticket["deadline_at"],
        completed_at=ticket["completed_at"],
        calendar=Calendar(
            time_zone=ticket["time_zone"],
            weekly=weekly,
            exceptions={
                date.fromisoformat(day): () if opens is None else (Hours(opens, closes),)
                for day, opens, closes in ticket["exceptions"] or ()
            },
            holiday_country=ticket["holiday_country"],
        ),
    )


def _status(row: dict[str, Any]) -> Status:
    return Status(
        id=row["id"],
        name=row["name"],
        category=StatusCategory(row["category"]),
        visible_to_customer=row["visible_to_customer"],
        expanded=row["expanded"],
    )


def _nothing_waits(mail_id: MailId) -> BadValue:
    return BadValue(f"What mail {mail_id} became does not wait for a person; `review list` shows what does.")
