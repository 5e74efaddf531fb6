"""The days of a calendar that have a name: which there are, and whether it is open on them (SPEC D3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.console.fields import BadValue, joined
from shared.portal.calendars import Calendar, UnusableCalendar, named_holidays

Row = Mapping[str, Any]
"""A calendar as `calendars show` has it."""


def days_of(calendar: Row, year: int) -> list[str]:
    """The named days of a year and of the next, each with its date and whether the calendar is open."""
    country = calendar["holidays"]
    if country is None:
        return []
    kept = Calendar(
        holiday_country=country,
        open_holidays=frozenset(calendar["open_holiday"]),
        closed_holidays=frozenset(calendar["closed_holiday"]),
    )
    return [
        f"{each.day} {each.name}: {'closed' if kept.is_holiday(each.day) else 'as its weekday'}"
        for each in (*named_holidays(country, year), *named_holidays(country, year + 1))
    ]


def refuse_unknown(calendar: Row, year: int) -> None:
    """BadValue for a country without a list, and for a day that its country does not know."""
    named = [*calendar["open_holiday"], *calendar["closed_holiday"]]
    country = calendar["holidays"]
    try:
        days = named_holidays(country, year) if country is not None else ()
    except UnusableCalendar as error:
        raise BadValue(f"--holidays: {error}.") from None
    known = {each.key: each.name for each in days}
    for name in named:
        if name.casefold() not in known:
            there_are = f"there are: {joined(list(known.values()))}" if known else "it keeps no country's holidays"
            raise BadValue(f"--open-holiday, --closed-holiday: there is no day {name!r}; {there_are}.")
