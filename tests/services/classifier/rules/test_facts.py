"""From what was read and what the database knows to the facts of the message (SPEC D1, D6, D12, D15, D16, D17, D19)."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from services.classifier.reading.conclusions import Automatic, Forwarded, How
from services.classifier.reading.unread import unread_mail
from services.classifier.reading.values import AboveMarker, OurError, ReadMail
from services.classifier.rules.facts import Known, KnownTicket, Mailbox, ask, choose_bodies, classify
from services.classifier.rules.people import People
from services.classifier.rules.sender_rule import Handle, RuleVerdict, SenderKind, SenderRule
from shared.messages import (
    AutomaticKind,
    BlobReference,
    Bodies,
    Body,
    ClassifiedMail,
    Crypto,
    DmarcResult,
    EmployeeMatch,
    LeftOut,
    MailAddress,
    NumberIntroduction,
    PersonMatch,
    RawMail,
    ReasonId,
)

OWN = "ict@helpdesk.example"
MAILBOX = Mailbox(helpdesk_id=1, own_address=OWN, marker="== een ==")
ENVELOPE = RawMail(
    mail_id=uuid.UUID(int=1),
    helpdesk_id=1,
    received_at=datetime(2026, 11, 23, tzinfo=UTC),
    fetched_at=datetime(2026, 11, 23, tzinfo=UTC),
    raw=BlobReference(sha256="0" * 64, size=10),
    full_size=10,
)
OURS = KnownTicket("1000001", ticket_id=1, helpdesk_id=1, marker="== een ==")
THEIRS = KnownTicket("1000003", ticket_id=3, helpdesk_id=2, marker="== twee ==")


CONTACT = PersonMatch(person_id=2, organisation_id=1, active=True)
EMPLOYEE = EmployeeMatch(employee_id=5, active=True)


def read(**changes: Any) -> ReadMail:
    plain = replace(unread_mail(), head_only=False, subject="Printer", from_=(MailAddress(address="jan@b.example"),))
    return replace(plain, **changes)


def facts(mail: ReadMail, known: Known | None = None, mailbox: Mailbox = MAILBOX, **envelope: Any) -> ClassifiedMail:
    known = known or Known()
    asked = ask(mail, mailbox, "[1-9][0-9]{6,9}")
    bodies = choose_bodies(mail, mailbox, asked, known)
    return classify(ENVELOPE.model_copy(update=envelope), mail, mailbox, asked, known, bodies=bodies)


def reasons(mail: ReadMail, known: Known | None = None, **envelope: Any) -> list[str]:
    return [reason.id for reason in facts(mail, known, **envelope).reasons]


def test_D12_everyone_with_the_address_is_named() -> None:
    people = People((CONTACT,), EMPLOYEE)
    sender = facts(read(), Known(sender=people)).sender
    assert sender is not None
    assert (sender.persons, sender.employee) == (people.persons, people.employee)


def test_D17_no_sender_is_none() -> None:
    assert facts(read(from_=())).sender is None


def test_D1_candidates_are_the_known_numbers_in_the_order_tried() -> None:
    known = Known(tickets={"1000001": OURS, "2000417": replace(THEIRS, is_alias=True)})
    mail = read(subject="1000001 en Ticket 2000417 en 1999999")
    found = facts(mail, known)
    assert [(each.number, each.ticket_id, each.introduction, each.is_alias) for each in found.candidates] == [
        ("2000417", 3, NumberIntroduction.INTRODUCED, True),
        ("1000001", 1, NumberIntroduction.BARE, False),
    ]
    assert ReasonId.UNKNOWN_NUMBER not in reasons(mail, known)
    assert reasons(mail) == [ReasonId.UNKNOWN_NUMBER]


def bounce(*returned: str) -> ReadMail:
    return read(automatic=Automatic(AutomaticKind.BOUNCE, "x"), returned_message_ids=returned, subject="Ticket 1000001")


def test_D6_a_bounce_of_ours_goes_to_its_ticket_whatever_its_subject() -> None:
    known = Known(tickets={"1000001": OURS}, own_messages={"ons@x": THEIRS})
    found = facts(bounce("ander@x", "ons@x"), known)
    assert found.own_message_id == "ons@x"
    assert [each.ticket_id for each in found.candidates] == [3, 1]


def test_D6_a_bounce_of_somebody_elses_mail_is_only_a_bounce() -> None:
    found = facts(bounce("ander@x"), Known(tickets={"1000001": OURS}))
    assert (found.automatic, found.own_message_id) == (AutomaticKind.BOUNCE, None)


def test_D6_our_own_mail_coming_back_is_own_before_any_later_kind() -> None:
    mail = read(
        message_id="ons@x", automatic=Automatic(AutomaticKind.LIST, "List-Id"), from_=(MailAddress(address=OWN),)
    )
    found = facts(mail, Known(own_messages={"ons@x": OURS}))
    assert (found.automatic, found.own_message_id, found.from_own_address) == (AutomaticKind.OWN, "ons@x", False)


def test_D17_a_reply_to_does_not_get_round_a_block() -> None:
    blocked = SenderRule(Handle(SenderKind.ADDRESS, "jan@b.example"), RuleVerdict.BLOCK, of_helpdesk=True)
    mail = read(reply_to=(MailAddress(address="ander@c.example"),))
    found = facts(mail, Known(sender_rules=(blocked,)), replace(MAILBOX, reply_to_is_sender=True))
    assert ReasonId.SENDER_BLOCKED in [each.id for each in found.reasons]


NEWSLETTER = Automatic(AutomaticKind.LIST, "Precedence")


def trusting(verdict: RuleVerdict = RuleVerdict.ALLOW_AUTOMATIC) -> Known:
    return Known(sender_rules=(SenderRule(Handle(SenderKind.DOMAIN, "b.example"), verdict, of_helpdesk=True),))


def test_D6_a_rule_lets_what_looks_automatic_be_a_persons() -> None:
    found = facts(read(automatic=NEWSLETTER), trusting())
    assert found.automatic is None
    assert [(each.id, each.detail) for each in found.reasons] == [(ReasonId.AUTOMATIC_ALLOWED, "Precedence")]


@pytest.mark.parametrize(
    ("changes", "known"),
    [
        pytest.param({}, trusting(RuleVerdict.ALLOW), id="merely allowed"),
        pytest.param({"dmarc": DmarcResult.FAIL}, trusting(), id="forged"),
        pytest.param({"automatic": Automatic(AutomaticKind.BOUNCE, "x")}, trusting(), id="a bounce"),
        pytest.param({"automatic": Automatic(AutomaticKind.OUT_OF_OFFICE, "x")}, trusting(), id="out of office"),
        pytest.param({"automatic": Automatic(AutomaticKind.CALENDAR, "x")}, trusting(), id="a calendar's answer"),
        pytest.param({"message_id": "ons@x"}, replace(trusting(), own_messages={"ons@x": OURS}), id="our own"),
    ],
)
def test_D6_what_no_rule_makes_a_persons(changes: dict[str, Any], known: Known) -> None:
    found = facts(read(**{"automatic": NEWSLETTER} | changes), known)
    assert found.automatic is not None
    assert ReasonId.AUTOMATIC_ALLOWED not in [each.id for each in found.reasons]


def test_D19_own_address_that_is_not_ours() -> None:
    assert facts(read(from_=(MailAddress(address=OWN),))).from_own_address


def test_D19_a_web_form() -> None:
    mail = read(from_=(MailAddress(address=OWN),), reply_to=(MailAddress(address="klant@b.example"),))
    found = facts(mail)
    assert found.sender is not None
    assert (found.sender.mailbox.address, found.from_own_address) == ("klant@b.example", False)
    assert reasons(mail) == [ReasonId.REPLY_TO_IS_SENDER]


FORWARDS = replace(MAILBOX, forwarded_sender=True)
FORWARDED = Forwarded("Piet", "piet@klant.example", "Kassa", How.ATTACHED)
BY_EMPLOYEE = Known(sender=People(employee=EMPLOYEE), original=People(organisation_id=9))


def test_D12_setting_a_forwarded_mail_is_its_first_senders() -> None:
    found = facts(read(forwarded=FORWARDED, dmarc=DmarcResult.PASS), BY_EMPLOYEE, FORWARDS)
    assert found.sender is not None
    assert found.forwarded_by is not None
    assert (found.sender.mailbox, found.sender.employee) == (
        MailAddress(name="Piet", address="piet@klant.example"),
        None,
    )
    assert found.sender.organisation_id == 9
    assert (found.forwarded_by.mailbox.address, found.forwarded_by.employee) == ("jan@b.example", EMPLOYEE)
    assert [(each.id, each.detail) for each in found.reasons] == [(ReasonId.FORWARDED_BY_EMPLOYEE, "jan@b.example")]
    assert found.dmarc is DmarcResult.NONE, "the check speaks of the employee"


@pytest.mark.parametrize(
    ("changes", "known", "mailbox"),
    [
        pytest.param({}, BY_EMPLOYEE, MAILBOX, id="off-by-default"),
        pytest.param({}, Known(), FORWARDS, id="a-stranger-forwards"),
        pytest.param({}, Known(sender=People((CONTACT,), EMPLOYEE)), FORWARDS, id="a-contact-too"),
        pytest.param(
            {},
            Known(sender=People(employee=EmployeeMatch(employee_id=5, active=False))),
            FORWARDS,
            id="an-employee-who-left",
        ),
        pytest.param({"dmarc": DmarcResult.FAIL}, BY_EMPLOYEE, FORWARDS, id="a-forged-employee"),
        pytest.param({"forwarded": None}, BY_EMPLOYEE, FORWARDS, id="nothing-forwarded"),
        pytest.param(
            {"forwarded": replace(FORWARDED, address=OWN.upper())}, BY_EMPLOYEE, FORWARDS, id="from-ourselves"
        ),
        pytest.param({"forwarded": replace(FORWARDED, address="JAN@b.example")}, BY_EMPLOYEE, FORWARDS, id="his-own"),
        pytest.param({"forwarded": replace(FORWARDED, address="piet")}, BY_EMPLOYEE, FORWARDS, id="no-address"),
        pytest.param({"forwarded": replace(FORWARDED, alone=False)}, BY_EMPLOYEE, FORWARDS, id="several-senders"),
        pytest.param({"automatic": Automatic(AutomaticKind.LIST, "x")}, BY_EMPLOYEE, FORWARDS, id="automatic"),
    ],
)
def test_D12_whose_forwarded_mail_stays_his_own(changes: dict[str, Any], known: Known, mailbox: Mailbox) -> None:
    found = facts(read(**{"forwarded": FORWARDED} | changes), known, mailbox)
    assert found.sender is not None
    assert (found.sender.mailbox.address, found.forwarded_by) == ("jan@b.example", None)


def test_D12_somebody_known_without_the_tag_only_is_said_so() -> None:
    assert reasons(read(), Known(sender=People((CONTACT,), by_tag=True))) == [ReasonId.ADDRESS_WITHOUT_TAG]


def test_a_pass_of_dmarc_says_nothing_of_the_reply_to() -> None:
    mail = read(reply_to=(MailAddress(address="klant@b.example"),), dmarc=DmarcResult.PASS)
    found = facts(mail, mailbox=replace(MAILBOX, reply_to_is_sender=True))
    assert (found.sender and found.sender.mailbox.address, found.dmarc) == ("klant@b.example", DmarcResult.NONE)
    assert [each.id for each in found.reasons] == [ReasonId.REPLY_TO_BY_SETTING]
    assert facts(mail).dmarc is DmarcResult.PASS


ONE = AboveMarker("== een ==", Body(html="1", text="1"))
TWO = AboveMarker("== twee ==", Body(html="2", text="2"))


@pytest.mark.parametrize(
    ("above", "subject", "text"),
    [
        pytest.param((ONE,), "Printer", "1", id="S7-of-the-mailbox"),
        pytest.param((TWO,), "Printer", None, id="D15-of-another-helpdesk-does-not-count"),
        pytest.param((TWO,), "Ticket 1000003", "2", id="D15-of-the-ticket's-helpdesk-counts"),
        pytest.param((TWO, ONE), "Ticket 1000003", "2", id="D16-the-topmost"),
        pytest.param((TWO, ONE), "Ticket 1000001", "1", id="D15-the-topmost-that-counts"),
        pytest.param((AboveMarker("== een ==", None),), "Printer", None, id="D16-nothing-above"),
    ],
)
def test_which_marker_counts(above: tuple[AboveMarker, ...], subject: str, text: str | None) -> None:
    known = Known(tickets={number: ticket for ticket in (OURS, THEIRS) if (number := ticket.number) in subject})
    bodies = choose_bodies(mail := read(above=above, subject=subject), MAILBOX, ask(mail, MAILBOX, "[0-9]{7}"), known)
    assert (bodies.above_marker.text if bodies.above_marker else None) == text


@pytest.mark.parametrize(
    ("changes", "envelope", "expected"),
    [
        pytest.param({"above": (ONE,)}, {}, [ReasonId.ABOVE_MARKER], id="S7"),
        pytest.param({"above": (AboveMarker("== een ==", None),)}, {}, [ReasonId.NOTHING_ABOVE_MARKER], id="D16"),
        pytest.param({"subject": ""}, {}, [ReasonId.NO_SUBJECT], id="D19"),
        pytest.param({"body_cut": True}, {}, [ReasonId.TOO_LARGE], id="body-cut"),
        pytest.param({"head_only": True}, {}, [ReasonId.UNREADABLE], id="D17-unreadable"),
        pytest.param({}, {"complete": False, "full_size": 99_999_999}, [ReasonId.TOO_LARGE], id="D17-too-large"),
        pytest.param({}, {}, [], id="nothing-to-say"),
    ],
)
def test_reasons(changes: dict[str, Any], envelope: dict[str, Any], expected: list[ReasonId]) -> None:
    assert reasons(read(**changes), **envelope) == expected


def test_W4_what_was_left_out_is_named() -> None:
    left_out = tuple(
        LeftOut(id=uuid.UUID(int=n), name=f"{n}.pdf", media_type="application/pdf", size=n, reason="x")
        for n in range(7)
    )
    (reason,) = facts(read(left_out=left_out)).reasons
    assert (reason.id, reason.detail) == (
        ReasonId.ATTACHMENTS_LEFT_OUT,
        "0.pdf, 1.pdf, 2.pdf, 3.pdf, 4.pdf en 2 meer",
    )


def test_D17_an_error_of_ours_that_cost_an_image_is_told_once() -> None:
    errors = (OurError("KeyError", "x"), OurError("KeyError", "y"), OurError("TypeError", "z"))
    (reason,) = facts(read(our_errors=errors)).reasons
    assert (reason.id, reason.detail) == (ReasonId.OUR_ERROR, "KeyError, TypeError")


def test_an_encrypted_mail_says_so_to_whoever_looks_at_the_ticket() -> None:
    found = facts(read(crypto=Crypto.ENCRYPTED))
    assert found.crypto is Crypto.ENCRYPTED
    assert ReasonId.ENCRYPTED in {reason.id for reason in found.reasons}
    assert isinstance(found.bodies, Bodies)
    assert found.bodies.whole.text == "[Versleuteld bericht: de inhoud kan niet worden gelezen.]"
    said = facts(read(crypto=Crypto.ENCRYPTED, whole=Body(html="<p>Ja</p>", text="Ja")))
    assert isinstance(said.bodies, Bodies)
    assert said.bodies.whole.text == "Ja"


def test_the_attached_message_that_speaks_for_a_mail_is_named() -> None:
    (reason,) = [
        reason for reason in facts(read(text_of="Storing.eml")).reasons
        if reason.id is ReasonId.TEXT_OF_ATTACHED_MESSAGE
    ]  # fmt: skip
    assert reason.detail == "Storing.eml"
