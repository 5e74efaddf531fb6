"""A new ticket, field by field (N1–N18, D12, D17, D19). What N11, N13, N14 and N16 leave empty: test_tickets.py."""

import uuid

import pytest

from services.ticket_writer.rules.author import IncompleteSettings
from services.ticket_writer.rules.facts import Claim, Contact, Employee, Facts, MailboxFacts, SenderFacts
from services.ticket_writer.rules.needs_review import reasons_for_review
from services.ticket_writer.rules.new_ticket import new_ticket
from services.ticket_writer.rules.outcome import NewTicket, decide_outcome
from services.ticket_writer.rules.record import Record, TicketColumns
from services.ticket_writer.rules.verdict import FoundBy, Relation, Verdict
from shared.messages import AutomaticKind, Bodies, Body, ClassifiedMail, DmarcResult, MailAddress, Reason, ReasonId
from shared.portal.history import EntryKind
from shared.portal.reasons import FOR_REVIEW
from tests.services.ticket_writer.givens import (
    ABOVE,
    ARRIVED,
    COLLEAGUE,
    CUSTOMER,
    DEFAULT_CONTACT,
    IMPORTED,
    IMPORTER_ID,
    NOW,
    WHOLE,
    facts,
    image,
    left_out,
    mail,
    mailbox,
    sender,
)

UNKNOWN = SenderFacts()


def record(given: ClassifiedMail | None = None, known: Facts | None = None) -> Record:
    given = given or mail()
    known = known or facts()
    decision = decide_outcome(given, known)
    assert isinstance(decision, NewTicket)
    assert isinstance(given.bodies, Bodies)
    return new_ticket(given, given.bodies, known, decision)


def columns(given: ClassifiedMail | None = None, known: Facts | None = None) -> TicketColumns:
    found = record(given, known).columns
    assert isinstance(found, TicketColumns)
    return found


def ids(found: Record) -> list[str]:
    return [reason.id for reason in found.reasons]


def test_N1_history_says_that_the_ticket_was_created_by_mail_import() -> None:
    first = record().history[0]
    assert first.kind is EntryKind.CREATED
    assert first.description == "Ticket aangemaakt via mail import, uit een e-mail van Jan Klant <jan@klant.example>."


def test_N2_the_sender_is_the_contact() -> None:
    found = columns()
    assert (found.contact_id, found.organisation_id) == (CUSTOMER.person_id, CUSTOMER.organisation_id)


def test_N2_unknown_sender_becomes_default_contact() -> None:
    found = columns(mail(sender=sender(known=False)), facts(sender=UNKNOWN))
    assert (found.contact_id, found.organisation_id) == (DEFAULT_CONTACT.person_id, DEFAULT_CONTACT.organisation_id)


def test_D10_the_real_sender_is_kept_when_the_default_contact_stands_in() -> None:
    found = record(mail(sender=sender("vreemd@elders.example", known=False), cc=(MailAddress(address="cc@x.example"),)))
    assert found.sender.sender_address == "vreemd@elders.example"
    assert found.sender.sender_name == "Jan Klant"
    assert found.sender.sender_cc == (MailAddress(address="cc@x.example"),)
    assert found.sender.sender_to == (MailAddress(name="Helpdesk", address="helpdesk@desk.example"),)


def test_D12_an_employee_is_recorded_as_sender_and_the_default_contact_as_contact() -> None:
    known = facts(sender=SenderFacts(employee=Employee(77, "Els")))
    found = record(mail(sender=sender(employee_id=77)), known)
    assert isinstance(found.columns, TicketColumns)
    assert found.columns.contact_id == DEFAULT_CONTACT.person_id
    assert found.sender.sender_employee_id == 77
    assert found.sender.sender_person_id is None
    assert ReasonId.EMPLOYEE in ids(found)


def test_D12_an_address_that_is_both_is_a_contact() -> None:
    known = facts(sender=SenderFacts(contacts=(CUSTOMER,), employee=Employee(77, "Els")))
    found = record(mail(), known)
    assert found.sender.sender_person_id == CUSTOMER.person_id
    assert found.sender.sender_employee_id is None


