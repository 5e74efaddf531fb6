"""D20: a supplement that is accepted later leaves what it would have left if nobody had held it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any, Final

import pytest

from services.ticket_writer.rules.acceptance import accept_supplement, accept_ticket
from services.ticket_writer.rules.effect import Nature
from services.ticket_writer.rules.facts import Contact, Employee, Facts, SenderFacts, TicketFacts
from services.ticket_writer.rules.outcome import Supplement
from services.ticket_writer.rules.record import Record, SupplementColumns
from services.ticket_writer.rules.supplement import supplement
from shared.messages import AutomaticKind, Bodies, ClassifiedMail
from shared.portal.history import EntryKind
from tests.services.ticket_writer.givens import (
    ARRIVED,
    CLOSED,
    HIDDEN,
    IMPORTED,
    NOW,
    OUTSIDER,
    REPLIED,
    WHOLE,
    candidate,
    facts,
    mail,
    sender,
    ticket,
)

SENDERS: Final[dict[str, tuple[dict[str, Any], SenderFacts]]] = {
    "unknown": ({"sender": sender("x@elders.example", known=False)}, SenderFacts()),
    "contact of another organisation": (
        {"sender": sender("x@elders.example", OUTSIDER)},
        SenderFacts(contacts=(OUTSIDER,)),
    ),
    "forwarded by an employee": (
        {
            "sender": sender("x@elders.example", known=False),
            "forwarded_by": sender("tom@desk.example", employee_id=33),
        },
        SenderFacts(),
    ),
    "employee": (
        {"sender": sender("els@desk.example", employee_id=34)},
        SenderFacts(employee=Employee(34, "Els")),
    ),
    "the contact himself": ({}, SenderFacts(contacts=(Contact(11, 21),))),
}
AUTOMATIC: Final = (None, AutomaticKind.OUT_OF_OFFICE, AutomaticKind.LIST)
STATUSES: Final = (IMPORTED, CLOSED, HIDDEN)
PORTAL_STATUSES: Final = (None, REPLIED, HIDDEN, CLOSED)
DEADLINES: Final = (None, NOW + timedelta(days=3))
YES_AND_NO: Final = (False, True)


def tickets() -> list[TicketFacts]:
    """A ticket in every state and every setting that the effect of a supplement depends on."""
    return [
        ticket(
            status=status,
            portal_status=portal_status,
            recalculate_deadline=recalculate,
            resolution_minutes=minutes,
            deadline_at=deadline_at,
            completed_at=ARRIVED if status is CLOSED else None,
            treat_employee_as_customer=as_customer,
            sender_took_part=False,
        )
        for status, portal_status, recalculate, minutes, deadline_at, as_customer in product(
            STATUSES, PORTAL_STATUSES, YES_AND_NO, (None, 120), DEADLINES, YES_AND_NO
        )
    ]


def imported(given: ClassifiedMail, around: Facts) -> tuple[Record, SupplementColumns]:
    """What the mail becomes at once."""
    assert around.ticket is not None
    record = supplement(given, Bodies(whole=WHOLE), around, Supplement(around.ticket, ()))
    assert isinstance(record.columns, SupplementColumns)
    return record, record.columns


def what_it_did(record: Record) -> list[tuple[EntryKind, str]]:
    """The history, save that a mail came in and that a person looked at it."""
    by_itself = {EntryKind.SUPPLEMENTED, EntryKind.NOTE}
    return [(entry.kind, entry.description) for entry in record.history if entry.kind not in by_itself]


@pytest.mark.parametrize("automatic", AUTOMATIC, ids=str)
@pytest.mark.parametrize("who", SENDERS)
def test_D20_accepted_later_equals_never_held(who: str, automatic: AutomaticKind | None) -> None:
    changes, known = SENDERS[who]
    given = mail(candidates=(candidate(),), automatic=automatic, **changes)
    for found in tickets():
        never_held, shown = imported(given, facts(replace(found, hold_strangers=False), sender=known))
        held, stored = imported(given, facts(replace(found, hold_strangers=True), sender=known))
        if not stored.held_for_review:
            assert (held, stored) == (never_held, shown)
            continue
        assert held.change is not None
        assert (stored.visible_to_customer, stored.status_id) == (False, found.status.id)
        assert (held.change.status_id, held.change.deadline_at) == (found.status.id, found.deadline_at)
        nature = Nature(stored.reported_at, stored.automatic is not None, stored.by_employee)
        accepted = accept_supplement(nature, found, held=True)
        effect = accepted.effect
        assert (effect is not None, never_held.change is not None) == (True, True)
        assert effect is not None
        assert never_held.change is not None
        assert (effect.status.id, effect.deadline_at, effect.completed_at) == (
            never_held.change.status_id,
            never_held.change.deadline_at,
            never_held.change.completed_at,
        )
        assert (effect.visible_to_customer, effect.status.expanded, effect.deadline_at) == (
            shown.visible_to_customer,
            shown.expanded,
            shown.deadline_at,
        )
        said = [(entry.kind, entry.description) for entry in accepted.history if entry.kind is not EntryKind.NOTE]
        assert said == what_it_did(never_held)


def test_D20_only_strangers_are_held() -> None:
    held = {}
    for who, (changes, known) in SENDERS.items():
        given = mail(candidates=(candidate(),), **changes)
        around = facts(ticket(hold_strangers=True, sender_took_part=False), sender=known)
        held[who] = imported(given, around)[1].held_for_review
    assert held == {
        "unknown": True,
        "contact of another organisation": True,
        "forwarded by an employee": True,
        "employee": False,
        "the contact himself": False,
    }


def test_D13_what_is_only_listed_changes_nothing_when_it_is_accepted() -> None:
    nature = Nature(ARRIVED, automatic=False, by_employee=False)
    for accepted in (accept_ticket(), accept_supplement(nature, ticket(), held=False)):
        assert accepted.effect is None
        assert [entry.kind for entry in accepted.history] == [EntryKind.NOTE]
