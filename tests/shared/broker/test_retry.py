"""Delays are arithmetic."""

from datetime import timedelta

import pytest

from shared.broker.retry import is_given_up, wait_before_next

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("attempt", "after", "expected"),
    [
        pytest.param(1, None, "10s", id="first try"),
        pytest.param(2, None, "1m", id="second"),
        pytest.param(3, None, "10m", id="third"),
        pytest.param(4, None, "10m", id="fourth: no longer than the longest"),
        pytest.param(99, None, "10m", id="for ever"),
        pytest.param(0, None, "10s", id="a counter that cannot be"),
        pytest.param(3, timedelta(), "10s", id="soon"),
        pytest.param(1, timedelta(seconds=10), "10s", id="exactly a queue's delay"),
        pytest.param(1, timedelta(seconds=11), "1m", id="at least so long"),
        pytest.param(1, 2 * MINUTE, "10m", id="between two queues"),
        pytest.param(1, 60 * MINUTE, "10m", id="longer than there is"),
    ],
)
def test_where_a_message_waits(attempt: int, after: timedelta | None, expected: str) -> None:
    assert wait_before_next(attempt, after).name == expected


@pytest.mark.parametrize(("failures", "given_up"), [(0, False), (4, False), (5, True), (6, True)])
def test_our_own_error_is_given_up_after_five_failures(failures: int, given_up: bool) -> None:  # noqa: FBT001 - a table
    assert is_given_up(failures) is given_up
