"""Tickets and supplements that a person should look at (SPEC D13, D20). What he decides, ticket_writer carries out."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.console.repairs.mails import ExplainedReason, NotRepaired, Refusal, Within, explained
from services.console.service_process import ask
from shared.database.pool import Connection
from shared.errors import ImporterError
from shared.messages import MailId
from shared.portal.reasons import FOR_REVIEW

_LIST: Final = """
    SELECT mail.mail_id, helpdesk.name AS helpdesk, waiting.what, ticket.number AS ticket, waiting.reported_at,
        waiting.sender_address AS sender, mail.subject, waiting.held, mail.reasons
    FROM (
        SELECT 'ticket' AS what, id AS ticket_id, helpdesk_id, mail_id, reported_at, sender_address, false AS held
        FROM tickets WHERE needs_review
        UNION ALL
        SELECT 'supplement', ticket_id, helpdesk_id, mail_id, reported_at, sender_address, held_for_review
        FROM supplements WHERE needs_review) AS waiting
        JOIN tickets AS ticket ON ticket.id = waiting.ticket_id
        JOIN helpdesks AS helpdesk ON helpdesk.id = waiting.helpdesk_id
        JOIN imported_mails AS mail ON mail.mail_id = waiting.mail_id
    WHERE ($1::bigint IS NULL OR waiting.helpdesk_id = $1)
        AND ($3::bigint[] IS NULL OR waiting.helpdesk_id = ANY($3))
    ORDER BY waiting.reported_at DESC LIMIT $2"""

_IDS: Final = """
    SELECT mail_id FROM (
        SELECT helpdesk_id, mail_id, reported_at FROM tickets WHERE needs_review
        UNION ALL SELECT helpdesk_id, mail_id, reported_at FROM supplements WHERE needs_review) AS waiting
    WHERE helpdesk_id = ANY($1) ORDER BY reported_at, mail_id LIMIT $2"""

_ASK: Final = """
    SELECT ui_v1.accept_review(mail.mail_id, settings.default_employee_id)
    FROM imported_mails AS mail JOIN importer_settings AS settings USING (helpdesk_id)
    WHERE mail.mail_id = $1 AND mail.helpdesk_id = ANY($2) AND settings.default_employee_id IS NOT NULL"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A ticket or supplement that waits for a look; a held one is hidden from the customer until it is accepted."""

    mail_id: uuid.UUID
    helpdesk: str
    what: str
    ticket: str
    reported_at: datetime
    sender: str | None
    subject: str | None
    held: bool
    reasons: tuple[ExplainedReason, ...]


@dataclass(frozen=True, slots=True)
class WasAccepted:
    """What was accepted: `ticket`, `supplement` or `held-supplement`, and the ticket's status after the last."""

    mail_id: MailId
    what: str
    status: str | None


class NotAccepted(ImporterError):
    """Nothing was accepted, on account of one mail: `refusal` is ticket_writer's id for the reason."""

    def __init__(self, mail_id: MailId, refusal: str) -> None:
        super().__init__(f"mail {mail_id} was not accepted: {refusal}")
        self.mail_id = mail_id
        self.refusal = refusal


async def waiting(connection: Connection, helpdesk_id: int | None, limit: int, within: Within = None) -> list[Waiting]:
    """What waits for a look, the newest first, with the reasons for it alone."""
    rows = await connection.fetch(_LIST, helpdesk_id, limit, within)
    return [
        Waiting(**{**row, "reasons": explained([reason for reason in row["reasons"] if reason["id"] in FOR_REVIEW])})
        for row in rows
    ]


async def waiting_ids(connection: Connection, within: Sequence[int], at_most: int) -> list[MailId]:
    """The mails of what waits for a look, the oldest first."""
    return [MailId(row["mail_id"]) for row in await connection.fetch(_IDS, within, at_most)]


async def ask_to_accept(connection: Connection, mail_id: MailId, within: Sequence[int]) -> None:
    """Ask ticket_writer to accept it in the name of the helpdesk's S6. Raises NotRepaired where there is none of these.

    The database refuses what does not wait (nothing_waits_for_review).
    """
    if await connection.fetchval(_ASK, mail_id, within) is None:
        raise NotRepaired(mail_id, Refusal.UNKNOWN)


async def accept(mail_ids: Sequence[MailId], employee_id: int | None) -> list[WasAccepted]:
    """Accept what these mails became, all or none, in the name of an employee; without one, of each helpdesk's S6.

    A process of ticket_writer does it, with its own login. Raises NotAccepted, Unusable or Misconfigured.
    """
    by = "-" if employee_id is None else str(employee_id)
    answer = await ask("ticket_writer", "accept", by, *map(str, mail_ids))
    if not answer["ok"]:
        raise NotAccepted(MailId(uuid.UUID(answer["mail_id"])), answer["refusal"])
    return [WasAccepted(MailId(uuid.UUID(one["mail_id"])), one["what"], one["status"]) for one in answer["accepted"]]
