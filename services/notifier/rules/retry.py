"""When a notification that could not be delivered is tried again (DESIGN 5): 25 tries within 72 hours.

    try      1    2    3    4    5    6    7    8  …  25
    then    1m   4m  10m  15m  30m   1h   2h   4h  …  failed

The first four hours have the short delays, for a greylist or a restart; 17 tries every four hours bridge a weekend.
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
