"""Who is mailed, or why not (M1–M4, D6, D10, D11, D12, D18)."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.ticket_writer.rules.author import identify_author
from services.ticket_writer.rules.facts import Contact, Employee, Facts, MailPolicy, SenderFacts
from services.ticket_writer.rules.recipients import (
    Notification,
    notifications_of_supplement,
    notifications_of_ticket,
)
from shared.messages import AutomaticKind, ClassifiedMail, DmarcResult, ImportChoice, NotificationKind
from shared.portal.mail_limits import Sent
from shared.portal.reasons import NotSentReason
from tests.services.ticket_writer.givens import CUSTOMER, EXECUTOR, MANAGER, NOW, facts, mail, mailbox, sender, ticket

M2 = NotificationKind.TICKET_ADDED_MANAGER
M3 = NotificationKind.SUPPLEMENT_ADDED_EXECUTOR
M4 = NotificationKind.TICKET_ADDED_CUSTOMER
FORMER = Employee(34, "Oud Gediende", active=False, address="oud@desk.example")
WITHOUT_ADDRESS = Employee(35, "Zonder Adres")
ELS = SenderFacts(employee=Employee(77, "Els", address="els@desk.example"))


def of_ticket(given: ClassifiedMail | None = None, known: Facts | None = None) -> dict[NotificationKind, Notification]:
    given = given or mail()
    known = known or facts()
    return {each.kind: each for each in notifications_of_ticket(given, known, identify_author(known))}


def of_supplement(given: ClassifiedMail | None = None, known: Facts | None = None) -> Notification:
    known = known or facts(ticket())
    assert known.ticket is not None
    (only,) = notifications_of_supplement(given or mail(), known, known.ticket)
    assert only.kind is M3
    return only


def test_M2_to_the_ticket_manager() -> None:
    found = of_ticket()[M2]
    assert (found.address, found.name, found.employee_id) == ("marieke@desk.example", "Marieke Manager", 32)
    assert found.not_sent is None


def test_M3_to_the_executor() -> None:
    found = of_supplement()
    assert (found.address, found.name, found.employee_id) == ("tom@desk.example", "Tom Uitvoerder", 33)
    assert found.not_sent is None


def test_M4_to_the_address_that_sent_the_mail() -> None:
    found = of_ticket()[M4]
    assert (found.address, found.name, found.person_id) == ("jan@klant.example", "Jan Klant", CUSTOMER.person_id)
    assert found.not_sent is None


def test_D10_M4_goes_to_an_unknown_sender_too_not_to_the_default_contact() -> None:
    found = of_ticket(mail(sender=sender("vreemd@elders.example", known=False)), facts(sender=SenderFacts()))[M4]
    assert (found.address, found.person_id, found.not_sent) == ("vreemd@elders.example", None, None)


def test_M1_off_silences_M2_and_M3_not_M4() -> None:
    off = MailPolicy(send_import_mails=False)
    found = of_ticket(known=facts(mailbox=mailbox(mails=off)))
    assert found[M2].not_sent is NotSentReason.MAILS_OFF
    assert found[M4].not_sent is None
    assert of_supplement(known=facts(ticket(mails=off))).not_sent is NotSentReason.MAILS_OFF


def test_D15_M1_of_the_tickets_helpdesk_decides_on_M3() -> None:
    known = facts(ticket(helpdesk_id=2), mailbox=mailbox(mails=MailPolicy(send_import_mails=False)))
    assert of_supplement(known=known).not_sent is None


@pytest.mark.parametrize(
    ("employee", "reason"),
    [
        pytest.param(None, NotSentReason.NO_RECIPIENT, id="nobody"),
        pytest.param(FORMER, NotSentReason.INACTIVE_RECIPIENT, id="inactive"),
        pytest.param(WITHOUT_ADDRESS, NotSentReason.NO_ADDRESS, id="without address"),
    ],
)
def test_D11_no_recipient_no_mail_with_the_reason(employee: Employee | None, reason: NotSentReason) -> None:
    assert of_ticket(known=facts(mailbox=mailbox(ticket_manager=employee)))[M2].not_sent is reason
    assert of_supplement(known=facts(ticket(executor=employee))).not_sent is reason


@pytest.mark.parametrize("employee", [None, FORMER, WITHOUT_ADDRESS])
def test_D11_setting_an_address_gets_what_has_no_recipient(employee: Employee | None) -> None:
    policy = MailPolicy(fallback_recipient="rest@desk.example")
    found = of_ticket(known=facts(mailbox=mailbox(ticket_manager=employee, mails=policy)))[M2]
    assert (found.address, found.employee_id, found.not_sent) == ("rest@desk.example", None, None)
    assert of_supplement(known=facts(ticket(executor=employee, mails=policy))).address == "rest@desk.example"


@pytest.mark.parametrize(
    ("given", "known"),
    [
        pytest.param(mail(sender=sender("TOM@desk.example")), facts(ticket()), id="same address, other case"),
        pytest.param(
            mail(sender=sender("tom.prive@thuis.example", employee_id=33)),
            facts(ticket(), sender=SenderFacts(employee=EXECUTOR)),
            id="another address of the employee",
        ),
        pytest.param(
            mail(sender=sender("tom.prive@thuis.example")),
            facts(ticket(), sender=SenderFacts(contacts=(CUSTOMER,), employee=EXECUTOR)),
            id="his address is a contact's too",
        ),
    ],
)
def test_D11_M3_is_not_sent_to_who_wrote_the_mail(given: ClassifiedMail, known: Facts) -> None:
    assert of_supplement(given, known).not_sent is NotSentReason.WROTE_THE_MAIL


def test_D11_M2_is_not_sent_to_who_wrote_the_mail() -> None:
    known = facts(sender=SenderFacts(employee=MANAGER))
    assert of_ticket(mail(sender=sender("marieke@desk.example")), known)[M2].not_sent is NotSentReason.WROTE_THE_MAIL


@pytest.mark.parametrize("kind", AutomaticKind)
def test_D6_automatic_mail_never_causes_a_mail(kind: AutomaticKind) -> None:
    found = of_ticket(mail(automatic=kind))
    assert {each.not_sent for each in found.values()} == {NotSentReason.AUTOMATIC}
    assert of_supplement(mail(automatic=kind)).not_sent is NotSentReason.AUTOMATIC


def test_D18_imported_without_mails() -> None:
    found = of_ticket(mail(choice=ImportChoice.IMPORT_WITHOUT_MAILS))
    assert {each.not_sent for each in found.values()} == {NotSentReason.WITHOUT_MAILS}


@pytest.mark.parametrize(
    ("age", "reason"),
    [
        pytest.param(timedelta(days=7), None, id="seven days"),
        pytest.param(timedelta(days=7, seconds=1), NotSentReason.OLD_MAIL, id="older than seven days"),
    ],
)
def test_D18_old_mail_never_sends_by_itself(age: timedelta, reason: NotSentReason | None) -> None:
    old = mail(received_at=NOW - age)
    assert {each.not_sent for each in of_ticket(old).values()} == {reason}
    assert of_supplement(old).not_sent is reason


def test_D18_the_number_of_days_is_a_setting() -> None:
    old = mail(received_at=NOW - timedelta(days=8))
    assert of_ticket(old, facts(mailbox=mailbox(old_mail_days=30)))[M4].not_sent is None


@pytest.mark.parametrize(
    ("changes", "known", "reason"),
    [
        pytest.param({"dmarc": DmarcResult.FAIL}, facts(), NotSentReason.FORGED_SENDER, id="forged"),
        pytest.param({"dmarc": DmarcResult.NONE}, facts(), None, id="no trusted check"),
        pytest.param({"return_path_empty": True}, facts(), NotSentReason.RETURN_PATH_EMPTY, id="empty return path"),
        pytest.param({"sender": sender("Helpdesk@desk.example")}, facts(), NotSentReason.OWN_ADDRESS, id="our own"),
        pytest.param({}, facts(sender=ELS), NotSentReason.EMPLOYEE, id="employee (D12)"),
        pytest.param(
            {}, facts(sender=ELS, mailbox=mailbox(confirm_to_employees=True)), None, id="employee, by setting (D12)"
        ),
    ],
)
def test_D10_when_M4_is_not_sent(changes: dict[str, Any], known: Facts, reason: NotSentReason | None) -> None:
    assert of_ticket(mail(**changes), known)[M4].not_sent is reason


def test_D10_what_bars_M4_does_not_bar_M2() -> None:
    assert of_ticket(mail(dmarc=DmarcResult.FAIL, return_path_empty=True))[M2].not_sent is None


def test_never_to_an_address_of_a_helpdesk() -> None:
    policy = MailPolicy(fallback_recipient="Helpdesk@desk.example")
    known = facts(mailbox=mailbox(ticket_manager=None, mails=policy))
    assert of_ticket(known=known)[M2].not_sent is NotSentReason.OWN_ADDRESS


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        pytest.param(Sent(9, 1), None, id="below both"),
        pytest.param(Sent(10, 0), NotSentReason.OVER_LIMIT, id="ten in 180 minutes"),
        pytest.param(Sent(2, 2), NotSentReason.OVER_LIMIT_SAME_SUBJECT, id="two about the same subject"),
        pytest.param(Sent(in_domain=30), NotSentReason.OVER_LIMIT_IN_DOMAIN, id="thirty in the domain"),
        pytest.param(Sent(to_unknown=99), None, id="99 to unknown senders"),
        pytest.param(Sent(to_unknown=100), NotSentReason.OVER_LIMIT_UNKNOWN_SENDERS, id="100 to unknown senders"),
        pytest.param(Sent(to_unknown=None), None, id="a known sender"),
        pytest.param(Sent(0, 0, unknown_recipient=True), NotSentReason.UNKNOWN_RECIPIENT, id="bounced with 5.1.1"),
    ],
)
def test_D10_limits_on_mails_to_a_customer(sent: Sent, reason: NotSentReason | None) -> None:
    known = facts(sender=SenderFacts(contacts=(CUSTOMER,), sent=sent))
    assert of_ticket(known=known)[M4].not_sent is reason


@pytest.mark.parametrize(
    ("to_unknown", "reason"),
    [
        pytest.param(None, None, id="a known sender"),
        pytest.param(0, NotSentReason.OVER_LIMIT_UNKNOWN_SENDERS, id="an unknown one"),
    ],
)
def test_D10_a_helpdesk_may_confirm_to_no_unknown_sender(to_unknown: int | None, reason: NotSentReason | None) -> None:
    known = facts(sender=SenderFacts(sent=Sent(to_unknown=to_unknown)), mailbox=mailbox(unknown_senders_per_hour=0))
    assert of_ticket(known=known)[M4].not_sent is reason


def test_D10_the_customers_limits_do_not_silence_the_manager() -> None:
    known = facts(sender=SenderFacts(contacts=(CUSTOMER,), sent=Sent(99, 99)))
    assert of_ticket(known=known)[M2].not_sent is None


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        pytest.param({"tom@desk.example": 9}, None, id="nine"),
        pytest.param({"tom@desk.example": 10}, NotSentReason.OVER_LIMIT, id="ten about this ticket"),
        pytest.param({"ander@desk.example": 10}, None, id="to another address"),
    ],
)
def test_D10_limits_on_mails_to_staff_count_by_address_and_ticket(
    sent: dict[str, int], reason: NotSentReason | None
) -> None:
    assert of_supplement(known=facts(ticket(sent=sent))).not_sent is reason


def test_the_first_reason_is_recorded() -> None:
    known = facts(ticket(executor=None, mails=MailPolicy(send_import_mails=False)))
    old = mail(received_at=NOW - timedelta(days=30), automatic=AutomaticKind.LIST)
    assert of_supplement(old, known).not_sent is NotSentReason.AUTOMATIC
    assert of_supplement(mail(), known).not_sent is NotSentReason.MAILS_OFF


def test_a_notification_has_the_same_id_whenever_it_is_asked_for() -> None:
    given = mail()
    first, again = of_ticket(given)[M2], replace(of_ticket(given)[M2], not_sent=NotSentReason.OLD_MAIL)
    assert first.id_for(given.mail_id) == again.id_for(given.mail_id)
    assert first.id_for(given.mail_id) != of_ticket(given)[M4].id_for(given.mail_id)


def test_an_inactive_contact_gets_M4() -> None:
    known = facts(sender=SenderFacts(contacts=(Contact(11, 21, active=False),)))
    assert of_ticket(known=known)[M4].not_sent is None
