"""How far first imports and replays are: mails that got their outcome, and mails that have none yet. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

LONG: Final = 20
"""Fewer mails than these are done before anybody asks."""
PAUSE: Final = timedelta(minutes=3)
"""Minutes without an outcome that end what is one piece of work."""
_RATE_OF: Final = timedelta(minutes=3)
"""The rate is that of so long, the running minute included."""
_MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Work:
    """`done` of `total` mails, at so many a second; `left` is None while nothing moves."""

    done: int
    total: int
    per_second: float
    left: timedelta | None


def rate(per_second: float) -> str:
    """Short, for people: `4/s`, `10/min`."""
    return f"{per_second:.0f}/s" if per_second >= 1 else f"{per_second * 60:.0f}/min"


def duration(time: timedelta) -> str:
    """Short, for people: `40 s`, `3 min`, `2 h 10 min`."""
    seconds = round(time.total_seconds())
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{max(seconds, 1)} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def long_work(by_minute: Mapping[datetime, int], unfinished: int, now: datetime) -> Work | None:
    """The work that is under way; None when so little is left that nobody need be told.

    `by_minute` has how many mails got their outcome in each minute that had one.
    """
    if unfinished < LONG:
        return None
    began = now
    for minute in sorted(by_minute, reverse=True):
        if began - (minute + _MINUTE) > PAUSE:
            break
        began = minute
    done = sum(count for minute, count in by_minute.items() if minute >= began)
    since = max(began, now.replace(second=0, microsecond=0) + _MINUTE - _RATE_OF)
    seconds = (now - since).total_seconds()
    recent = sum(count for minute, count in by_minute.items() if minute >= since)
    per_second = recent / seconds if seconds > 0 else 0.0
    left = timedelta(seconds=unfinished / per_second) if per_second else None
    return Work(done, done + unfinished, per_second, left)
