"""`python -m services.fetcher check HELPDESK_ID [again]`: tries a mailbox once and tells what it found.

Nothing in the mailbox is changed. A login that was refused and rests is not tried, unless `again` is said; whether it
is taken is recorded, so that it rests for the fetchers too, or does no longer. The answer (`shared.asking`), for
`helpdesk-importer check-mailbox`:

    {"kind": "maildir", "kind_is": "derived", "login": null, "server": "/var/mail/help", "address": null,
     "folder": "INBOX", "login_refused_since": null, "login_expires_at": null,
     "ok": true, "unread": 3, "junk_unread": null, "found": "protocol, login and server, in words"}
    {…, "ok": false, "trouble": "MailboxMissing", "problem_kind": "mailbox-missing", "problem": "a Dutch sentence"}
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final, TypeVar

from services.fetcher.login import refused_everywhere
from services.fetcher.mailboxes.protocol import (
    LoginRefused,
    Mailbox,
    MailboxError,
    MailboxHealth,
    MailboxMissing,
    MailboxUnreachable,
    SecretUnreadable,
)
from services.fetcher.mailboxes.registry import open_mailbox
from services.fetcher.repository.trial import MailboxToTry, mailbox_to_try, record_login_refused, record_login_taken
from services.fetcher.rules.problem import ProblemKind
from shared.asking import Answer, Asked, told_at
from shared.connecting import ForbiddenAddress
from shared.database.pool import Pool
from shared.errors import Misconfigured
from shared.logins import LoginStanding, rest_after_refusals
from shared.sealing import Keyring

LONGEST_SECONDS: Final = 120
"""A person waits."""

T = TypeVar("T")
GotOn = Callable[[], None]
"""Said by who looks into a mailbox: it gave something, and its time begins anew."""
Look = Callable[[Mailbox, GotOn], Awaitable[T]]


async def try_mailbox(asked: Asked, helpdesk_id: int, *, again: bool) -> Answer:
    """What a check of this helpdesk's mailbox finds; `again` tries a login that was refused and rests."""
    keyring, pool = Keyring.from_secret(asked.configuration.secret("encryption_keys")), asked.pool
    mailbox = await mailbox_to_try(pool, helpdesk_id, keyring)
    if mailbox is None:
        raise Misconfigured(
            "This helpdesk has no mailbox yet: name its server or folder, and its login, with "
            "helpdesk-importer importer set HELPDESK --server … --username …"
        )
    answer = _told(mailbox)
    try:
        health = await visit(pool, mailbox, _health, within=LONGEST_SECONDS, again=again)
    except MailboxError as error:
        return answer | {"ok": False, **trouble_of(error)}
    return answer | {
        "ok": True,
        "unread": health.unread,
        "junk_unread": health.junk_unread,
        "found": health.description + _what_is_imported(mailbox),
    }


class LoginRests(MailboxError):
    """The login was refused and was not tried again."""

    kind = ProblemKind.LOGIN_REFUSED

    def __init__(self, login: LoginStanding) -> None:
        super().__init__(
            f"De aanmelding is sinds {_moment(login.refused_since)} geweigerd ({login.refused_logins} keer) en "
            f"wordt tot {_moment(login.probe_at)} niet opnieuw geprobeerd, zodat het account niet op slot "
            "gaat. Wijzig de gebruikersnaam, het wachtwoord of de server: dan wordt het meteen geprobeerd. Of probeer "
            "het nu toch, met check-mailbox --again."
            + (f" De mailserver zei: {login.refusal}" if login.refusal else "")
        )


async def _health(mailbox: Mailbox, _: GotOn) -> MailboxHealth:
    return await mailbox.health_check()


async def visit(pool: Pool, tried: MailboxToTry, look: Look[T], *, within: float, again: bool = False) -> T:
    """What `look` finds in a mailbox that stands still for no more than `within` seconds.

    Whether the login is taken is recorded. One that was refused and rests is not tried, unless `again`. Raises
    MailboxError.
    """
    login = tried.login
    if login is not None and login.rests_for is not None and not again:
        raise LoginRests(login)
    if tried.unreadable_secret:
        raise SecretUnreadable
    try:
        found = await _opened(tried, look, within)
    except LoginRefused as error:
        if login is not None and refused_everywhere(error, tried.access):
            rest = rest_after_refusals(login.refused_logins + 1, jitter=0)
            await record_login_refused(pool, login, str(error), rest)
        raise
    if login is not None:
        await record_login_taken(pool, login)
    return found


async def _opened(tried: MailboxToTry, look: Look[T], within: float) -> T:
    now = asyncio.get_running_loop().time
    try:
        async with asyncio.timeout(within) as patience:
            mailbox = await open_mailbox(tried.access)
            try:
                return await look(mailbox, lambda: patience.reschedule(now() + within))
            finally:
                await mailbox.close()
    except ForbiddenAddress as error:
        raise MailboxMissing(error.sentence) from error
    except TimeoutError:
        raise MailboxUnreachable(
            f"De mailserver gaf binnen {within:.0f} seconden geen heel antwoord: controleer zijn naam en het "
            "netwerk, of probeer het later opnieuw."
        ) from None


def _what_is_imported(mailbox: MailboxToTry) -> str:
    """The rest of the sentence on what was found, where it is not unread mail alone."""
    if mailbox.read_mail_from is None:
        return ""
    return f"; mail die na {_moment(mailbox.read_mail_from)} aankwam wordt ook geïmporteerd als iemand haar eerst las"


def _told(mailbox: MailboxToTry) -> Answer:
    """What is known of the mailbox before it is tried."""
    access = mailbox.access
    return {
        "kind": access.kind,
        "kind_is": "chosen" if mailbox.kind_is_chosen else "derived",
        "login": access.username,
        "server": access.server,
        "address": access.address,
        "folder": access.folder,
        "login_refused_since": told_at(None if mailbox.login is None else mailbox.login.refused_since),
        "login_expires_at": told_at(None if mailbox.login is None else mailbox.login.expires_at),
    }


def trouble_of(error: MailboxError) -> Answer:
    """How an answer tells of a mailbox that cannot be used."""
    return {"trouble": type(error).__name__, "problem_kind": error.kind.value, "problem": str(error)}


def _moment(moment: datetime | None) -> str:
    return "" if moment is None else moment.astimezone().strftime("%d-%m-%Y %H:%M")
