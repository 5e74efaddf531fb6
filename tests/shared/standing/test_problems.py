"""What keeps a mailbox from being read is said in English for every kind that the fetcher records."""

from __future__ import annotations

import pytest

from services.fetcher.rules.problem import ProblemKind
from shared.standing.problems import problem_in_english

DUTCH = "De map is weg."


@pytest.mark.parametrize("kind", list(ProblemKind))
def test_every_kind_has_a_sentence_of_its_own_in_english(kind: ProblemKind) -> None:
    said = problem_in_english(kind, DUTCH)
    assert said.replace(f" In Dutch: «{DUTCH}»", "").endswith(".")
    assert said != DUTCH
    assert said not in {problem_in_english(other, DUTCH) for other in ProblemKind if other is not kind}


def test_of_a_kind_of_a_newer_version_the_recorded_sentence_is_shown() -> None:
    assert problem_in_english("of-tomorrow", DUTCH) == DUTCH
