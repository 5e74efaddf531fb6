"""When a mail without outcome is published again, by table (DESIGN 1)."""

from datetime import timedelta

import pytest

from services.fetcher.rules.republish import next_republish_after


@pytest.mark.parametrize(("count", "hours"), [(0, 1), (1, 2), (2, 4), (3, 8), (4, 16), (5, 24), (6, 24), (10_000, 24)])
def test_a_confirmed_mail_is_published_again_after_an_hour_doubling_to_a_day(count: int, hours: int) -> None:
    assert next_republish_after(count, confirmed=True) == timedelta(hours=hours)


@pytest.mark.parametrize("count", [0, 1, 50])
def test_a_mail_that_was_never_confirmed_is_not_kept_waiting(count: int) -> None:
    assert next_republish_after(count, confirmed=False) == timedelta(minutes=1)
