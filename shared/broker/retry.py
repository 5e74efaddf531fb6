"""When a message is tried again: arithmetic on its counters, nothing else.

    try 1 fails ──10 s──▶ try 2 fails ──1 min──▶ try 3 fails ──10 min──▶ try 4 fails ──10 min──▶ try 5 …

Trouble that may pass (`TryAgain`) goes on like that without end, visible in the wait queues. An error of ours (poison)
is given up after the fifth failure. An outage counts nothing.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from shared.broker.topology import WAITS, Wait

MOST_FAILURES: Final = 5
"""Tries that end in an error of ours before a message is given up (DESIGN 5)."""
CRASH_LOOP_DELIVERIES: Final = 5
"""Deliveries without acknowledgement after which a message may be what crashes its consumer (DESIGN 5)."""


def wait_before_next(attempt: int, after: timedelta | None = None) -> Wait:
    """Where a message waits after try `attempt` (from 1) failed: at least `after`, or as long as there is."""
    growing = min(max(attempt, 1), len(WAITS)) - 1
    if after is None:
        return WAITS[growing]
    return next((wait for wait in WAITS if wait.delay >= after), WAITS[-1])


def is_given_up(failures: int) -> bool:
    """Whether `failures` tries that ended in an error of ours are enough."""
    return failures >= MOST_FAILURES
