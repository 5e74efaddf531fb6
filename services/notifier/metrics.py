"""What waits to be sent, read from the database, so that every notifier tells the same and a dead one is noticed.

    importer_notifications_waiting                    gauge  by the reason of the last try; «none»: not tried yet
    importer_oldest_notification_timestamp_seconds    gauge  when the oldest of them was decided; 0: none

    importer_account_refused_logins                   gauge  logins refused since one was taken or changed
    importer_account_login_expires_timestamp_seconds  gauge  end of the client secret or certificate, if known

A wrong password or a missing account shows here at once; as failed it would be counted after 72 hours. The last two are
by the account's id. A login that ends within 30 days is told in the log too, once a day: `account_login_ends`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

import structlog
from prometheus_client import Gauge

from services.notifier.repository import AccountLogin, Repository, Waiting
from shared.errors import TryAgain
from shared.logins import ending
from shared.portal.delivery import DeliveryReason

PERIOD_SECONDS: Final = 15
NOT_TRIED: Final = "none"

_log = structlog.get_logger(__name__)
_waiting = Gauge(
    "importer_notifications_waiting", "Notifications to be sent, by what kept the last try from it", ["reason"]
)
_refused_logins = Gauge(
    "importer_account_refused_logins", "Logins refused since one was taken or the login was changed", ["account_id"]
)
_login_expires = Gauge(
    "importer_account_login_expires_timestamp_seconds",
    "When the client secret or certificate of the account ends, where that is known",
    ["account_id"],
)
_oldest = Gauge(
    "importer_oldest_notification_timestamp_seconds",
    "When the oldest notification that is still to be sent was decided; 0 when there is none",
)


async def show_waiting(repository: Repository, stop: asyncio.Event) -> None:
    """Show what waits, and how accounts stand, until `stop` is set; in an outage what was known last stays."""
    while not stop.is_set():
        try:
            record_waiting(await repository.waiting())
            accounts = await repository.accounts()
            record_accounts(accounts)
            await tell_endings(repository, accounts, datetime.now(UTC))
        except TryAgain as trouble:
            _log.warning("metrics_not_refreshed", trouble=str(trouble))
        with suppress(TimeoutError):
            async with asyncio.timeout(PERIOD_SECONDS):
                await stop.wait()


def record_accounts(accounts: Sequence[AccountLogin]) -> None:
    """Show these accounts, and no others any more."""
    _refused_logins.clear()
    _login_expires.clear()
    for account in accounts:
        _refused_logins.labels(str(account.id)).set(account.refused_logins)
        if account.login_expires_at is not None:
            _login_expires.labels(str(account.id)).set(account.login_expires_at.timestamp())


async def tell_endings(repository: Repository, accounts: Sequence[AccountLogin], now: datetime) -> None:
    """Tell in the log of the logins that end soon, each once a day whichever notifier does it."""
    for account in accounts:
        sentence = ending(account.login_expires_at, now)
        if sentence is not None and account.login_id is not None and await repository.tell_ending(account.login_id):
            _log.warning("account_login_ends", account=account.name, account_id=account.id, problem=sentence)


def record_waiting(waiting: Sequence[Waiting]) -> None:
    """Show these, and nothing for the other reasons."""
    for reason in (NOT_TRIED, *DeliveryReason):
        _waiting.labels(reason).set(0)
    for some in waiting:
        _waiting.labels(some.reason or NOT_TRIED).set(some.count)
    _oldest.set(min((some.oldest_at.timestamp() for some in waiting), default=0))
