"""Templates of helpdesks, what they were before, and the tickets on which one is seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Final

import asyncpg

from services.console import audit
from shared.database.pool import Connection
from shared.templates.facts import Body, LeftOutAttachment, MailFacts, OwnTemplate, TicketFacts
from shared.templates.kinds import TemplateKind
from shared.templates.values import BODY_LIMIT, TEXT_LIMIT

OFFERED: Final = 10
"""Tickets that a preview offers."""

_OWN_KINDS: Final = """
    SELECT helpdesk_id, kind FROM templates
    WHERE helpdesk_id = ANY($1) AND num_nonnulls(subject, body_html, body_text) > 0"""
_STORED: Final = """
    SELECT subject, body_html, body_text, row_version FROM templates WHERE helpdesk_id = $1 AND kind = $2"""
_NEWEST: Final = """
    SELECT ticket.number, coalesce(mail.subject, '') AS subject
    FROM imported_mails AS mail JOIN tickets AS ticket ON ticket.id = mail.ticket_id AND ticket.helpdesk_id = $1
    WHERE mail.helpdesk_id = $1 AND mail.outcome = $2
    ORDER BY mail.received_at DESC LIMIT $3"""
_TEST: Final = """
    INSERT INTO service_questions (service, question, helpdesk_id, asked_by, arguments)
    VALUES ('notifier', 'test-mail', $1, $2, $3)"""
_LAST_TEST: Final = """
    SELECT asked_at, answered_at, answer, answered_at IS NULL AND asked_at < now() - interval '3 minutes' AS is_late
    FROM service_questions
    WHERE helpdesk_id = $1 AND service = 'notifier' AND question = 'test-mail' AND asked_by = $2
    ORDER BY id DESC LIMIT 1"""
_MARKER: Final = "SELECT marker FROM importer_settings WHERE helpdesk_id = $1"
_FACTS: Final = f"""
    SELECT ticket.number, ticket.reported_at, ticket.deadline_at, ticket.title,
        coalesce(ticket.organisation_name, '') AS organisation, coalesce(ticket.contact_name, '') AS contact,
        ticket.status_name AS status, coalesce(ticket.priority_name, '') AS priority,
        coalesce(ticket.ticket_type_name, '') AS ticket_type, coalesce(ticket.environment_name, '') AS environment,
        coalesce(ticket.ticket_manager_name, '') AS manager, coalesce(ticket.executor_name, '') AS executor,
        left(ticket.body_html, {BODY_LIMIT + 1}) AS request_html,
        left(ticket.body_full_text, {TEXT_LIMIT + 1}) AS request_text,
        ticket.body_html = whole.body_full_html AS request_shows_all,
        left(supplement.body_html, {BODY_LIMIT + 1}) AS supplement_html,
        left(supplement.body_full_text, {TEXT_LIMIT + 1}) AS supplement_text,
        supplement.body_html = supplement.body_full_html AS supplement_shows_all,
        supplement.reported_at AS supplemented_at,
        coalesce(mail.subject, '') AS mail_subject, coalesce(mail.sender_name, '') AS sender_name,
        coalesce(mail.sender_address, '') AS sender_address,
        coalesce(nullif(helpdesk.sender_name, ''), helpdesk.name) AS helpdesk, helpdesk.ticket_url, calendar.time_zone,
        ARRAY(SELECT name FROM attachments WHERE ticket_id = ticket.id AND mail_id = mail.mail_id
            AND left_out_reason IS NULL ORDER BY position, id) AS images,
        ARRAY(SELECT (name, left_out_reason) FROM attachments WHERE ticket_id = ticket.id AND mail_id = mail.mail_id
            AND left_out_reason IS NOT NULL ORDER BY position, id) AS left_out
    FROM ui_v1.tickets AS ticket JOIN tickets AS whole ON whole.id = ticket.id
        JOIN helpdesks AS helpdesk ON helpdesk.id = ticket.helpdesk_id
        JOIN calendars AS calendar ON calendar.id = helpdesk.calendar_id
        LEFT JOIN LATERAL (
            SELECT shown.mail_id, shown.body_html, whole.body_full_html, shown.body_full_text, shown.reported_at
            FROM ui_v1.supplements AS shown JOIN supplements AS whole ON whole.id = shown.id
            WHERE $3 AND shown.ticket_id = ticket.id AND shown.mail_id IS NOT NULL
            ORDER BY shown.reported_at DESC, shown.id DESC LIMIT 1) AS supplement ON true
        JOIN imported_mails AS mail ON mail.mail_id = coalesce(supplement.mail_id, ticket.mail_id)
    WHERE ticket.number = $2 AND ticket.helpdesk_id = $1
