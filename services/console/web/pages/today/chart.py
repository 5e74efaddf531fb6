"""Mails an hour by outcome, as values that a template draws in SVG. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from services.console.web.pages.today.query import HourOfOutcome

HOURS: Final = 24
ORDER: Final = ("ticket", "supplement", "duplicate", "quarantine", "on-its-way")
"""From the ground up."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a bar; `bottom` and `height` in parts of the highest bar."""

    outcome: str
    count: int
    bottom: float
    height: float


@dataclass(frozen=True, slots=True)
class Bar:
    """An hour."""

    hour: datetime
    total: int
    pieces: tuple[Piece, ...]


def bars(counts: Iterable[HourOfOutcome], now: datetime) -> tuple[Bar, ...]:
    """A bar for each of the last 24 hours, the last being the one that runs."""
    by_hour: dict[datetime, dict[str, int]] = {}
    for one in counts:
        by_hour.setdefault(one.hour, {})[one.outcome] = one.count
    last = now.replace(minute=0, second=0, microsecond=0)
    hours = [last - timedelta(hours=back) for back in reversed(range(HOURS))]
    highest = max((sum(by_hour.get(hour, {}).values()) for hour in hours), default=0) or 1
    return tuple(_bar(hour, by_hour.get(hour, {}), highest) for hour in hours)


def _bar(hour: datetime, counts: dict[str, int], highest: int) -> Bar:
    pieces, bottom = [], 0.0
    for outcome in (*ORDER, *sorted(counts.keys() - set(ORDER))):
        if count := counts.get(outcome, 0):
            pieces.append(Piece(outcome, count, bottom, count / highest))
            bottom += count / highest
    return Bar(hour, sum(counts.values()), tuple(pieces))
