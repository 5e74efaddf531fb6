"""Working time (D3): hours, exceptions, holidays, and both days on which the clock changes."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.portal.calendars import (
    Calendar,
    Hours,
    UnusableCalendar,
    add_working_minutes,
    named_holidays,
    public_holidays,
)

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
OFFICE = Calendar()
AROUND_THE_CLOCK = Calendar(weekly=dict.fromkeys(range(1, 8), (Hours(0, 1440),)), holiday_country=None)
NEVER = Calendar(weekly={})


def local(text: str) -> datetime:
    """`2026-03-02 10:00` on the wall in Amsterdam."""
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=AMSTERDAM)


@pytest.mark.parametrize(
    ("start", "minutes", "expected"),
    [
        pytest.param("2026-03-02 10:00", 60, "2026-03-02 11:00", id="within a day"),
        pytest.param("2026-03-02 07:00", 60, "2026-03-02 09:30", id="before opening counts from opening"),
        pytest.param("2026-03-02 18:00", 60, "2026-03-03 09:30", id="after closing counts from the next opening"),
        pytest.param("2026-03-02 16:30", 60, "2026-03-03 09:00", id="over the night"),
        pytest.param("2026-03-06 16:30", 60, "2026-03-09 09:00", id="over the weekend"),
        pytest.param("2026-03-07 12:00", 30, "2026-03-09 09:00", id="from Saturday"),
        pytest.param("2026-03-02 16:00", 60, "2026-03-02 17:00", id="exactly at closing time, not the next opening"),
        pytest.param("2026-03-02 08:30", 510, "2026-03-02 17:00", id="a whole day"),
        pytest.param("2026-03-02 08:30", 511, "2026-03-03 08:31", id="a day and a minute"),
        pytest.param("2026-03-27 16:30", 60, "2026-03-30 09:00", id="clock goes forward in the weekend"),
        pytest.param("2026-10-23 16:30", 60, "2026-10-26 09:00", id="clock goes back in the weekend"),
        pytest.param("2026-04-02 16:30", 60, "2026-04-03 09:00", id="Goede Vrijdag is an ordinary Friday"),
        pytest.param("2026-04-03 16:30", 60, "2026-04-07 09:00", id="Easter"),
        pytest.param("2026-04-24 16:30", 60, "2026-04-28 09:00", id="Koningsdag"),
        pytest.param(
            "2025-04-25 16:30", 60, "2025-04-28 09:00", id="Koningsdag on a Saturday when the 27th is a Sunday"
        ),
        pytest.param("2025-05-02 16:30", 60, "2025-05-06 09:00", id="Bevrijdingsdag 2025, a fifth year"),
        pytest.param("2026-05-04 16:30", 60, "2026-05-05 09:00", id="Bevrijdingsdag 2026 is an ordinary Tuesday"),
        pytest.param("2026-05-13 16:30", 60, "2026-05-15 09:00", id="Hemelvaartsdag"),
        pytest.param("2026-12-24 16:30", 60, "2026-12-28 09:00", id="Christmas"),
        pytest.param("2026-12-31 16:30", 60, "2027-01-04 09:00", id="New Year on a Friday"),
    ],
)
def test_D3_working_minutes_of_the_default_calendar(start: str, minutes: int, expected: str) -> None:
    assert add_working_minutes(OFFICE, local(start), minutes) == local(expected)


@pytest.mark.parametrize(
    ("start", "minutes", "expected"),
    [
        pytest.param("2026-03-29 01:30", 60, "2026-03-29 03:30", id="the hour that is skipped counts for nothing"),
        pytest.param("2026-03-29 00:00", 23 * 60, "2026-03-30 00:00", id="a day of 23 hours"),
        pytest.param("2026-10-25 00:00", 25 * 60, "2026-10-26 00:00", id="a day of 25 hours"),
        pytest.param("2026-10-25 01:30", 120, "2026-10-25 02:30+1", id="the hour that comes twice counts twice"),
    ],
)
def test_D3_a_calendar_around_the_clock_on_the_days_the_clock_changes(start: str, minutes: int, expected: str) -> None:
    wall, _, second = expected.partition("+")
    moment = local(wall).replace(fold=int(second or 0)).astimezone(UTC)  # moments in a fold never equal across zones
    assert add_working_minutes(AROUND_THE_CLOCK, local(start), minutes) == moment


@pytest.mark.parametrize(
    ("hours", "day", "minutes"),
    [
        pytest.param(Hours(150, 195), date(2026, 3, 29), 15, id="2:30-3:15 of which only 3:00-3:15 exists"),
        pytest.param(Hours(135, 165), date(2026, 3, 29), 0, id="2:15-2:45, which does not exist"),
        pytest.param(Hours(120, 180), date(2026, 10, 25), 120, id="2:00-3:00 comes twice"),
        pytest.param(Hours(150, 240), date(2026, 10, 25), 120, id="2:30-4:00, half an hour of it twice"),
    ],
)
def test_D3_hours_across_the_change_of_the_clock(hours: Hours, day: date, minutes: int) -> None:
    calendar = Calendar(weekly={7: (hours,)}, holiday_country=None)
    sunday = datetime.combine(day, datetime.min.time(), tzinfo=AMSTERDAM)
    closing = sunday.replace(hour=23)
    if minutes:
        reached = add_working_minutes(calendar, sunday, minutes)
        assert reached is not None
        assert reached <= closing
    beyond = add_working_minutes(calendar, sunday, minutes + 1)
    assert beyond is not None
    assert beyond > closing


@pytest.mark.parametrize(
    ("exceptions", "start", "expected"),
    [
        pytest.param({date(2026, 3, 3): ()}, "2026-03-02 16:30", "2026-03-04 09:00", id="closed on a working day"),
        pytest.param(
            {date(2026, 4, 6): (Hours(600, 720),)}, "2026-04-03 16:30", "2026-04-06 10:30", id="open on Easter Monday"
        ),
        pytest.param(
            {date(2026, 3, 7): (Hours(600, 720),)}, "2026-03-06 16:30", "2026-03-07 10:30", id="open on a Saturday"
        ),
        pytest.param({date(2026, 5, 5): ()}, "2026-05-04 16:30", "2026-05-06 09:00", id="closed on Bevrijdingsdag"),
    ],
)
def test_D3_an_exception_goes_before_holidays_and_weekly_hours(
    exceptions: Mapping[date, tuple[Hours, ...]], start: str, expected: str
) -> None:
    assert add_working_minutes(Calendar(exceptions=exceptions), local(start), 60) == local(expected)


def test_D3_a_lunch_break_is_two_openings_in_whatever_order() -> None:
    calendar = Calendar(weekly={1: (Hours(780, 1020), Hours(540, 720))}, holiday_country=None)
    assert add_working_minutes(calendar, local("2026-03-02 11:00"), 90) == local("2026-03-02 13:30")


def test_D3_without_a_country_no_holidays_are_kept() -> None:
    calendar = Calendar(holiday_country=None)
    assert add_working_minutes(calendar, local("2026-12-25 10:00"), 60) == local("2026-12-25 11:00")


def test_D3_seconds_of_the_start_are_kept() -> None:
    start = local("2026-03-02 10:00") + timedelta(seconds=30)
    assert add_working_minutes(OFFICE, start, 5) == local("2026-03-02 10:05") + timedelta(seconds=30)


def test_D3_no_minutes_is_the_start_itself() -> None:
    assert add_working_minutes(OFFICE, local("2026-03-01 03:00"), 0) == local("2026-03-01 03:00")


def test_D3_a_calendar_without_working_time_has_no_answer() -> None:
    assert add_working_minutes(NEVER, local("2026-03-02 10:00"), 1) is None


@pytest.mark.parametrize(
    "calendar",
    [
        pytest.param(Calendar(time_zone="Europe/Hengelo"), id="time zone"),
        pytest.param(Calendar(time_zone="../etc"), id="no name of a time zone"),
        pytest.param(Calendar(holiday_country="XX"), id="country"),
    ],
)
def test_an_unusable_calendar_says_what_to_correct(calendar: Calendar) -> None:
    with pytest.raises(UnusableCalendar, match="give the calendar"):
        add_working_minutes(calendar, local("2026-03-02 10:00"), 60)


def test_D3_dutch_public_holidays_of_a_year() -> None:
    assert public_holidays("NL", 2026) == {
        date(2026, 1, 1),
        date(2026, 4, 5),
        date(2026, 4, 6),
        date(2026, 4, 27),
        date(2026, 5, 14),
        date(2026, 5, 24),
        date(2026, 5, 25),
        date(2026, 12, 25),
        date(2026, 12, 26),
    }


@pytest.mark.parametrize(
    ("names", "day", "closed"),
    [
        pytest.param({}, date(2026, 4, 3), False, id="Good Friday is a working day"),
        pytest.param({"closed_holidays": {"Goede Vrijdag"}}, date(2026, 4, 3), True, id="unless it is closed"),
        pytest.param({"closed_holidays": {"goede vrijdag"}}, date(2027, 3, 26), True, id="each year, in any letters"),
        pytest.param({}, date(2025, 5, 5), True, id="5 May in a lustrum year"),
        pytest.param({}, date(2026, 5, 5), False, id="5 May in another year"),
        pytest.param({}, date(2030, 5, 5), True, id="5 May in the next lustrum year"),
        pytest.param({"closed_holidays": {"Bevrijdingsdag"}}, date(2026, 5, 5), True, id="5 May closed every year"),
        pytest.param({"open_holidays": {"Bevrijdingsdag"}}, date(2025, 5, 5), False, id="5 May open every year"),
        pytest.param({"open_holidays": {"Koningsdag"}}, date(2026, 4, 27), False, id="open on Koningsdag"),
        pytest.param({"open_holidays": {"Koningsdag"}}, date(2026, 12, 25), True, id="and closed on the others"),
        pytest.param({"open_holidays": {"Dag die er niet is"}}, date(2026, 4, 27), True, id="a name that is none"),
        pytest.param(
            {"holiday_country": "BE", "open_holidays": {"Nationale feestdag"}},
            date(2026, 7, 21),
            False,
            id="of another country, by its own names",
        ),
    ],
)
def test_D3_each_holiday_can_be_opened_or_closed(names: Mapping[str, Any], day: date, closed: bool) -> None:  # noqa: FBT001
    given: dict[str, Any] = {name: frozenset(each) if isinstance(each, set) else each for name, each in names.items()}
    assert Calendar(**given).is_holiday(day) is closed


def test_D3_every_dutch_day_has_a_name() -> None:
    assert [each.name.casefold() for each in named_holidays("NL", 2026)] == [
        *("nieuwjaarsdag", "goede vrijdag", "eerste paasdag", "tweede paasdag", "koningsdag", "bevrijdingsdag"),
        *("hemelvaartsdag", "eerste pinksterdag", "tweede pinksterdag", "eerste kerstdag", "tweede kerstdag"),
    ]


ZONES = ("Europe/Amsterdam", "America/New_York", "Australia/Lord_Howe", "UTC")
hours = st.tuples(st.integers(0, 1439), st.integers(1, 1440)).filter(lambda pair: pair[0] < pair[1])
calendars = st.builds(
    lambda zone, weekly: Calendar(time_zone=zone, weekly=weekly, holiday_country=None),
    st.sampled_from(ZONES),
    st.dictionaries(
        st.integers(1, 7), st.lists(hours.map(lambda pair: Hours(*pair)), min_size=1, max_size=1).map(tuple), max_size=7
    ),
)
moments = st.sampled_from(
    [datetime(2026, 3, 28, tzinfo=UTC), datetime(2026, 10, 24, tzinfo=UTC), datetime(2026, 4, 3, tzinfo=UTC)]
).flatmap(lambda day: st.integers(0, 2 * 1440).map(lambda minute: day + timedelta(minutes=minute)))


def step_by_step(calendar: Calendar, start: datetime, minutes: int, steps: int) -> datetime | None:
    """The slow way: look at the clock on the wall every minute; None when it takes more than `steps` minutes."""
    moment = start
    for _ in range(steps):
        wall = moment.astimezone(calendar.zone)
        minute = wall.hour * 60 + wall.minute
        if any(opening.opens <= minute < opening.closes for opening in calendar.hours_on(wall.date())):
            minutes -= 1
        moment += timedelta(minutes=1)
        if minutes == 0:
            return moment
    return None


@settings(max_examples=150, deadline=None)
@given(calendars, moments, st.integers(1, 900))
@example(AROUND_THE_CLOCK, datetime(2026, 3, 29, 0, 30, tzinfo=UTC), 60)
@example(AROUND_THE_CLOCK, datetime(2026, 10, 25, 0, 30, tzinfo=UTC), 60)
def test_D3_agrees_with_a_clock_that_is_watched_every_minute(calendar: Calendar, start: datetime, minutes: int) -> None:
    steps = 3 * 1440
    slow = step_by_step(calendar, start, minutes, steps)
    fast = add_working_minutes(calendar, start, minutes)
    if slow is None:
        assert fast is None or fast > start + timedelta(minutes=steps)
    else:
        assert fast == slow


@settings(max_examples=100, deadline=None)
@given(calendars, moments, st.integers(0, 600), st.integers(0, 600))
def test_D3_adding_minutes_is_monotonic_and_adds_up(
    calendar: Calendar, start: datetime, first: int, second: int
) -> None:
    between = add_working_minutes(calendar, start, first)
    if between is None:
        return
    assert between >= start
    whole = add_working_minutes(calendar, start, first + second)
    if whole is not None:  # else it lies beyond the ten years that are looked at, counted from an earlier start
        assert whole >= between
        assert add_working_minutes(calendar, between, second) == whole
