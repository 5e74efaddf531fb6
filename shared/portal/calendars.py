"""Working time of a helpdesk (SPEC D3): weekly hours, exceptions, public holidays, in one time zone.

A moment is working time when the clock on the wall shows working hours. So where the clock changes, an hour that is
skipped counts for nothing and an hour that comes twice counts twice. Of a day the first of these decides:

1. the calendar's own exception for it (closed, or open at other hours);
2. a holiday, by its name: closed where the calendar says so, open where it says that, and otherwise as is usual in
   its country (`holidays`, the days it calls public). For the Netherlands those are Nieuwjaarsdag, both days of Easter,
   Koningsdag, Bevrijdingsdag in lustrum years (2025, 2030), Hemelvaartsdag, both days of Pentecost and both of
   Christmas. Not Goede Vrijdag: the Algemene termijnenwet (art. 3) names it for the banks' sake, and most people work;
3. the hours of its day of the week.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.errors import DeadLetter

_MINUTE: Final = timedelta(minutes=1)
_DAY: Final = timedelta(days=1)
_WORKED_ON: Final = {"NL": frozenset({"goede vrijdag"})}
"""By country, days that `holidays` calls public and on which people work."""
_HORIZON: Final = timedelta(days=3660)
"""How far ahead working time is looked for: a calendar without any in ten years has none."""


class UnusableCalendar(DeadLetter):
    """A calendar names a time zone or a country that does not exist: correct it, then replay the mail."""


@dataclass(frozen=True, slots=True)
class Hours:
    """An opening on one day, in minutes after midnight on the wall clock: `opens` ≤ minute < `closes` (≤ 1440)."""

    opens: int
    closes: int


@dataclass(frozen=True, slots=True)
class Calendar:
    """The working time of a helpdesk. `weekly` is keyed by ISO weekday (Monday 1 to Sunday 7); absent: closed.

    `holiday_country` is an ISO 3166 code of two letters, None where no holidays are kept. `open_holidays` and
    `closed_holidays` are names, as `named_holidays` gives them.
    """

    time_zone: str = "Europe/Amsterdam"
    weekly: Mapping[int, tuple[Hours, ...]] = field(default_factory=lambda: OFFICE_HOURS)
    exceptions: Mapping[date, tuple[Hours, ...]] = field(default_factory=dict)
    holiday_country: str | None = "NL"
    open_holidays: frozenset[str] = frozenset()
    closed_holidays: frozenset[str] = frozenset()

    @property
    def zone(self) -> ZoneInfo:
        """The time zone; raises UnusableCalendar when there is none of that name."""
        try:
            return ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise UnusableCalendar(
                f"there is no time zone {self.time_zone!r}: give the calendar one such as Europe/Amsterdam"
            ) from error

    def hours_on(self, day: date) -> tuple[Hours, ...]:
        """The openings of a day, as it is on the wall clock."""
        if day in self.exceptions:
            return self.exceptions[day]
        if self.is_holiday(day):
            return ()
        return self.weekly.get(day.isoweekday(), ())

    def is_holiday(self, day: date) -> bool:
        """Whether it is closed on `day` for a holiday."""
        if self.holiday_country is None:
            return False
        names = {each.key for each in named_holidays(self.holiday_country, day.year) if each.day == day}
        if not names.isdisjoint(map(str.casefold, self.closed_holidays)):
            return True
        opened = not names.isdisjoint(map(str.casefold, self.open_holidays))
        return day in public_holidays(self.holiday_country, day.year) and not opened


@dataclass(frozen=True, slots=True)
class Holiday:
    """A day of a year that has a name, in the country's own language."""

    day: date
    name: str

    @property
    def key(self) -> str:
        """The name by which it is compared: releases of `holidays` differ in capitals."""
        return self.name.casefold()


OFFICE_HOURS: Final[Mapping[int, tuple[Hours, ...]]] = MappingProxyType(
    dict.fromkeys(range(1, 6), (Hours(8 * 60 + 30, 17 * 60),))
)
"""Monday to Friday, 8:30–17:00 (SPEC D3)."""


