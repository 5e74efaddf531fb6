"""What a preview is filled with: a real ticket as far as the console reads it, and the examples of the placeholders.

Of a ticket the console reads number, time and text, and of its mail who sent it and what came with it; it has no right
to the rest (`helpdesk.tickets`), for which the placeholders' own examples stand. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from shared.templates.facts import MailFacts
from shared.templates.kinds import TemplateKind
from shared.templates.placeholders import OF_SUMMARIES, PLACEHOLDERS
from shared.templates.render import Value
from shared.templates.values import values_of

UNREAD: Final = (
    "organisatie", "contactpersoon", "aanmelder", "status", "prioriteit", "soort", "omgeving", "ticketmanager",
    "uitvoerder", "deadline",
)  # fmt: skip


def values(kind: TemplateKind, facts: MailFacts | None) -> Mapping[str, Value]:
    """A value for each placeholder; without facts an invented ticket."""
    examples = {one.name: Value(one.example) for one in (PLACEHOLDERS if kind.of_ticket else OF_SUMMARIES)}
    if facts is None:
        return examples
    employee = () if kind is TemplateKind.TICKET_ADDED_CUSTOMER else ("ontvanger",)
    return {**values_of(facts), **{name: examples[name] for name in (*UNREAD, *employee)}}
