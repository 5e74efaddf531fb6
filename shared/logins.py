"""Logins at mailboxes and mail servers: how long a refused one rests, and when the end of one is announced. Pure.

after a refusal    nobody tries the login for 1 hour, doubled with every refusal, at most a day, until it is changed;
then one probe: no account is locked out by us
before its end     from 30 days before a client secret or certificate ends: in the settings, in `status`, and once a
day in the log
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

REFUSED_FIRST: Final = timedelta(hours=1)
REFUSED_LONGEST: Final = timedelta(days=1)
ANNOUNCED: Final = timedelta(days=30)
JITTER: Final = 0.2
_DOUBLINGS: Final = 10
"""More would overflow one day, and the delay is at its longest long before."""


def rest_after_refusals(refusals: int, *, jitter: float) -> timedelta:
    """How long a login rests that was refused `refusals` times (1 or more) since it was taken or changed last.

    `jitter` is a random number from 0 to 1, which lengthens the rest by up to a fifth.
    """
    return min(REFUSED_FIRST * (1 << min(refusals - 1, _DOUBLINGS)), REFUSED_LONGEST) * (1 + JITTER * jitter)


def ending(expires_at: datetime | None, now: datetime) -> str | None:
    """The sentence that announces the end of a secret or certificate; None while it is far off, or not known."""
    if expires_at is None or expires_at - now > ANNOUNCED:
        return None
    day = f"{expires_at.astimezone():%d-%m-%Y}"
    days = (expires_at - now).days
    if expires_at <= now:
        when = f"is op {day} verlopen"
    elif days == 0:
        when = f"verloopt binnen een dag, op {day}"
    else:
        when = f"verloopt over {days} {'dag' if days == 1 else 'dagen'}, op {day}"
    return (
        f"Het clientgeheim of certificaat waarmee de importer zich aanmeldt {when}: maak in Microsoft Entra een nieuw "
        "en stel het in."
    )
