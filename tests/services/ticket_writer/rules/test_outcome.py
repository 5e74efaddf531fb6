"""Ticket, supplement, duplicate or quarantine (W2, W3, D1, D6, D7, D13, D15, D17, D19)."""

import uuid
from dataclasses import replace
from typing import Any

import pytest

from services.ticket_writer.rules.facts import Claim, Facts
from services.ticket_writer.rules.outcome import (
    Duplicate,
    NewTicket,
    Quarantined,
    Supplement,
    decide_outcome,
    own_message_of,
)
from shared.messages import AutomaticKind, ClassifiedMail, NumberIntroduction, Reason, ReasonId
from tests.services.ticket_writer.givens import candidate, facts, mail, ticket

BOUNCED = ticket(named_number=None)


def claim(**changes: Any) -> Claim:
    return replace(Claim(uuid.uuid4(), 1, "ICT", 51, "1000001", same_text=True), **changes)


def reason_ids(mail: ClassifiedMail, facts: Facts) -> list[str]:
    decision = decide_outcome(mail, facts)
    assert isinstance(decision, NewTicket | Supplement)
    return [reason.id for reason in decision.reasons]


def test_W2_no_known_number_is_a_new_ticket() -> None:
    assert decide_outcome(mail(), facts()) == NewTicket((Reason(id=ReasonId.NO_TICKET_NUMBER),))


def test_W2_an_unknown_number_is_a_new_ticket_for_the_classifiers_reason() -> None:
    unknown = mail(reasons=(Reason(id=ReasonId.UNKNOWN_NUMBER, detail="7777777"),))
    assert decide_outcome(unknown, facts()) == NewTicket(())


def test_W3_a_known_number_is_a_supplement() -> None:
    decision = decide_outcome(mail(candidates=(candidate(),)), facts(ticket()))
    assert decision == Supplement(ticket(), (Reason(id=ReasonId.TICKET_NUMBER, detail="1000001"),))


def test_D1_an_alias_is_named_as_such() -> None:
    given = facts(ticket(named_number="OUD-7"))
    assert reason_ids(mail(candidates=(candidate("OUD-7", alias=True),)), given) == [ReasonId.TICKET_ALIAS]


def test_D8_a_ticket_that_was_found_by_its_thread_is_named_as_such() -> None:
    by_thread = candidate().model_copy(update={"introduction": NumberIntroduction.THREAD})
    assert reason_ids(mail(candidates=(by_thread,)), facts(ticket())) == [ReasonId.TICKET_OF_THREAD]


def test_D1_a_merged_ticket_leads_to_its_target() -> None:
    given = facts(ticket(merged=True))
    assert reason_ids(mail(candidates=(candidate(),)), given) == [ReasonId.TICKET_NUMBER, ReasonId.TICKET_MERGED]


def test_D15_a_ticket_of_another_helpdesk_is_named_as_such() -> None:
    given = facts(ticket(helpdesk_id=2))
    assert reason_ids(mail(candidates=(candidate(),)), given) == [ReasonId.TICKET_NUMBER, ReasonId.OTHER_HELPDESK]


def test_a_ticket_that_is_gone_becomes_a_new_one_that_says_so() -> None:
    given = facts(gone_numbers=("1000001",))
    assert decide_outcome(mail(candidates=(candidate(),)), given) == NewTicket(
        (Reason(id=ReasonId.TICKET_GONE, detail="1000001"),)
    )


def test_D1_when_the_first_number_is_gone_the_next_one_counts() -> None:
    given = facts(ticket(named_number="1000002"), gone_numbers=("1000001",))
    found = reason_ids(mail(candidates=(candidate(), candidate("1000002"))), given)
    assert found == [ReasonId.TICKET_NUMBER, ReasonId.TICKET_GONE]


def test_D6_a_bounce_of_ours_is_a_supplement_whatever_its_subject() -> None:
    bounce = mail(automatic=AutomaticKind.BOUNCE, own_message_id="ours@desk.example", subject="Undeliverable")
    assert reason_ids(bounce, facts(BOUNCED)) == [ReasonId.OWN_MESSAGE_BOUNCED]


