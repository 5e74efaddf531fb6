r"""Logins at mailboxes and mail servers: how long a refused one rests, and when the end of one is announced. Pure.

after a refusal    nobody tries the login for 1 hour, doubled with every refusal, at most a day, until it is changed;
then one probe: no account is locked out by us
the same account   whoever logs in as jan@desk.example or DESK\jan is one account at all servers; a bare name is one
at its own server
before its end     from 30 days before a client secret or certificate ends: in the settings, in `status`, and once a
day in the log
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

REFUSED_FIRST: Final = timedelta(hours=1)
REFUSED_LONGEST: Final = timedelta(days=1)
ANNOUNCED: Final = timedelta(days=30)
JITTER: Final = 0.2
_DOUBLINGS: Final = 10
"""More would overflow one day, and the delay is at its longest long before."""


@dataclass(frozen=True, slots=True)
class LoginStanding:
    """A login as it stood when it was read."""

    id: int
    version: int
    """Of its settings: what is recorded of a version that was changed meanwhile does not count."""
    refused_logins: int
    refused_since: datetime | None
    probe_at: datetime | None
    rests_for: timedelta | None
    """How long nobody tries it yet; None: it may be tried."""
    refusal: str
    """What the server said when it refused it; '' when it did not."""
    expires_at: datetime | None
    fingerprint: bytes | None


def rest_after_refusals(refusals: int, *, jitter: float) -> timedelta:
    """How long a login rests that was refused `refusals` times (1 or more) since it was taken or changed last.

    `jitter` is a random number from 0 to 1, which lengthens the rest by up to a fifth.
    """
    return min(REFUSED_FIRST * (1 << min(refusals - 1, _DOUBLINGS)), REFUSED_LONGEST) * (1 + JITTER * jitter)


def account_name(username: str, server: str | None, tenant: str | None) -> str:
    """What names the account that a login is of, whichever mailbox or mail server it is used at.

    `server` is a name or URL, None for Microsoft's own.
    """
    name = username.casefold()
    if tenant is not None:
        return f"{tenant.casefold()}/{name}"
    return name if "@" in name or "\\" in name else f"{_host(server or '')}/{name}"


def _host(server: str) -> str:
    try:
        return urlsplit(server if "://" in server else f"//{server}").hostname or ""
    except ValueError:
        return server.casefold()


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