@pytest.mark.parametrize(
    ("contacts", "expected"),
    [
        pytest.param((Contact(1, 9, active=False), Contact(2, 9)), 2, id="active before inactive"),
        pytest.param((Contact(1, 9), Contact(2, 9)), 1, id="the oldest, who comes first"),
        pytest.param((Contact(1, 9, active=False), Contact(2, 9, active=False)), 1, id="all inactive"),
    ],
)
def test_D12_several_contacts_with_one_address(contacts: tuple[Contact, ...], expected: int) -> None:
    found = record(mail(), facts(sender=SenderFacts(contacts=contacts)))
    assert isinstance(found.columns, TicketColumns)
    assert found.columns.contact_id == expected
    assert ReasonId.SEVERAL_CONTACTS in ids(found)


def test_D12_an_inactive_contact_is_known_and_reported() -> None:
    found = record(mail(), facts(sender=SenderFacts(contacts=(Contact(1, 9, active=False),))))
    assert ReasonId.CONTACT_INACTIVE in ids(found)


def test_N3_created_by_the_default_employee() -> None:
    assert columns().created_by_employee_id == IMPORTER_ID


def test_N4_helpdesk_of_the_mailbox() -> None:
    assert columns().helpdesk_id == 1


def test_N5_reported_when_the_mail_arrived() -> None:
    assert columns().reported_at == ARRIVED


def test_N7_N8_subject_and_title_are_the_mails_subject() -> None:
    found = columns(mail(subject="De printer doet het niet"))
    assert (found.mail_subject, found.title) == ("De printer doet het niet", "De printer doet het niet")


@pytest.mark.parametrize("subject", ["", "  \t "])
def test_D19_without_a_subject_the_title_says_so(subject: str) -> None:
    found = record(mail(subject=subject))
    assert isinstance(found.columns, TicketColumns)
    assert found.columns.title == "(geen onderwerp)"
    assert found.columns.mail_subject == subject
    assert ReasonId.NO_SUBJECT in ids(found)


def test_N9_the_whole_body_whatever_the_marker() -> None:
    given = mail(bodies=Bodies(whole=WHOLE, above_marker=ABOVE), reasons=(Reason(id=ReasonId.ABOVE_MARKER),))
    found = record(given)
    assert (found.body.body_html, found.body.body_full_html) == (WHOLE.html, WHOLE.html)
    assert found.body.body_full_text == WHOLE.text
    assert ReasonId.ABOVE_MARKER not in ids(found)


def test_N9_W4_images_of_the_body_in_its_order() -> None:
    first, second = image("1.png"), image("2.png")
    body = Body(html="", text="", attachment_ids=(second.id, first.id, second.id))
    assert record(mail(bodies=Bodies(whole=body), images=(first, second))).images == (second, first)


def test_N10_type_priority_and_environment_are_the_helpdesks_defaults() -> None:
    found = columns()
    assert (found.ticket_type_id, found.priority_id, found.environment_id) == (41, 42, 43)


def test_N10_N12_without_defaults_they_stay_empty() -> None:
    bare = mailbox(ticket_type_id=None, priority_id=None, environment_id=None, ticket_manager=None, executor=None)
    found = columns(known=facts(mailbox=bare))
    empty = (
        found.ticket_type_id,
        found.priority_id,
        found.environment_id,
        found.ticket_manager_id,
        found.executor_id,
    )
    assert empty == (None, None, None, None, None)


def test_N12_manager_and_executor_are_the_helpdesks_defaults() -> None:
    found = columns()
    assert (found.ticket_manager_id, found.executor_id) == (32, 33)


def test_N15_status_with_the_flag() -> None:
    assert columns().status_id == IMPORTED.id


@pytest.mark.parametrize("setting", [True, False])
def test_N17_recalculate_deadline_is_the_helpdesks_setting(*, setting: bool) -> None:
    assert columns(known=facts(mailbox=mailbox(recalculate_deadline=setting))).recalculate_deadline is setting


def test_N18_last_changed_at_import_by_the_default_employee() -> None:
    found = columns()
    assert (found.changed_at, found.changed_by_employee_id) == (NOW, IMPORTER_ID)


