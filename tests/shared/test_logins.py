"""How long a refused login rests, and when the end of one is announced, by table."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.logins import ending, rest_after_refusals

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("refusals", "rest"), [(1, 1 * HOUR), (2, 2 * HOUR), (5, 16 * HOUR), (6, 24 * HOUR), (1000, 24 * HOUR)]
)
def test_a_refused_login_is_probed_after_an_hour_doubling_to_a_day(refusals: int, rest: timedelta) -> None:
    assert rest_after_refusals(refusals, jitter=0) == rest
    assert rest_after_refusals(refusals, jitter=1) == rest * 1.2


@pytest.mark.parametrize(
    ("left", "says"),
    [
        (365 * DAY, None),
        (30 * DAY + HOUR, None),
        (30 * DAY, "verloopt over 30 dagen, op 24-12-2026"),
        (14 * DAY, "verloopt over 14 dagen"),
        (1 * DAY + HOUR, "verloopt over 1 dag,"),
        (1 * HOUR, "verloopt binnen een dag"),
        (0 * HOUR, "is op 24-11-2026 verlopen"),
        (-5 * DAY, "is op 19-11-2026 verlopen"),
    ],
    ids=str,
)
def test_the_end_of_a_login_is_announced_for_thirty_days(left: timedelta, says: str | None) -> None:
    sentence = ending(NOW + left, NOW)
    assert (sentence is None) if says is None else (sentence is not None and says in sentence)


def test_a_login_without_a_known_end_announces_none() -> None:
    assert ending(None, NOW) is None
