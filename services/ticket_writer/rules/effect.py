"""What a supplement does to its ticket, and who sees it (SPEC A7, A8, A10, D2, D3, D6, D12, D15, D20).

The rule is the same at import and when a person accepts a supplement that was held: it stands on the supplement's
nature, which is stored with it, and on the ticket as it is at that moment.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from services.ticket_writer.rules.author import Author
from services.ticket_writer.rules.facts import TicketFacts
from services.ticket_writer.rules.verdict import Relation, Verdict
from shared.messages import ClassifiedMail
from shared.portal import deadlines, status
from shared.portal.history import Entry, deadline_changed, reopened, status_changed
from shared.portal.status import Status


@dataclass(frozen=True, slots=True)
class Nature:
    """What of a mail its effect stands on: when it arrived, whether a machine sent it, and whether an employee did.

    What an employee forwards is an employee's mail here, whoever sent it first: his own words may stand above it.
    """

    arrived_at: datetime
    automatic: bool
    by_employee: bool


@dataclass(frozen=True, slots=True)
class Effect:
    """The ticket after the supplement, and the supplement's visibility («zichtbaar klant»)."""

    status: Status
    deadline_at: datetime | None
    completed_at: datetime | None
    visible_to_customer: bool


def nature_of(mail: ClassifiedMail, author: Author) -> Nature:
    """The nature of a mail that becomes a supplement."""
    return Nature(
        arrived_at=mail.received_at,
        automatic=mail.automatic is not None,
        by_employee=author.employee_id is not None or mail.forwarded_by is not None,
    )


def is_held(ticket: TicketFacts, verdict: Verdict) -> bool:
    """Whether the supplement waits until a person accepts it: a stranger's, where the helpdesk wants that (D20)."""
    return ticket.hold_strangers and verdict.relation is Relation.STRANGER


def effect_while_held(ticket: TicketFacts) -> Effect:
    """A held supplement leaves its ticket as it is, and the customer does not see it."""
    return Effect(ticket.status, ticket.deadline_at, ticket.completed_at, visible_to_customer=False)


def effect_on_ticket(nature: Nature, ticket: TicketFacts) -> Effect:
    """The effect of a supplement that counts, by the rules of the ticket's own helpdesk (D15).

    Automatic mail (D6) and an employee who is not to be treated as a customer (D12) leave status and deadline as they
    are; the latter is not shown to the customer.
    """
    internal = nature.by_employee and not ticket.treat_employee_as_customer
    if nature.automatic or internal:
        new_status, deadline_at = ticket.status, ticket.deadline_at
    else:
        new_status = status.after_supplement(ticket.status, ticket.portal_status)
        deadline_at = _deadline(nature, ticket)
    return Effect(
        status=new_status,
        deadline_at=deadline_at,
        completed_at=None if status.reopens(ticket.status, new_status) else ticket.completed_at,
        visible_to_customer=new_status.visible_to_customer and not internal,
    )


def entries_about_effect(ticket: TicketFacts, effect: Effect) -> tuple[Entry, ...]:
    """What the ticket's history says of the effect; times on the clock of its helpdesk."""
    entries = []
    if status.reopens(ticket.status, effect.status):
        entries.append(reopened(ticket.completed_at, ticket.calendar.zone))
    if ticket.status.id != effect.status.id:
        entries.append(status_changed(ticket.status.name, effect.status.name))
    if effect.deadline_at is not None and effect.deadline_at != ticket.deadline_at:
        entries.append(deadline_changed(ticket.deadline_at, effect.deadline_at, ticket.calendar.zone))
    return tuple(entries)


def _deadline(nature: Nature, ticket: TicketFacts) -> datetime | None:
    return deadlines.after_supplement(
        ticket.deadline_at,
        recalculate=ticket.recalculate_deadline,
        resolution_minutes=ticket.resolution_minutes,
        arrived_at=nature.arrived_at,
        calendar=ticket.calendar,
    )
