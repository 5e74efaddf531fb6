"""What a preview is filled with: a real ticket, or the examples of the placeholders. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from shared.templates.facts import MailFacts
from shared.templates.kinds import TemplateKind
from shared.templates.placeholders import OF_SUMMARIES, PLACEHOLDERS
from shared.templates.render import Value
from shared.templates.values import values_of


def values(kind: TemplateKind, facts: MailFacts | None) -> Mapping[str, Value]:
    """A value for each placeholder; without facts an invented ticket."""
    examples = {one.name: Value(one.example) for one in (PLACEHOLDERS if kind.of_ticket else OF_SUMMARIES)}
    if facts is None:
        return examples
    # where the ticket names nobody to send it to, somebody invented gets it
    return {**values_of(facts), **({} if facts.recipient else {"ontvanger": examples["ontvanger"]})}