def test_D6_a_bounce_of_ours_without_any_sender_is_a_supplement_too() -> None:
    bounce = mail(automatic=AutomaticKind.BOUNCE, own_message_id="ours@desk.example", sender=None)
    assert isinstance(decide_outcome(bounce, facts(BOUNCED)), Supplement)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        pytest.param(AutomaticKind.BOUNCE, "ours@desk.example", id="bounce"),
        pytest.param(AutomaticKind.OWN, "ours@desk.example", id="came back"),
        pytest.param(AutomaticKind.AUTO_REPLY, None, id="an auto-reply goes by its subject (D8 is off)"),
        pytest.param(None, None, id="a person's mail goes by its subject"),
    ],
)
def test_D6_which_mails_follow_a_message_of_ours(kind: AutomaticKind | None, expected: str | None) -> None:
    assert own_message_of(mail(automatic=kind, own_message_id="ours@desk.example")) == expected


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        pytest.param(mail(sender=None), ReasonId.NO_SENDER, id="D17 no usable sender"),
        pytest.param(mail(from_own_address=True), ReasonId.OWN_ADDRESS, id="D19 our own address without a number"),
        pytest.param(
            mail(reasons=(Reason(id=ReasonId.SENDER_BLOCKED),)), ReasonId.SENDER_BLOCKED, id="D17 a person's rule"
        ),
    ],
)
def test_quarantine(given: ClassifiedMail, reason: ReasonId) -> None:
    decision = decide_outcome(given, facts())
    assert isinstance(decision, Quarantined)
    assert decision.reason.id is reason


def test_D17_no_sender_is_quarantine_even_with_a_number() -> None:
    assert isinstance(decide_outcome(mail(sender=None, candidates=(candidate(),)), facts(ticket())), Quarantined)


def test_D19_our_own_address_with_a_number_is_a_supplement() -> None:
    own = mail(from_own_address=True, candidates=(candidate(),))
    assert isinstance(decide_outcome(own, facts(ticket())), Supplement)


def test_D13_the_same_content_in_the_same_mailbox_is_a_duplicate() -> None:
    first = claim()
    assert decide_outcome(mail(), facts(claims=(first,))) == Duplicate(
        first.mail_id, 51, Reason(id=ReasonId.DUPLICATE_CONTENT, detail="1000001")
    )


def test_D13_a_ticket_takes_a_content_once_whichever_mailbox_brings_it() -> None:
    first = claim(helpdesk_id=2)
    decision = decide_outcome(mail(candidates=(candidate(),)), facts(ticket(), claims=(first,)))
    assert decision == Duplicate(first.mail_id, 51, Reason(id=ReasonId.TICKET_HAS_CONTENT, detail="1000001"))


@pytest.mark.parametrize(
    "known",
    [
        pytest.param(claim(same_text=False), id="another text"),
        pytest.param(claim(helpdesk_id=2), id="another helpdesk's mailbox"),
    ],
)
def test_D13_what_is_no_duplicate_is_a_ticket(known: Claim) -> None:
    assert isinstance(decide_outcome(mail(), facts(claims=(known,))), NewTicket)


def test_D13_another_ticket_may_take_the_content_that_another_mailbox_brought() -> None:
    known = claim(helpdesk_id=2, ticket_id=52)
    assert isinstance(decide_outcome(mail(candidates=(candidate(),)), facts(ticket(), claims=(known,))), Supplement)


def test_D13_a_forced_import_is_no_duplicate() -> None:
    assert isinstance(decide_outcome(mail(forced=True), facts(claims=(claim(),))), NewTicket)


def test_D13_a_quarantined_mail_is_not_looked_up_as_duplicate() -> None:
    assert isinstance(decide_outcome(mail(sender=None), facts(claims=(claim(),))), Quarantined)
