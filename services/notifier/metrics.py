"""What waits to be sent, read from the database, so that every notifier tells the same and a dead one is noticed.

    importer_notifications_waiting                    gauge  by the reason of the last try; «none»: not tried yet
    importer_oldest_notification_timestamp_seconds    gauge  when the oldest of them was decided; 0: none

A wrong password or a missing account shows here at once; as failed it would be counted after 72 hours.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import structlog
from prometheus_client import Gauge

from services.notifier.repository import Repository, Waiting
from shared.errors import TryAgain
from shared.portal.delivery import DeliveryReason

PERIOD_SECONDS: Final = 15
NOT_TRIED: Final = "none"

_log = structlog.get_logger(__name__)
_waiting = Gauge(
    "importer_notifications_waiting", "Notifications to be sent, by what kept the last try from it", ["reason"]
)
_oldest = Gauge(
    "importer_oldest_notification_timestamp_seconds",
    "When the oldest notification that is still to be sent was decided; 0 when there is none",
)


async def show_waiting(repository: Repository, stop: asyncio.Event) -> None:
    """Show what waits until `stop` is set; in an outage what was known last stays."""
    while not stop.is_set():
        try:
            record_waiting(await repository.waiting())
        except TryAgain as trouble:
            _log.warning("metrics_not_refreshed", trouble=str(trouble))
        with suppress(TimeoutError):
            async with asyncio.timeout(PERIOD_SECONDS):
                await stop.wait()


def record_waiting(waiting: Sequence[Waiting]) -> None:
    """Show these, and nothing for the other reasons."""
    for reason in (NOT_TRIED, *DeliveryReason):
        _waiting.labels(reason).set(0)
    for some in waiting:
        _waiting.labels(some.reason or NOT_TRIED).set(some.count)
    _oldest.set(min((some.oldest_at.timestamp() for some in waiting), default=0))
