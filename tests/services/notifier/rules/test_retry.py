"""When a notification is tried again: growing delays, 72 hours in all (DESIGN 5)."""

from datetime import timedelta

import pytest

from services.notifier.rules.retry import DELAYS, DELAYS_IN_DOUBT, LAST_TRY, delay_after, delay_in_doubt


@pytest.mark.parametrize(
    ("tries", "delay"),
    [
        (1, timedelta(minutes=1)),
        (2, timedelta(minutes=4)),
        (3, timedelta(minutes=10)),
        (4, timedelta(minutes=15)),
        (5, timedelta(minutes=30)),
        (6, timedelta(hours=1)),
        (7, timedelta(hours=2)),
        (8, timedelta(hours=4)),
        (24, timedelta(hours=4)),
        (25, None),
        (26, None),
    ],
)
def test_the_delay_grows_with_the_tries(tries: int, delay: timedelta | None) -> None:
    assert delay_after(tries) == delay


def test_all_tries_lie_within_72_hours() -> None:
    assert sum(DELAYS, timedelta()) == timedelta(hours=72)
    assert list(DELAYS) == sorted(DELAYS)
    assert delay_after(LAST_TRY) is None
    assert delay_after(LAST_TRY - 1) is not None


def test_what_may_have_arrived_is_tried_three_times_more() -> None:
    delays = [delay_in_doubt(tries) for tries in range(1, len(DELAYS_IN_DOUBT) + 2)]
    assert delays == [timedelta(minutes=15), timedelta(hours=1), timedelta(hours=4), None]
