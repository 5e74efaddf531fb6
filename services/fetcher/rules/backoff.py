"""When a mailbox is checked again.

    after                         delay
    a check that succeeded        the setting «check interval»
    trouble that may pass         the interval doubled with every failure in a row, at most 10 minutes
    a login that was refused      as long as it rests (`shared.logins`): refusals are counted apart
    an outage of our own servers  10 seconds: the mailbox is not to blame, no failure is counted

Never less than what the mailbox's server asked for. A failure's delay is lengthened by up to a fifth (jitter), so that
mailboxes of one server do not come back at the same moment.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

LONGEST: Final = timedelta(minutes=10)
OUTAGE: Final = timedelta(seconds=10)
JITTER: Final = 0.2
_DOUBLINGS: Final = 20
"""More would overflow, and every delay is at its longest long before."""


def after_failure(failures: int, interval: timedelta, *, jitter: float, asked: timedelta | None = None) -> timedelta:
    """The delay after `failures` checks in a row that failed (1 or more).

    `jitter` is a random number from 0 to 1; `asked` the least delay that the server asked for.
    """
    delay = min(interval * (1 << min(failures - 1, _DOUBLINGS)), max(LONGEST, interval))
    return max(delay, asked or timedelta(0)) * (1 + JITTER * jitter)
