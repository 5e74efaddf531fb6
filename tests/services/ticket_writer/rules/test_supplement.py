"""A supplement, field by field, and what it does to its ticket (A1–A12, D2, D3, D6, D12, D15, D16, D20)."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import product
from typing import Any

import pytest

from services.ticket_writer.rules.facts import Contact, Employee, Facts, SenderFacts, TicketFacts
from services.ticket_writer.rules.outcome import Supplement, decide_outcome
from services.ticket_writer.rules.record import Record, SupplementColumns, TicketChange
from services.ticket_writer.rules.supplement import supplement
from services.ticket_writer.rules.verdict import FoundBy, Relation, Verdict
from shared.messages import AutomaticKind, Bodies, Body, ClassifiedMail, DmarcResult, Reason, ReasonId
from shared.portal.history import EntryKind
from tests.services.ticket_writer.givens import (
    ABOVE,
    ARRIVED,
    CLOSED,
    COLLEAGUE,
    CUSTOMER,
    DEFAULT_CONTACT,
    EXECUTOR,
    HIDDEN,
    IMPORTED,
    IMPORTER_ID,
    NOW,
    OUTSIDER,
    REPLIED,
    WHOLE,
    candidate,
    facts,
    image,
    left_out,
    mail,
    ticket,
)

DEADLINE = datetime(2026, 3, 20, 9, 0, tzinfo=UTC)
COMPLETED = datetime(2026, 2, 20, 15, 0, tzinfo=UTC)
RECALCULATED = datetime(2026, 3, 2, 13, 55, tzinfo=UTC)
"""Two working hours after the arrival, at 12:55 in Amsterdam."""
EMPLOYEE = facts(sender=SenderFacts(employee=Employee(77, "Els")))
STRANGER = SenderFacts(contacts=(OUTSIDER,))


def record(known: Facts | None = None, **changes: Any) -> Record:
    known = known or facts()
    known = known if known.ticket is not None else replace(known, ticket=ticket())
    given = mail(**{"candidates": (candidate(),), **changes})
    decision = decide_outcome(given, known)
    assert isinstance(decision, Supplement)
    assert isinstance(given.bodies, Bodies)
    return supplement(given, given.bodies, known, decision)


def columns(known: Facts | None = None, **changes: Any) -> SupplementColumns:
    found = record(known, **changes).columns
    assert isinstance(found, SupplementColumns)
    return found


def change(known: Facts | None = None, **changes: Any) -> TicketChange:
    found = record(known, **changes).change
    assert found is not None
    return found


def stranger(given: TicketFacts | None = None) -> Facts:
    given = given or ticket()
    return facts(replace(given, participants=frozenset(), sender_took_part=False), sender=STRANGER)


def ids(found: Record) -> list[str]:
    return [reason.id for reason in found.reasons]


def kinds(found: Record) -> list[EntryKind]:
    return [entry.kind for entry in found.history]


def test_A1_history_says_that_the_ticket_was_supplemented_by_mail_import() -> None:
    first = record().history[0]
    assert first.kind is EntryKind.SUPPLEMENTED
    assert first.description == "Ticket aangevuld via mail import, met een e-mail van Jan Klant <jan@klant.example>."


def test_A2_belongs_to_the_ticket_in_the_subject() -> None:
    assert columns().ticket_id == 51


def test_A3_reported_when_the_mail_arrived() -> None:
    assert columns().reported_at == ARRIVED


@pytest.mark.parametrize(
    ("known", "person_id", "employee_id"),
    [
        pytest.param(facts(), CUSTOMER.person_id, None, id="contact"),
        pytest.param(EMPLOYEE, None, 77, id="employee (D12)"),
        pytest.param(facts(sender=SenderFacts()), DEFAULT_CONTACT.person_id, None, id="unknown: S5"),
    ],
)
def test_A5_A11_informant_and_creator(known: Facts, person_id: int | None, employee_id: int | None) -> None:
    found = columns(known)
    assert (found.informant_person_id, found.informant_employee_id) == (person_id, employee_id)
    assert (found.created_by_person_id, found.created_by_employee_id) == (person_id, employee_id)


def test_D12_of_several_contacts_a_participant_goes_before_the_oldest() -> None:
    known = facts(
        ticket(participants=frozenset({COLLEAGUE.person_id})), sender=SenderFacts(contacts=(OUTSIDER, COLLEAGUE))
    )
    assert columns(known).informant_person_id == COLLEAGUE.person_id


def test_D12_an_active_contact_goes_before_a_participant() -> None:
    former = Contact(COLLEAGUE.person_id, COLLEAGUE.organisation_id, active=False)
    known = facts(ticket(participants=frozenset({former.person_id})), sender=SenderFacts(contacts=(former, OUTSIDER)))
    assert columns(known).informant_person_id == OUTSIDER.person_id


def test_A6_only_what_stands_above_the_marker_and_the_whole_behind_it() -> None:
    found = record(bodies=Bodies(whole=WHOLE, above_marker=ABOVE))
    assert found.body.body_html == ABOVE.html
    assert (found.body.body_full_html, found.body.body_full_text) == (WHOLE.html, WHOLE.text)
    assert ReasonId.ABOVE_MARKER in ids(found)


def test_S7_without_a_marker_the_whole_body_is_imported() -> None:
    found = record()
    assert found.body.body_html == WHOLE.html
    assert ReasonId.ABOVE_MARKER not in ids(found)


def test_D16_nothing_above_the_marker_imports_the_whole_with_that_reason() -> None:
    found = record(reasons=(Reason(id=ReasonId.NOTHING_ABOVE_MARKER),))
    assert found.body.body_html == WHOLE.html
    assert ReasonId.NOTHING_ABOVE_MARKER in ids(found)


def test_D16_images_that_stand_only_below_the_marker_are_not_stored() -> None:
    above, below, attached = image("boven.png"), image("onder.png"), image("bijlage.png")
    bodies = Bodies(
        whole=Body(html="", text="", attachment_ids=(above.id, below.id, attached.id)),
        above_marker=Body(html="", text="", attachment_ids=(above.id, attached.id)),
    )
    assert record(bodies=bodies, images=(above, below, attached)).images == (above, attached)


@pytest.mark.parametrize("visible", [True, False])
@pytest.mark.parametrize("expanded", [True, False])
def test_A7_visible_and_expanded_as_the_status_afterwards_says(*, visible: bool, expanded: bool) -> None:
    afterwards = replace(REPLIED, visible_to_customer=visible, expanded=expanded)
    found = columns(facts(ticket(portal_status=afterwards)))
    assert (found.visible_to_customer, found.expanded) == (visible, expanded)


def test_A8_status_of_ticket_and_supplement_is_the_helpdesks_setting() -> None:
    assert columns().status_id == REPLIED.id
    assert change().status_id == REPLIED.id
    assert "Status gewijzigd van «E-mail Geïmporteerd» in «Reactie van klant»." in [
        entry.description for entry in record().history
    ]


def test_D2_an_empty_setting_leaves_the_status() -> None:
    found = record(facts(ticket(portal_status=None, recalculate_deadline=False)))
    assert found.change is not None
    assert found.change.status_id == IMPORTED.id
    assert kinds(found) == [EntryKind.SUPPLEMENTED]


def test_D2_reopening_clears_the_date_completed_and_keeps_it_in_the_history() -> None:
    found = record(facts(ticket(status=CLOSED, completed_at=COMPLETED)))
    assert found.change is not None
    assert found.change.completed_at is None
    assert EntryKind.REOPENED in kinds(found)
    assert "20-02-2026 16:00" in found.history[1].description


def test_D2_a_closed_ticket_that_stays_closed_keeps_its_date() -> None:
    found = record(facts(ticket(status=CLOSED, portal_status=None, completed_at=COMPLETED)))
    assert found.change is not None
    assert found.change.completed_at == COMPLETED
    assert EntryKind.REOPENED not in kinds(found)


def test_A9_priority_executor_planned_date_recalculate_and_time_needed_are_noted_as_they_were() -> None:
    found = columns(facts(ticket(planned_at=DEADLINE, time_needed_hours=Decimal("1.50"))))
    assert (found.priority_id, found.executor_id, found.planned_at) == (42, EXECUTOR.employee_id, DEADLINE)
    assert (found.recalculate_deadline, found.time_needed_hours) == (True, Decimal("1.50"))


def test_A10_D3_the_deadline_is_recalculated_from_the_arrival() -> None:
    found = record(facts(ticket(deadline_at=DEADLINE)))
    assert isinstance(found.columns, SupplementColumns)
    assert found.change is not None
    assert found.columns.deadline_at == found.change.deadline_at == RECALCULATED
    assert "Datum deadline herberekend: was 20-03-2026 10:00, wordt 02-03-2026 14:55." in [
        entry.description for entry in found.history
    ]


def test_A10_the_deadline_is_unchanged_when_recalculation_is_off() -> None:
    found = record(facts(ticket(deadline_at=DEADLINE, recalculate_deadline=False)))
    assert found.change is not None
    assert found.change.deadline_at == DEADLINE
    assert EntryKind.DEADLINE_CHANGED not in kinds(found)


def test_A12_last_changed_at_import_by_the_default_employee() -> None:
    found = columns()
    assert (found.changed_at, found.changed_by_employee_id) == (NOW, IMPORTER_ID)


@pytest.mark.parametrize("kind", AutomaticKind)
def test_D6_automatic_mail_never_changes_status_or_deadline(kind: AutomaticKind) -> None:
    known = facts(ticket(status=CLOSED, deadline_at=DEADLINE, completed_at=COMPLETED))
    found = record(known, automatic=kind)
    assert isinstance(found.columns, SupplementColumns)
    assert found.change == TicketChange(CLOSED.id, DEADLINE, COMPLETED)
    assert found.columns.automatic == kind.value
    assert found.columns.visible_to_customer
    assert ReasonId.AUTOMATIC in ids(found)


def test_D6_a_bounce_without_a_sender_has_the_default_contact_as_informant() -> None:
    known = facts(ticket(named_number=None), sender=SenderFacts())
    found = record(known, sender=None, automatic=AutomaticKind.BOUNCE, own_message_id="ours@desk.example")
    assert isinstance(found.columns, SupplementColumns)
    assert found.columns.informant_person_id == DEFAULT_CONTACT.person_id
    assert found.sender.sender_address == ""
    assert found.notifications[0].not_sent is not None


def test_D12_an_employees_supplement_is_not_shown_and_leaves_status_and_deadline() -> None:
    known = replace(EMPLOYEE, ticket=ticket(deadline_at=DEADLINE, sender_took_part=False))
    found = record(known)
    assert isinstance(found.columns, SupplementColumns)
    assert not found.columns.visible_to_customer
    assert found.change == TicketChange(IMPORTED.id, DEADLINE, None)
    assert not found.columns.needs_review


def test_D12_setting_treats_an_employee_as_a_customer() -> None:
    known = replace(EMPLOYEE, ticket=ticket(treat_employee_as_customer=True))
    found = columns(known)
    assert found.visible_to_customer
    assert found.status_id == REPLIED.id
    assert found.informant_employee_id == 77


def test_D20_a_strangers_supplement_is_imported_and_marked_for_review() -> None:
    found = record(stranger())
    assert isinstance(found.columns, SupplementColumns)
    assert (found.columns.needs_review, found.columns.held_for_review) == (True, False)
    assert found.columns.visible_to_customer
    assert found.columns.status_id == REPLIED.id
    assert ReasonId.STRANGER in ids(found)


def test_D20_setting_holds_a_stranger_until_accepted() -> None:
    found = record(stranger(ticket(hold_strangers=True, deadline_at=DEADLINE)))
    assert isinstance(found.columns, SupplementColumns)
    assert (found.columns.needs_review, found.columns.held_for_review) == (True, True)
    assert not found.columns.visible_to_customer
    assert found.change == TicketChange(IMPORTED.id, DEADLINE, None)


@pytest.mark.parametrize(
    ("known", "relation"),
    [
        pytest.param(facts(ticket()), "contact", id="the ticket's contact"),
        pytest.param(
            facts(ticket(participants=frozenset({13})), sender=STRANGER), "participant", id="wrote on it before"
        ),
        pytest.param(
            facts(ticket(participants=frozenset()), sender=SenderFacts()), "participant", id="unknown, but wrote before"
        ),
        pytest.param(
            facts(
                ticket(participants=frozenset(), sender_took_part=False),
                sender=SenderFacts(contacts=(COLLEAGUE,)),
            ),
            "organisation",
            id="of its organisation",
        ),
        pytest.param(replace(EMPLOYEE, ticket=ticket(sender_took_part=False)), "employee", id="employee"),
        pytest.param(stranger(), "stranger", id="nobody of these"),
    ],
)
def test_D20_who_is_no_stranger(known: Facts, relation: str) -> None:
    found = columns(known)
    assert found.verdict["relation"] == relation
    assert found.needs_review is (relation == "stranger")


def test_D20_a_bounce_of_our_own_mail_is_no_stranger() -> None:
    known = stranger(ticket(named_number=None))
    found = columns(known, automatic=AutomaticKind.BOUNCE, own_message_id="ours@desk.example")
    assert (found.verdict["relation"], found.verdict["found_by"]) == ("own-message", "own-message")
    assert not found.needs_review


def test_every_verdict_is_a_sentence() -> None:
    for found_by, relation, dmarc in product(FoundBy, Relation, DmarcResult):
        sentence = Verdict(found_by, "1000001", relation, dmarc).sentence
        assert sentence.count("; ") == 2
        assert sentence.endswith(".")


@pytest.mark.parametrize(
    ("known", "changes", "grade"),
    [
        pytest.param(facts(), {}, "strong", id="contact, introduced number"),
        pytest.param(facts(), {"candidates": (candidate(bare=True),)}, "fair", id="contact, bare number"),
        pytest.param(facts(), {"dmarc": DmarcResult.FAIL}, "weak", id="forged contact"),
        pytest.param(stranger(), {"dmarc": DmarcResult.PASS}, "weak", id="stranger"),
    ],
)
def test_the_verdict_is_graded(known: Facts, changes: dict[str, Any], grade: str) -> None:
    found = columns(known, **changes)
    assert found.verdict["grade"] == grade
    assert found.verdict["number"] == "1000001"
    assert found.needs_review is (grade == "weak")


def test_D15_the_tickets_helpdesk_decides_and_the_mailboxs_gives_S5_and_S6() -> None:
    theirs = replace(HIDDEN, id=201)
    known = facts(ticket(helpdesk_id=2, helpdesk_name="Facilitair", portal_status=theirs), sender=SenderFacts())
    found = columns(known)
    assert found.status_id == 201
    assert not found.visible_to_customer
    assert found.informant_person_id == DEFAULT_CONTACT.person_id
    assert found.changed_by_employee_id == IMPORTER_ID


def test_a_merged_ticket_is_named_in_the_targets_history() -> None:
    found = record(facts(ticket(merged=True, portal_status=None, recalculate_deadline=False)))
    assert found.history[1].description == "De e-mail noemde ticket 1000001, dat met dit ticket is samengevoegd."


def test_D4_attachments_left_out_are_named_in_the_tickets_history() -> None:
    assert EntryKind.ATTACHMENTS_LEFT_OUT in kinds(record(left_out=(left_out(),)))


def test_the_classified_mail_is_left_as_it_was() -> None:
    given = mail(candidates=(candidate(),))
    before = given.model_dump_json()
    decision = decide_outcome(given, facts(ticket()))
    assert isinstance(decision, Supplement)
    assert isinstance(given.bodies, Bodies)
    supplement(given, given.bodies, facts(ticket()), decision)
    assert ClassifiedMail.model_validate_json(before) == given


TRIMMED = Body(html="<p>Kort</p>", text="Kort")


@pytest.mark.parametrize(
    ("given", "bodies", "changes", "shown"),
    [
        pytest.param({}, Bodies(whole=WHOLE, trimmed=TRIMMED), {}, WHOLE, id="off by default"),
        pytest.param({"trim_replies": True}, Bodies(whole=WHOLE, trimmed=TRIMMED), {}, TRIMMED, id="on"),
        pytest.param(
            {"trim_replies": True},
            Bodies(whole=WHOLE, above_marker=ABOVE, trimmed=TRIMMED),
            {},
            TRIMMED,
            id="marker too",
        ),
        pytest.param({"trim_replies": True}, Bodies(whole=WHOLE, above_marker=ABOVE), {}, ABOVE, id="nothing trimmed"),
        pytest.param(
            {"trim_replies": True},
            Bodies(whole=WHOLE, trimmed=TRIMMED),
            {"reasons": (Reason(id=ReasonId.NOTHING_ABOVE_MARKER),)},
            WHOLE,
            id="D16 nothing above the marker",
        ),
        pytest.param(
            {"trim_replies": True},
            Bodies(whole=WHOLE, trimmed=TRIMMED),
            {"automatic": AutomaticKind.BOUNCE},
            WHOLE,
            id="automatic",
        ),
    ],
)
def test_A6_setting_quotes_and_signatures_are_not_shown(
    given: dict[str, Any], bodies: Bodies, changes: dict[str, Any], shown: Body
) -> None:
    target = ticket(**given)
    known = facts(target)
    record = supplement(mail(candidates=(candidate(),), **changes), bodies, known, Supplement(target, ()))
    assert (record.body.body_html, record.body.body_full_html) == (shown.html, WHOLE.html)
    ids = [reason.id for reason in record.reasons]
    assert (ReasonId.REPLY_TRIMMED in ids) is (shown is TRIMMED)
    if bodies.above_marker is not None:
        assert ReasonId.ABOVE_MARKER in ids