"""  # noqa: S608 - nothing but our own numbers


@dataclass(frozen=True, slots=True)
class Stored:
    """What a helpdesk has of its own; version 0: it never had any."""

    own: OwnTemplate
    version: int


@dataclass(frozen=True, slots=True)
class Earlier:
    """What it was before the last change, and who made that."""

    own: OwnTemplate
    changed_at: datetime
    changed_by: str | None


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket to choose."""

    number: str
    subject: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A template to send as a test, and the number of the ticket that the mail is of."""

    kind: TemplateKind
    own: OwnTemplate
    ticket: str


@dataclass(frozen=True, slots=True)
class TestMail:
    """The test mail that somebody asked for last; `is_late`: nobody answers."""

    asked_at: datetime
    answered_at: datetime | None
    answer: dict[str, Any] | None
    is_late: bool


async def ask_for_test(connection: Connection, helpdesk_id: int, asked_by: str, asked: Asked) -> None:
    """Ask the notifier to send this to who asks."""
    arguments = {"kind": str(asked.kind), "ticket": asked.ticket, **asdict(asked.own)}
    await connection.execute(_TEST, helpdesk_id, asked_by, arguments)


async def last_test(connection: Connection, helpdesk_id: int, asked_by: str) -> TestMail | None:
    """What became of it."""
    row = await connection.fetchrow(_LAST_TEST, helpdesk_id, asked_by)
    return None if row is None else TestMail(**row)


async def own_kinds(connection: Connection, within: Sequence[int]) -> set[tuple[int, str]]:
    """Helpdesks and kinds of which there is an own template."""
    return {(row["helpdesk_id"], row["kind"]) for row in await connection.fetch(_OWN_KINDS, within)}


async def stored(connection: Connection, helpdesk_id: int, kind: TemplateKind) -> Stored:
    """The template as it is."""
    row = await connection.fetchrow(_STORED, helpdesk_id, kind)
    if row is None:
        return Stored(OwnTemplate(), 0)
    return Stored(OwnTemplate(row["subject"], row["body_html"], row["body_text"]), row["row_version"])


async def earlier(connection: Connection, helpdesk_id: int, kind: TemplateKind, own: OwnTemplate) -> Earlier | None:
    """What `own` was before its last change, as the audit log has it; None where that is the first text or unknown."""
    wanted = audit.Filter(thing="templates", thing_id=f"{helpdesk_id}/{kind}", helpdesk_id=helpdesk_id, limit=1)
    last = next(iter(await audit.entries(connection, wanted)), None)
    if last is None or last.deed != "changed" or last.before is None:
        return None
    return Earlier(replace(own, **last.before), last.at, last.actor)


async def newest_tickets(connection: Connection, helpdesk_id: int, kind: TemplateKind) -> list[Ticket]:
    """Those of which a mail of this kind tells, the newest first."""
    outcome = "supplement" if kind is TemplateKind.SUPPLEMENT_ADDED_EXECUTOR else "ticket"
    rows = await connection.fetch(_NEWEST, helpdesk_id, outcome, OFFERED)
    return list({row["number"]: Ticket(**row) for row in rows}.values())


async def marker(connection: Connection, helpdesk_id: int) -> str:
    """The line above which an answer is typed (S7)."""
    return await connection.fetchval(_MARKER, helpdesk_id) or ""


async def facts(connection: Connection, helpdesk_id: int, kind: TemplateKind, number: str) -> MailFacts | None:
    """What a mail of this kind tells of this ticket."""
    if not kind.of_ticket or not number:
        return None
    of_supplement = kind is TemplateKind.SUPPLEMENT_ADDED_EXECUTOR
    row = await connection.fetchrow(_FACTS, helpdesk_id, number, of_supplement)
    if row is None or (of_supplement and row["supplemented_at"] is None):
        return None
    return MailFacts(
        kind=kind,
        helpdesk=row["helpdesk"],
        recipient=_recipient(kind, row),
        ticket=_ticket(row),
    )


def _recipient(kind: TemplateKind, row: asyncpg.Record) -> str:
    """Who gets it, '' where the ticket names nobody: then none is sent."""
    match kind:
        case TemplateKind.TICKET_ADDED_MANAGER:
            named = row["manager"]
        case TemplateKind.SUPPLEMENT_ADDED_EXECUTOR:
            named = row["executor"]
        case _:
            named = row["sender_name"] or row["sender_address"]
    return str(named)


def _ticket(row: asyncpg.Record) -> TicketFacts:
    return TicketFacts(
        number=row["number"],
        title=row["title"],
        organisation=row["organisation"],
        contact=row["contact"],
        status=row["status"],
        priority=row["priority"],
        ticket_type=row["ticket_type"],
        environment=row["environment"],
        manager=row["manager"],
        executor=row["executor"],
        reported_at=row["reported_at"],
        deadline_at=row["deadline_at"],
        request=Body(row["request_html"], row["request_text"], row["request_shows_all"]),
        supplement=Body(row["supplement_html"] or "", row["supplement_text"] or "", bool(row["supplement_shows_all"])),
        supplemented_at=row["supplemented_at"],
        mail_subject=row["mail_subject"],
        mail_from_name=row["sender_name"],
        mail_from_address=row["sender_address"],
        images=tuple(row["images"]),
        left_out=tuple(LeftOutAttachment(name, reason) for name, reason in row["left_out"]),
        time_zone=row["time_zone"],
        url=row["ticket_url"],
    )
