"""Whose mails are many enough to be counted in the database: of most senders none is ever asked about.

A replica remembers what it met itself, so that several of them let a little more pass than one; so does a restart.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from services.classifier.rules.flood import Budget

UNCOUNTED: Final = 60
"""Mails of a sender within WINDOW_SECONDS that are not counted; at most _PART of what his helpdesk allows."""
_PART: Final = 5
WINDOW_SECONDS: Final = 3_600.0
_MOST: Final = 20_000
"""Senders that are remembered: of more, those who were met first are forgotten."""


class FrequentSenders:
    """Counts mails by budget, each for an hour after its first."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._met: dict[tuple[int, str], tuple[float, int]] = {}
        """When the hour of each began, and how many mails it had since; the oldest first."""

    def met(self, budget: Budget, allowed: int) -> bool:
        """Count one mail; whether it is more than people send, of so many `allowed` in an hour."""
        now, key = self._now(), (budget.helpdesk_id, budget.sender)
        while self._met and (len(self._met) > _MOST or next(iter(self._met.values()))[0] + WINDOW_SECONDS < now):
            self._met.pop(next(iter(self._met)))
        began, count = self._met.get(key, (now, 0))
        self._met[key] = began, count + 1
        return count >= min(UNCOUNTED, allowed // _PART)