def test_D4_attachments_left_out_are_named_in_the_history() -> None:
    found = record(mail(left_out=(left_out(),)))
    assert [entry.kind for entry in found.history] == [EntryKind.CREATED, EntryKind.ATTACHMENTS_LEFT_OUT]
    assert "factuur.pdf (application/pdf, 2 kB): geen plaatje" in found.history[1].description


def test_D6_automatic_mail_is_a_ticket_marked_as_automatic() -> None:
    assert columns(mail(automatic=AutomaticKind.OUT_OF_OFFICE)).automatic == "out-of-office"


@pytest.mark.parametrize("reason", [ReasonId.TOO_LARGE, ReasonId.UNREADABLE, ReasonId.OUR_ERROR])
def test_D17_a_mail_that_was_not_read_whole_says_so(reason: ReasonId) -> None:
    found = record(mail(reasons=(Reason(id=reason, detail="60 MB"),)))
    assert found.history[1].kind is EntryKind.NOTE
    assert found.history[1].description.endswith("(60 MB).")
    assert reason in ids(found)


def test_D13_a_ticket_names_the_other_helpdesks_ticket() -> None:
    other = Claim(uuid.uuid4(), 2, "Facilitair", 52, "1000009", same_text=True)
    found = record(known=facts(claims=(other,)))
    assert "helpdesk «Facilitair»" in found.history[1].description
    assert "ticket 1000009" in found.history[1].description


def test_D13_the_same_message_id_with_other_content_is_listed_for_a_person() -> None:
    found = record(known=facts(same_message_id_differs=True))
    assert isinstance(found.columns, TicketColumns)
    assert found.columns.needs_review
    assert ReasonId.SAME_MESSAGE_ID_DIFFERS in ids(found)


def test_D10_a_forged_sender_is_marked_for_review() -> None:
    found = record(mail(dmarc=DmarcResult.FAIL))
    assert isinstance(found.columns, TicketColumns)
    assert found.columns.needs_review
    assert ReasonId.FORGED_SENDER in ids(found)


def test_D20_every_reason_to_look_at_a_mail_is_known_as_one_where_they_are_listed() -> None:
    stranger = Verdict(FoundBy.BARE_NUMBER, "1000001", Relation.STRANGER, DmarcResult.FAIL)
    reasons = reasons_for_review(mail(dmarc=DmarcResult.FAIL), facts(same_message_id_differs=True), stranger)
    assert {reason.id for reason in reasons} == FOR_REVIEW


def test_an_ordinary_ticket_needs_no_review() -> None:
    assert not columns().needs_review


def test_a_ticket_for_a_number_that_is_gone_says_so_in_its_history() -> None:
    found = record(known=facts(gone_numbers=("1000001",)))
    assert "1000001, maar dat bestaat niet meer" in found.history[1].description


def test_D7_each_reason_stands_once_and_the_outcomes_come_first() -> None:
    given = mail(reasons=(Reason(id=ReasonId.CONTACT_KNOWN), Reason(id=ReasonId.ATTACHMENTS_LEFT_OUT, detail="1")))
    assert ids(record(given)) == [
        ReasonId.NO_TICKET_NUMBER,
        ReasonId.CONTACT_KNOWN,
        ReasonId.ATTACHMENTS_LEFT_OUT,
    ]


@pytest.mark.parametrize(
    ("known", "what"),
    [
        pytest.param(mailbox(default_employee_id=None), "S6", id="S6"),
        pytest.param(mailbox(imported_status_id=None), "M5", id="M5"),
    ],
)
def test_incomplete_settings_say_what_to_set(known: MailboxFacts, what: str) -> None:
    with pytest.raises(IncompleteSettings, match=what):
        record(known=facts(mailbox=known))


def test_without_S5_only_a_known_contact_can_be_imported() -> None:
    bare = mailbox(default_contact=None)
    assert columns(known=facts(mailbox=bare)).contact_id == CUSTOMER.person_id
    with pytest.raises(IncompleteSettings, match="S5"):
        record(mail(sender=sender(known=False)), facts(mailbox=bare, sender=UNKNOWN))


def test_N2_a_contact_who_was_removed_meanwhile_is_unknown() -> None:
    found = columns(mail(sender=sender("jan@klant.example", COLLEAGUE)), facts(sender=UNKNOWN))
    assert found.contact_id == DEFAULT_CONTACT.person_id
