"""When a mailbox is checked again, by table."""

from datetime import timedelta

import pytest

from services.fetcher.rules.backoff import after_failure, after_import_failure

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


@pytest.mark.parametrize(
    ("failures", "interval", "delay"),
    [
        (1, 30 * SECOND, 30 * SECOND),
        (2, 30 * SECOND, 1 * MINUTE),
        (3, 30 * SECOND, 2 * MINUTE),
        (5, 30 * SECOND, 8 * MINUTE),
        (6, 30 * SECOND, 10 * MINUTE),
        (1000, 30 * SECOND, 10 * MINUTE),
        pytest.param(1, 1 * HOUR, 1 * HOUR, id="an interval above the longest delay"),
        pytest.param(9, 1 * HOUR, 1 * HOUR, id="does not grow beyond itself"),
    ],
)
def test_trouble_that_may_pass_is_tried_at_growing_delays(failures: int, interval: timedelta, delay: timedelta) -> None:
    assert after_failure(failures, interval, jitter=0) == delay


def test_the_server_gets_the_delay_that_it_asked_for() -> None:
    assert after_failure(1, 30 * SECOND, jitter=0, asked=5 * MINUTE) == 5 * MINUTE
    assert after_failure(6, 30 * SECOND, jitter=0, asked=5 * SECOND) == 10 * MINUTE


@pytest.mark.parametrize(("jitter", "delay"), [(0, 60), (0.5, 66), (1, 72)])
def test_jitter_lengthens_a_delay_by_up_to_a_fifth(jitter: float, delay: int) -> None:
    assert after_failure(1, MINUTE, jitter=jitter) == timedelta(seconds=delay)


@pytest.mark.parametrize(("failures", "minutes"), [(1, 1), (2, 2), (5, 16), (6, 30), (1000, 30)])
def test_what_fails_after_the_import_rests_longer_each_time(failures: int, minutes: int) -> None:
    assert after_import_failure(failures, jitter=0) == minutes * MINUTE
    assert after_import_failure(failures, jitter=1) == minutes * MINUTE * 1.2
