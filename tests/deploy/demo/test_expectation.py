"""What the demonstration finds wrong, so that its exit code means something."""

import uuid
from datetime import UTC, datetime

import pytest

from deploy.demo.expectation import differences, undelivered
from deploy.demo.ledger import MailRecord, NotificationRecord
from deploy.demo.sample_mails import SampleMail
from shared.messages import NotificationKind, Outcome, Reason, ReasonId

NEW = SampleMail("ict/1.eml", "new", Outcome.TICKET, (ReasonId.UNKNOWN_SENDER,))
OTHER = SampleMail("ict/2.eml", "another", Outcome.TICKET)
ANSWER = SampleMail("ict/3.eml", "answer", Outcome.SUPPLEMENT, follows="ict/1.eml")
TO_KNOWN = SampleMail("ict/4.eml", "answer", Outcome.SUPPLEMENT, follows="1000001")


def record(outcome: Outcome, number: str | None, *reasons: ReasonId) -> MailRecord:
    given = tuple(Reason(id=reason) for reason in reasons)
    return MailRecord(uuid.uuid4(), "ICT-servicedesk", "name", outcome, datetime.now(UTC), given, number, None)


GOOD = {
    "ict/1.eml": record(Outcome.TICKET, "1000002", ReasonId.UNKNOWN_SENDER),
    "ict/2.eml": record(Outcome.TICKET, "1000003"),
    "ict/3.eml": record(Outcome.SUPPLEMENT, "1000002"),
    "ict/4.eml": record(Outcome.SUPPLEMENT, "1000001"),
}


def test_nothing_is_wrong_when_all_is_as_expected() -> None:
    assert differences((NEW, OTHER, ANSWER, TO_KNOWN), GOOD) == []


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"ict/1.eml": record(Outcome.DUPLICATE, "1000002")}, "ict/1.eml: duplicate, expected ticket"),
        (
            {"ict/1.eml": record(Outcome.TICKET, "1000002")},
            "ict/1.eml: expected the reason unknown-sender, given were ",
        ),
        ({"ict/3.eml": record(Outcome.SUPPLEMENT, "1000003")}, "ict/3.eml: of ticket 1000003, expected 1000002"),
        ({"ict/4.eml": record(Outcome.SUPPLEMENT, "1000002")}, "ict/4.eml: of ticket 1000002, expected 1000001"),
        (
            {"ict/2.eml": record(Outcome.TICKET, "1000002")},
            "ict/2.eml and ict/1.eml became one ticket, 1000002",
        ),
    ],
    ids=["outcome", "reason", "ticket of a mail", "ticket by number", "one ticket for two mails"],
)
def test_each_difference_is_a_sentence(changed: dict[str, MailRecord], sentence: str) -> None:
    assert differences((NEW, OTHER, ANSWER, TO_KNOWN), GOOD | changed) == [sentence]


def test_a_mail_without_outcome_is_a_difference() -> None:
    assert differences((OTHER,), {}) == ["ict/2.eml: no outcome, expected ticket"]


def notification(state: str, message_id: str | None) -> NotificationRecord:
    kind = NotificationKind.TICKET_ADDED_CUSTOMER
    return NotificationRecord(uuid.uuid4(), kind, "a@b.example", state, None, message_id)


def test_what_is_recorded_as_sent_was_received_once() -> None:
    decided = [notification("sent", "<1@x>"), notification("not-sent", None)]
    assert undelivered(decided, ["<1@x>"]) == []
    assert undelivered(decided, []) == ["ticket-added-customer to a@b.example is recorded as sent but was not received"]
    assert undelivered(decided, ["<1@x>", "<2@x>"]) == ["<2@x> was received but is not recorded as sent"]
    assert undelivered(decided, ["<1@x>", "<1@x>"]) == ["<1@x> was received twice"]
