"""How long a refused login rests, and when the end of one is announced, by table."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.logins import account_name, ending, rest_after_refusals

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


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (("Jan@Desk.example", "imap.desk.example", None), ("jan@desk.example", "smtp.elders.example", None), True),
        (("DESK\\jan", "https://mail.desk.example/EWS", None), ("desk\\JAN", "mail2.desk.example", None), True),
        (("jan", "imaps://mail.desk.example:993", None), ("jan", "MAIL.desk.example", None), True),
        (("jan", "mail.desk.example", None), ("jan", "mail.elders.example", None), False),
        (("app", None, "desk.example"), ("app", None, "elders.example"), False),
        (("app", None, "Desk.example"), ("APP", "outlook.office365.com", "desk.example"), True),
        (("jan@desk.example", None, None), ("jan@desk.example", None, "desk.example"), False),
        (("jan", "[kapot", None), ("jan", "ook[kapot", None), False),
    ],
    ids=["address", "domain", "server's form", "other server", "tenant", "app", "app or person", "broken"],
)
def test_whose_account_a_login_is(
    one: tuple[str, str | None, str | None], other: tuple[str, str | None, str | None], *, same: bool
) -> None:
    assert (account_name(*one) == account_name(*other)) is same
