"""Reads what the importer recorded: the outcome of every mail, the tickets, the notifications."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self
from uuid import UUID

import asyncpg

from shared.messages import NotificationKind, Outcome, Reason

_MAILS: Final = """
    SELECT mail.mail_id, helpdesks.name AS helpdesk, mail.item_key,
           mail.outcome, mail.outcome_at, mail.reasons, tickets.number AS ticket_number,
           (SELECT string_agg(format('%s: %s', letter.queue, letter.reason), '; ')
            FROM helpdesk.dead_letters letter WHERE letter.mail_id = mail.mail_id) AS dead_letter
    FROM helpdesk.imported_mails mail
    JOIN helpdesk.helpdesks ON helpdesks.id = mail.helpdesk_id
    LEFT JOIN helpdesk.imported_mails original ON original.mail_id = mail.duplicate_of
    LEFT JOIN helpdesk.tickets ON tickets.id = coalesce(mail.ticket_id, original.ticket_id)
"""

_TICKETS: Final = """
    SELECT tickets.number, helpdesks.name AS helpdesk, tickets.title, persons.name AS contact, statuses.name AS status,
           priorities.name AS priority, tickets.deadline_at,
           (SELECT count(*) FROM helpdesk.supplements WHERE supplements.ticket_id = tickets.id) AS supplements,
           (SELECT count(*) FROM helpdesk.attachments
            WHERE attachments.ticket_id = tickets.id AND attachments.blob_sha256 IS NOT NULL) AS images
    FROM helpdesk.tickets
    JOIN helpdesk.helpdesks ON helpdesks.id = tickets.helpdesk_id
    JOIN helpdesk.persons ON persons.id = tickets.contact_id
    JOIN helpdesk.statuses ON statuses.id = tickets.status_id
    LEFT JOIN helpdesk.priorities ON priorities.id = tickets.priority_id
    ORDER BY tickets.id
"""

_NOTIFICATIONS: Final = """
    SELECT mail_id, kind, recipient_address, state, reason, '<' || message_id || '>' AS message_id
    FROM helpdesk.notifications ORDER BY created_at, kind
"""


@dataclass(frozen=True, slots=True)
class MailRecord:
    """A mail in the ledger; `outcome` is None while it is on its way."""

    mail_id: UUID
    helpdesk: str
    unique_name: str
    """The item's key in the mailbox of that helpdesk."""
    outcome: Outcome | None
    outcome_at: datetime | None
    reasons: tuple[Reason, ...]
    ticket_number: str | None
    """Of the ticket it became or supplemented; of a duplicate, the ticket of the first one."""
    dead_letter: str | None


@dataclass(frozen=True, slots=True)
class TicketRecord:
    """A ticket as the work list would show it."""

    number: str
    helpdesk: str
    title: str
    contact: str
    status: str
    priority: str | None
    deadline_at: datetime | None
    supplements: int
    images: int


@dataclass(frozen=True, slots=True)
class NotificationRecord:
    """A notification, sent, still to be sent, or not sent with the reason."""

    mail_id: UUID
    kind: NotificationKind
    recipient_address: str | None
    state: str
    reason: str | None
    message_id: str | None
    """As it stands in the mail, in angle brackets."""


class Ledger:
    """The importer's records, read as a role that may read them."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    @classmethod
    async def open(cls, url: str) -> Self:
        """Connect to the database at `url`, credentials included."""
        return cls(await asyncpg.connect(url, server_settings={"application_name": "deploy.demo"}))

    async def close(self) -> None:
        """Disconnect."""
        await self._connection.close()

    async def mails(self) -> tuple[MailRecord, ...]:
        """Every mail that was taken in."""
        return tuple(
            MailRecord(
                mail_id=row["mail_id"],
                helpdesk=row["helpdesk"],
                unique_name=row["item_key"],
                outcome=Outcome(row["outcome"]) if row["outcome"] else None,
                outcome_at=row["outcome_at"],
                reasons=tuple(Reason.model_validate(reason) for reason in json.loads(row["reasons"])),
                ticket_number=row["ticket_number"],
                dead_letter=row["dead_letter"],
            )
            for row in await self._rows(_MAILS)
        )

    async def tickets(self) -> tuple[TicketRecord, ...]:
        """Every ticket, oldest first."""
        return tuple(TicketRecord(**row) for row in await self._rows(_TICKETS))

    async def notifications(self) -> tuple[NotificationRecord, ...]:
        """Every notification, oldest first."""
        return tuple(
            NotificationRecord(**{**row, "kind": NotificationKind(row["kind"])})
            for row in await self._rows(_NOTIFICATIONS)
        )

    async def _rows(self, query: str) -> Sequence[Any]:
        return await self._connection.fetch(query)
