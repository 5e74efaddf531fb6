"""A sentence is plain English to a log, a program and a copy of it, and knows what it is made of."""

from __future__ import annotations

import copy
import pickle

import pytest

from shared.errors import Outage
from shared.sentences import Sentence, one_below_another, said_by

AWAY = Sentence("The database is away: %(why)s.", why="100% full")


def test_it_is_english_and_keeps_its_text_and_values() -> None:
    assert AWAY == "The database is away: 100% full."
    assert (AWAY.text, AWAY.values) == ("The database is away: %(why)s.", {"why": "100% full"})


@pytest.mark.parametrize("again", [copy.deepcopy, lambda sentence: pickle.loads(pickle.dumps(sentence))])  # noqa: S301
def test_a_copy_keeps_them_too(again: object) -> None:
    assert callable(again)
    copied = again(AWAY)
    assert (copied, copied.text, copied.values) == (AWAY, AWAY.text, AWAY.values)


def test_lines_are_sentences_of_one() -> None:
    both = one_below_another([AWAY, Sentence("Nothing was changed.")])
    assert both == "The database is away: 100% full.\nNothing was changed."
    assert list(both.values.values()) == [AWAY, "Nothing was changed."]


def test_an_error_says_what_it_was_raised_with() -> None:
    assert isinstance(said_by(Outage(AWAY)), Sentence)
    assert said_by(ValueError("bad")) == "bad"
