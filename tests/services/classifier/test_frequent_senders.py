"""Whose mails are many enough to be counted in the database."""

import pytest

from services.classifier.frequent_senders import UNCOUNTED, WINDOW_SECONDS, FrequentSenders
from services.classifier.rules.flood import Budget

PIET = Budget(1, "aa", "piet@elders.example")


@pytest.mark.parametrize(("allowed", "uncounted"), [(300, UNCOUNTED), (10, 2), (1, 0)])
def test_the_first_mails_of_an_hour_are_not_counted(allowed: int, uncounted: int) -> None:
    moment = 0.0
    senders = FrequentSenders(lambda: moment)
    assert [senders.met(PIET, allowed) for _ in range(uncounted + 2)] == [False] * uncounted + [True] * 2
    assert not senders.met(Budget(2, "aa", "piet@elders.example"), 300), "at another helpdesk"
    moment = WINDOW_SECONDS + 1
    assert [senders.met(PIET, allowed) for _ in range(uncounted + 1)] == [False] * uncounted + [True]
