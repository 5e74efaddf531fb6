"""Accepts what a mail became, in the transaction of the caller: lock the ticket, load, decide, write.

Locks are taken in the order of `services.ticket_writer.repository`: the ticket first, then what belongs to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import asyncpg

from services.ticket_writer import queries as facts_queries
from services.ticket_writer.loading import array_literal, ticket_facts
from services.ticket_writer.review import queries
from services.ticket_writer.rules.acceptance import Accepted, accept_supplement, accept_ticket
from services.ticket_writer.rules.effect import Effect, Nature
from services.ticket_writer.rules.facts import TicketFacts
from shared.database.pool import Connection
from shared.errors import ImporterError
from shared.messages import MailId
from shared.portal.mail_limits import LIMITS


class Refusal(StrEnum):
    """Why nothing was accepted; the ids are a contract with whoever asks."""

    BECAME_NOTHING = "became-nothing"
    """The mail is no ticket and no supplement."""
    NOTHING_WAITS = "nothing-waits"
    """What it became does not wait for a person."""
    NO_EMPLOYEE = "no-employee"
    """Nobody was named who accepts, and the helpdesk has no «Standaard werknemer» (S6)."""


class NotAccepted(ImporterError):
    """Nothing was accepted, for this reason; the transaction is to be rolled back."""

    def __init__(self, mail_id: MailId, refusal: Refusal) -> None:
        super().__init__(f"mail {mail_id} was not accepted: {refusal.value}")
        self.mail_id = mail_id
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class WasAccepted:
    """What was accepted: `ticket`, `supplement` or `held-supplement`, and the ticket's status after the last."""

    what: str
    status: str | None = None


_NO_SENDER: Final = ""
_NO_CONTACTS: Final[list[int]] = []
"""An acceptance asks for no verdict on the sender."""


async def accept(connection: Connection, mail_id: MailId, employee_id: int | None) -> WasAccepted:
    """Accept what a mail became in the name of an employee; without one, of the helpdesk's S6.

    `connection` is in a transaction. Raises NotAccepted.
    """
    became = await connection.fetchrow(queries.BECAME, mail_id)
    if became is None:
        raise NotAccepted(mail_id, Refusal.BECAME_NOTHING)
    by = became["default_employee_id"] if employee_id is None else employee_id
    if by is None:
        raise NotAccepted(mail_id, Refusal.NO_EMPLOYEE)
    ticket_waits = await connection.fetchval(queries.LOCK_TICKET, became["ticket_id"])
    if became["supplement_id"] is None:
        if not ticket_waits:
            raise NotAccepted(mail_id, Refusal.NOTHING_WAITS)
        await connection.execute(queries.CLEAR_TICKET, became["ticket_id"])
        await _note(connection, accept_ticket(), became, by, mail_id)
        return WasAccepted("ticket")
    supplement = await connection.fetchrow(queries.SUPPLEMENT, became["supplement_id"])
    if supplement is None or not supplement["needs_review"]:
        raise NotAccepted(mail_id, Refusal.NOTHING_WAITS)
    ticket = await _ticket(connection, became["ticket_id"], supplement)
    nature = Nature(supplement["reported_at"], supplement["automatic"], supplement["by_employee"])
    accepted = accept_supplement(nature, ticket, held=supplement["held_for_review"])
    if accepted.effect is None:
        await connection.execute(queries.CLEAR_SUPPLEMENT, became["supplement_id"])
    else:
        await _release(connection, ticket, became["supplement_id"], accepted.effect, by)
    await _note(connection, accepted, became, by, mail_id)
    if accepted.effect is None:
        return WasAccepted("supplement")
    return WasAccepted("held-supplement", accepted.effect.status.name)


async def _ticket(connection: Connection, ticket_id: int, supplement: asyncpg.Record) -> TicketFacts:
    row = await connection.fetchrow(
        facts_queries.TICKET_FACTS,
        LIMITS.period,
        [ticket_id],
        [_NO_SENDER],
        [array_literal(_NO_CONTACTS)],
        [supplement["reported_at"].date()],
        [None],
    )
    if row is None:
        raise RuntimeError("a row that this transaction has locked is gone")
    return ticket_facts(row, named_number=None, merged=False)


async def _release(connection: Connection, ticket: TicketFacts, supplement_id: int, effect: Effect, by: int) -> None:
    await connection.execute(
        queries.CHANGE_TICKET, ticket.ticket_id, effect.status.id, effect.deadline_at, effect.completed_at, by
    )
    await connection.execute(
        queries.RELEASE_SUPPLEMENT,
        supplement_id,
        effect.visible_to_customer,
        effect.status.expanded,
        ticket.helpdesk_id,
        effect.status.id,
        effect.deadline_at,
        by,
    )


async def _note(connection: Connection, accepted: Accepted, became: asyncpg.Record, by: int, mail_id: MailId) -> None:
    for entry in accepted.history:
        parameters: tuple[Any, ...] = (entry.kind, entry.description, entry.details, by, mail_id)
        await connection.execute(queries.NOTE, became["ticket_id"], became["supplement_id"], *parameters)
