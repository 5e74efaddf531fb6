"""When a notification that could not be delivered is tried again (DESIGN 5): 25 tries within 72 hours.

    try      1    2    3    4    5    6    7    8  …  25
    then    1m   4m  10m  15m  30m   1h   2h   4h  …  failed

The first four hours have the short delays, for a greylist or a restart; 17 tries every four hours bridge a weekend.

A mail that a server may have taken without saying so arrives once more with each try: it has three more, after
15 minutes, one hour and four.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

DELAYS: Final = (
    *(timedelta(minutes=minutes) for minutes in (1, 4, 10, 15, 30, 60, 120)),
    *(timedelta(hours=4) for _ in range(17)),
)
LAST_TRY: Final = len(DELAYS) + 1


def delay_after(tries: int) -> timedelta | None:
    """How long to wait after the try that made it `tries` (1 or more); None: that was the last one."""
    return DELAYS[tries - 1] if tries < LAST_TRY else None


DELAYS_IN_DOUBT: Final = (timedelta(minutes=15), timedelta(hours=1), timedelta(hours=4))


def delay_in_doubt(doubtful_tries: int) -> timedelta | None:
    """How long to wait after a try that was the mail's `doubtful_tries`-th (1 or more); None: that was the last one."""
    return DELAYS_IN_DOUBT[doubtful_tries - 1] if doubtful_tries <= len(DELAYS_IN_DOUBT) else None
