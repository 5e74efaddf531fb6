"""`python -m services.notifier check ACCOUNT_ID [again]`: logs in to an outgoing account and sends nothing.

A login that was refused and rests is not tried, unless `again` is said; whether it is taken is recorded, so that it
rests for the notifiers too, or does no longer. The answer (`shared.asking`), for `helpdesk-importer accounts check`:

    {"kind": "smtp", "login": "post", "login_refused_since": null, "login_expires_at": null,
     "ok": true, "found": "protocol, server and login, in words"}
    {…, "ok": false, "trouble": "login-refused", "problem": "what the server said, or our own sentence"}
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Final

from services.notifier.repository import AccountToTry, Repository
from services.notifier.transport import AccountTrouble, NotDelivered
from services.notifier.transports import Transports
from shared.asking import Answer, Asked
from shared.errors import Misconfigured
from shared.logins import rest_after_refusals
from shared.portal.delivery import DeliveryReason
from shared.sealing import Keyring

LONGEST_SECONDS: Final = 60


async def try_account(asked: Asked, account_id: int, *, again: bool) -> Answer:
    """What a login of this account finds."""
    keyring = Keyring.from_secret(asked.configuration.secret("encryption_keys"))
    repository = Repository(asked.pool, "check")
    tried = await repository.account_to_try(account_id)
    if tried is None:
        raise Misconfigured("This account does not exist any more.")
    account = tried.account
    told = {
        "kind": account.kind,
        "login": account.username,
        "login_refused_since": _iso(tried.refused_since),
        "login_expires_at": _iso(tried.login_expires_at),
    }
    if account.login_rests and not again:
        return told | {"ok": False, "trouble": DeliveryReason.LOGIN_REFUSED.value, "problem": _rests(tried)}
    try:
        async with Transports(keyring) as transports, asyncio.timeout(LONGEST_SECONDS):
            found = await transports.of(account).check()
    except NotDelivered as trouble:
        refused = isinstance(trouble, AccountTrouble) and trouble.tried
        if refused and trouble.reason is DeliveryReason.LOGIN_REFUSED:
            rest = rest_after_refusals(account.refused_logins + 1, jitter=0)
            await repository.record_login_refused(account, trouble.reply, rest)
        return told | {"ok": False, "trouble": trouble.reason.value, "problem": trouble.reply}
    except TimeoutError:
        problem = f"There was no answer within {LONGEST_SECONDS} seconds: check the server's name and the network."
        return told | {"ok": False, "trouble": DeliveryReason.SERVER_AWAY.value, "problem": problem}
    await repository.record_login_taken(account)
    return told | {"ok": True, "found": found}


def _rests(tried: AccountToTry) -> str:
    return (
        f"The login is refused since {_local(tried.refused_since)} ({tried.account.refusal}) and is not tried before "
        f"{_local(tried.login_rests_until)}, so that the account is not locked. Change its username, password or "
        "server: then it is tried at once. Or try it now with --again."
    )


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _local(moment: datetime | None) -> str:
    return "" if moment is None else moment.astimezone().strftime("%Y-%m-%d %H:%M")
