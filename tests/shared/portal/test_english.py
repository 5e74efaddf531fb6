"""Each reason has its sentence in English, and a remedy where the Dutch one has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from shared.messages import Reason, ReasonId
from shared.portal import delivery, english, reasons


@pytest.mark.parametrize(
    ("dutch", "in_english"),
    [
        (reasons.EXPLANATIONS, english.REASONS),
        (reasons.NOT_SENT, english.NOT_SENT),
        (delivery.DELIVERY, english.DELIVERY),
    ],
    ids=["reasons", "not sent", "delivery"],
)
def test_each_reason_has_its_sentence_in_english(dutch: Mapping[Any, Any], in_english: Mapping[Any, Any]) -> None:
    assert in_english.keys() == dutch.keys()
    for reason, explanation in in_english.items():
        assert explanation.sentence.endswith("."), reason
        assert explanation.sentence != dutch[reason].sentence, reason
        assert bool(explanation.remedy) == bool(dutch[reason].remedy), reason


def test_a_reason_says_what_it_says_of_this_one_mail() -> None:
    said = english.explanation_in_english(Reason(id=ReasonId.NO_SUBJECT, detail="empty"))
    assert said.sentence == "The mail has no subject (empty)."
    unknown = english.explanation_in_english(Reason(id="unheard-of"))
    assert unknown.sentence == "A newer version of the importer gives the reason «unheard-of»."
