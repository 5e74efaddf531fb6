"""What a person's acceptance does (SPEC D13, D20): what was held back happens now, by the rule of every supplement.

The ticket and its helpdesk's settings are taken as they are now; the deadline counts from the mail's arrival (D3).
"""

from __future__ import annotations

from dataclasses import dataclass

from services.ticket_writer.rules.effect import Effect, Nature, effect_on_ticket, entries_about_effect
from services.ticket_writer.rules.facts import TicketFacts
from shared.portal.history import Entry, note


@dataclass(frozen=True, slots=True)
class Accepted:
    """What the history says; `effect` is what changes in the ticket, None where nothing was held back."""

    history: tuple[Entry, ...]
    effect: Effect | None = None


def accept_ticket() -> Accepted:
    """A ticket that a person has looked at stays as it is."""
    return Accepted((note("Ticket beoordeeld en geaccepteerd."),))


def accept_supplement(nature: Nature, ticket: TicketFacts, *, held: bool) -> Accepted:
    """A supplement that a person has looked at; one that was held has its effect on the ticket now."""
    if not held:
        return Accepted((note("Aanvulling beoordeeld en geaccepteerd."),))
    effect = effect_on_ticket(nature, ticket)
    by_stranger = note("Aanvulling van een onbekende bij dit ticket beoordeeld en geaccepteerd.")
    return Accepted((by_stranger, *entries_about_effect(ticket, effect)), effect)
