"""How far long work is, by table."""

from datetime import UTC, datetime, timedelta

import pytest

from services.console.status_page import work_in_words
from shared.standing.work import duration, long_work

NOW = datetime(2026, 11, 28, 14, 2, 30, tzinfo=UTC)


def minutes(*counts: int) -> dict[datetime, int]:
    """So many outcomes in each minute up to the running one; a minute without any is not there."""
    running = NOW.replace(second=0)
    return {running - timedelta(minutes=ago): count for ago, count in enumerate(reversed(counts)) if count}


@pytest.mark.parametrize(
    ("counts", "unfinished", "said"),
    [
        pytest.param((400, 240, 240, 360), 760, "1,240 of 2,000, 6/s, 2 min", id="a first import"),
        pytest.param((10, 10, 5), 30, "25 of 55, 10/min, 3 min", id="slow work is told by the minute"),
        pytest.param((500, 0, 0, 0, 0, 0, 300), 300, "300 of 600, 10/s, 30 s", id="an earlier import is another"),
        pytest.param((500, 0, 0, 0, 0, 0), 300, "0 of 300, nothing moves", id="nothing moves"),
        pytest.param((), 20, "0 of 20, nothing moves", id="nothing has moved yet"),
    ],
)
def test_long_work_has_a_rate_and_a_time_left(counts: tuple[int, ...], unfinished: int, said: str) -> None:
    work = long_work(minutes(*counts), unfinished, NOW)
    assert work is not None
    assert work_in_words(work) == said


def test_a_few_mails_are_no_long_work() -> None:
    assert long_work(minutes(5), 19, NOW) is None


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.2, "1 s"), (59.4, "59 s"), (90, "2 min"), (3600, "1 h 0 min"), (7800, "2 h 10 min")],
    ids=str,
)
def test_a_time_left_is_short(seconds: float, said: str) -> None:
    assert duration(timedelta(seconds=seconds)) == said
