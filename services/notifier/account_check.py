"""`python -m services.notifier check ACCOUNT_ID [again]`: logs in to an outgoing account and sends nothing.

A login that was refused and rests is not tried, unless `again` is said; whether it is taken is recorded, so that it
rests for the notifiers too, or does no longer. The answer (`shared.asking`), for `helpdesk-importer accounts check`:

    {"kind": "smtp", "login": "post", "login_refused_since": null, "login_expires_at": null,
     "ok": true, "found": "protocol, server and login, in words"}
    {…, "ok": false, "trouble": "login-refused", "problem": "what the server said, or our own sentence"}
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Final

from services.notifier.repository import Repository
from services.notifier.transport import AccountTrouble, NotDelivered
from services.notifier.transports import Transports
from shared.asking import Answer, Asked, told_at
from shared.errors import Misconfigured
from shared.logins import LoginStanding, rest_after_refusals
from shared.portal.delivery import DeliveryReason
from shared.sealing import Keyring

LONGEST_SECONDS: Final = 60


async def try_account(asked: Asked, account_id: int, *, again: bool) -> Answer:
    """What a login of this account finds."""
    keyring = Keyring.from_secret(asked.configuration.secret("encryption_keys"))
    repository = Repository(asked.pool, "check")
    account = await repository.account(account_id)
    if account is None:
        raise Misconfigured("This account does not exist any more.")
    login = account.login
    answer = {
        "kind": account.kind,
        "login": account.username,
        "login_refused_since": told_at(None if login is None else login.refused_since),
        "login_expires_at": told_at(None if login is None else login.expires_at),
    }
    try:
        async with Transports(keyring) as transports, asyncio.timeout(LONGEST_SECONDS):
            login = await repository.login_of(account, transports.fingerprint(account))
            if login is not None and login.rests_for is not None and not again:
                return answer | {"ok": False, "trouble": DeliveryReason.LOGIN_REFUSED.value, "problem": _rests(login)}
            description = await transports.of(account).check()
    except NotDelivered as trouble:
        if login is not None and isinstance(trouble, AccountTrouble) and trouble.refused_login:
            rest = rest_after_refusals(login.refused_logins + 1, jitter=0)
            await repository.record_login_refused(login, trouble.reply, rest)
        return answer | {"ok": False, "trouble": trouble.reason.value, "problem": trouble.reply}
    except TimeoutError:
        problem = f"There was no answer within {LONGEST_SECONDS} seconds: check the server's name and the network."
        return answer | {"ok": False, "trouble": DeliveryReason.SERVER_AWAY.value, "problem": problem}
    if login is not None:
        await repository.record_login_taken(login)
    return answer | {"ok": True, "found": description}


def _rests(login: LoginStanding) -> str:
    return (
        f"The login is refused since {_local(login.refused_since)} ({login.refusal}) and is not tried before "
        f"{_local(login.probe_at)}, so that the account is not locked. Change its username, password or "
        "server: then it is tried at once. Or try it now with --again."
    )


def _local(moment: datetime | None) -> str:
    return "" if moment is None else moment.astimezone().strftime("%Y-%m-%d %H:%M")