@lru_cache(maxsize=256)
def public_holidays(country: str, year: int) -> frozenset[date]:
    """The days off of a country in a year; raises UnusableCalendar for a country that has no list."""
    return frozenset(_holidays(country, year, with_optional=False)) - {
        each.day for each in named_holidays(country, year) if each.key in _WORKED_ON.get(country, ())
    }


@lru_cache(maxsize=256)
def named_holidays(country: str, year: int) -> tuple[Holiday, ...]:
    """The days of a year that have a name, in their order, days off or not; UnusableCalendar as `public_holidays`."""
    holidays_of_year = _holidays(country, year, with_optional=True)
    return tuple(Holiday(day, name) for day in sorted(holidays_of_year) for name in holidays_of_year[day].split("; "))


def _holidays(country: str, year: int, *, with_optional: bool) -> Mapping[date, str]:
    import holidays  # noqa: PLC0415 - the calendars of the world, for whoever names a country

    categories = (holidays.PUBLIC, holidays.OPTIONAL) if with_optional else (holidays.PUBLIC,)
    try:
        kind = getattr(holidays, country)
        known = tuple(category for category in categories if category in kind.supported_categories)
        made: Mapping[date, str] = holidays.country_holidays(
            country, years=year, categories=known, language=kind.default_language
        )
    except (NotImplementedError, AttributeError) as error:
        raise UnusableCalendar(
            f"no public holidays are known for country {country!r}: give the calendar another, or none"
        ) from error
    return made


def add_working_minutes(calendar: Calendar, start: datetime, minutes: int) -> datetime | None:
    """The first moment (UTC) at which `minutes` of working time have gone by since `start`.

    It may be a closing time; for no minutes it is `start`. None when the calendar has not that much working time in
    the ten years after `start`.
    """
    left = timedelta(minutes=minutes)
    if not left:
        return start.astimezone(UTC)
    for opens, closes in _openings_from(calendar, start.astimezone(UTC)):
        if closes - opens >= left:
            return opens + left
        left -= closes - opens
    return None


def _openings_from(calendar: Calendar, start: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The working time from `start` on as intervals in UTC, in order, the first cut off at `start`."""
    zone = calendar.zone
    day = start.astimezone(zone).date()
    last_day = day + _HORIZON
    while day <= last_day:
        for opens, closes in _openings_on(calendar, zone, day):
            if closes > start:
                yield max(opens, start), closes
        day += _DAY


def _openings_on(calendar: Calendar, zone: ZoneInfo, day: date) -> Iterator[tuple[datetime, datetime]]:
    """The working time of one day as intervals in UTC: hours of the wall clock, cut where the clock changes."""
    hours = calendar.hours_on(day)
    if not hours:
        return
    for since, until, offset in _stretches(zone, day):
        midnight = datetime.combine(day, time(), tzinfo=UTC) - offset
        for each in sorted(hours, key=lambda span: span.opens):
            opens = max(since, midnight + each.opens * _MINUTE)
            closes = min(until, midnight + each.closes * _MINUTE)
            if opens < closes:
                yield opens, closes


def _stretches(zone: ZoneInfo, day: date) -> Iterator[tuple[datetime, datetime, timedelta]]:
    """A local day as stretches (UTC) of one offset each: one, or two on a day on which the clock changes."""
    starts = datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)
    ends = datetime.combine(day + _DAY, time(), tzinfo=zone).astimezone(UTC)
    before, after = _offset(zone, starts), _offset(zone, ends - _MINUTE)
    if before == after:
        yield starts, ends, before
        return
    low, high = 0, (ends - starts) // _MINUTE - 1
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(zone, starts + middle * _MINUTE) == before:
            low = middle
        else:
            high = middle
    change = starts + high * _MINUTE
    yield starts, change, before
    yield change, ends, after


def _offset(zone: ZoneInfo, moment: datetime) -> timedelta:
    local = moment.astimezone(zone)
    return local.replace(tzinfo=UTC) - moment
