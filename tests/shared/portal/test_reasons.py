"""Every reason can be explained to staff (D7, D10, D11)."""

import pytest

from shared.messages import Reason, ReasonId
from shared.portal.reasons import EXPLANATIONS, NOT_SENT, Explanation, NotSentReason, explain


@pytest.mark.parametrize("reason", ReasonId)
def test_D7_every_reason_has_a_sentence(reason: ReasonId) -> None:
    assert_is_a_sentence(EXPLANATIONS[reason])


@pytest.mark.parametrize("reason", NotSentReason)
def test_D11_every_mail_not_sent_has_a_sentence(reason: NotSentReason) -> None:
    assert_is_a_sentence(NOT_SENT[reason])


@pytest.mark.parametrize(
    "reason",
    [
        ReasonId.NO_SENDER,
        ReasonId.OWN_ADDRESS,
        ReasonId.DEAD_LETTER,
        ReasonId.SENDER_BLOCKED,
        ReasonId.UNREADABLE,
        ReasonId.OUR_ERROR,
        ReasonId.STRANGER,
    ],
)
def test_what_waits_for_a_person_says_what_to_do(reason: ReasonId) -> None:
    assert EXPLANATIONS[reason].remedy


def test_a_detail_stands_between_brackets() -> None:
    assert explain(Reason(id=ReasonId.TICKET_MERGED, detail="1000002")) == (
        "Het genoemde ticket is samengevoegd met een ander ticket, dat is gevolgd (1000002)."
    )


def test_without_a_detail_the_sentence_stands_alone() -> None:
    assert explain(Reason(id=ReasonId.NO_SUBJECT)) == "De mail heeft geen onderwerp."


def test_a_reason_of_a_newer_version_is_kept_and_told_by_its_id() -> None:
    given = {"id": "reden-van-morgen", "detail": "x"}
    reason = Reason.model_validate(given)
    assert reason.model_dump() == given
    assert explain(reason) == "Een nieuwere versie van de importer geeft als reden «reden-van-morgen» (x)."


def assert_is_a_sentence(explanation: Explanation) -> None:
    assert explanation.sentence[0].isupper()
    assert explanation.sentence.endswith(".")
    assert explanation.remedy == "" or explanation.remedy.endswith(".")
