"""The days of a calendar that have a name: which there are, and whether it is open on them (SPEC D3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from services.console.fields import BadValue, joined
from services.console.texts import N_, _
from shared.portal.calendars import Calendar, UnusableCalendar, named_holidays
from shared.sentences import Sentence

_CLOSED: Final = N_("%(day)s %(name)s: closed")
_AS_EVER: Final = N_("%(day)s %(name)s: as its weekday")

Row = Mapping[str, Any]
"""A calendar as `calendars show` has it."""


def days_of(calendar: Row, year: int) -> list[Sentence]:
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
        Sentence(_CLOSED if kept.is_holiday(each.day) else _AS_EVER, day=each.day, name=each.name)
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
            if known:
                sentence = _("there is no day %(day)r; there are: %(days)s.")
            else:
                sentence = _("there is no day %(day)r; it keeps no country's holidays.")
            told = {"day": name, "days": joined(list(known.values())) if known else ""}
            raise BadValue(f"--open-holiday, --closed-holiday: {sentence % told}")
