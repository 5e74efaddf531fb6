"""When a mail without outcome is published again (DESIGN 1).

never confirmed   at once: a minute after it was stored, in which the fetcher itself publishes it
confirmed         after 1 hour, then 2, 4, 8, 16 hours, then every day
dead letter       never: it waits for a person, whose replay settles it
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

UNCONFIRMED: Final = timedelta(minutes=1)
FIRST: Final = timedelta(hours=1)
LONGEST: Final = timedelta(days=1)
_DOUBLINGS: Final = 10


def next_republish_after(republish_count: int, *, confirmed: bool) -> timedelta:
    """How long to wait before publishing (again) a mail that was republished `republish_count` times so far."""
    if not confirmed:
        return UNCONFIRMED
    doublings: int = min(republish_count, _DOUBLINGS)
    return min(FIRST * (1 << doublings), LONGEST)
