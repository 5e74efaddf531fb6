"""What a supplement does to its ticket, and who sees it (SPEC A7, A8, A10, D2, D3, D6, D12, D15, D20)."""

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
class Effect:
    """The ticket after the supplement, and the supplement's two settings of visibility («zichtbaar klant»)."""

    status: Status
    deadline_at: datetime | None
    completed_at: datetime | None
    visible_to_customer: bool
    held_for_review: bool


def effect_on_ticket(mail: ClassifiedMail, ticket: TicketFacts, author: Author, verdict: Verdict) -> Effect:
    """The effect of a supplement, by the rules of the ticket's own helpdesk (D15).

    Automatic mail (D6), an employee who is not to be treated as a customer (D12) and a stranger who is held (D20)
    leave status and deadline as they are; the last two are not shown to the customer. What an employee forwards is an
    employee's mail here, whoever sent it first: his own words may stand above it.
    """
    held = ticket.hold_strangers and verdict.relation is Relation.STRANGER
    by_employee = author.employee_id is not None or mail.forwarded_by is not None
    internal = by_employee and not ticket.treat_employee_as_customer
    if mail.automatic is not None or internal or held:
        new_status, deadline_at = ticket.status, ticket.deadline_at
    else:
        new_status, deadline_at = status.after_supplement(ticket.status, ticket.portal_status), _deadline(mail, ticket)
    return Effect(
        status=new_status,
        deadline_at=deadline_at,
        completed_at=None if status.reopens(ticket.status, new_status) else ticket.completed_at,
        visible_to_customer=new_status.visible_to_customer and not internal and not held,
        held_for_review=held,
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


def _deadline(mail: ClassifiedMail, ticket: TicketFacts) -> datetime | None:
    return deadlines.after_supplement(
        ticket.deadline_at,
        recalculate=ticket.recalculate_deadline,
        resolution_minutes=ticket.resolution_minutes,
        arrived_at=mail.received_at,
        calendar=ticket.calendar,
    )
