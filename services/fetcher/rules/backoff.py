"""When a mailbox is checked again.

    after                         delay
    a check that succeeded        the setting «check interval», or sooner (`polling`)
    trouble that may pass         the interval doubled with every failure in a row, at most 10 minutes
    a login that was refused      as long as it rests (`shared.logins`): refusals are counted apart
    an outage of our own servers  10 seconds: the mailbox is not to blame, no failure is counted

What goes wrong after the import (marking, moving, deleting) delays no check. It is tried again after a minute, doubled
with every failure in a row, at most half an hour.

Never less than what the mailbox's server asked for. A failure's delay is lengthened by up to a fifth (jitter), so that
mailboxes of one server do not come back at the same moment.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

LONGEST: Final = timedelta(minutes=10)
OUTAGE: Final = timedelta(seconds=10)
AFTER_IMPORT: Final = timedelta(minutes=1)
LONGEST_AFTER_IMPORT: Final = timedelta(minutes=30)
JITTER: Final = 0.2
_DOUBLINGS: Final = 20
"""More would overflow, and every delay is at its longest long before."""


def after_failure(failures: int, interval: timedelta, *, jitter: float, asked: timedelta | None = None) -> timedelta:
    """The delay after `failures` checks in a row that failed (1 or more).

    `jitter` is a random number from 0 to 1; `asked` the least delay that the server asked for.
    """
    delay = _doubled(interval, failures, max(LONGEST, interval))
    return max(delay, asked or timedelta(0)) * (1 + JITTER * jitter)


def after_import_failure(failures: int, *, jitter: float) -> timedelta:
    """How long marking, moving and deleting rest after they failed so many times in a row (1 or more)."""
    return _doubled(AFTER_IMPORT, failures, LONGEST_AFTER_IMPORT) * (1 + JITTER * jitter)


def _doubled(first: timedelta, failures: int, longest: timedelta) -> timedelta:
    return min(first * (1 << min(failures - 1, _DOUBLINGS)), longest)
