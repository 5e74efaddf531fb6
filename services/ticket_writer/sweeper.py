"""Publishes the events that were left behind: the outcome was committed, the event never recorded as published.

That happens when the service dies between the two and the message does not come again (it was purged, or is a dead
letter since). A copy of an event does no harm: its consumers know it by its id.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta
from typing import Final

import structlog

from services.ticket_writer.repository import EVENTS_AT_ONCE, Repository
from shared.broker.publish import Publisher
from shared.errors import TryAgain

LEFT_BEHIND_AFTER: Final = timedelta(minutes=1)
INTERVAL: Final = timedelta(seconds=30)

_log = structlog.get_logger(__name__)


class EventSweeper:
    """Sweeps every half minute; replicas share the work by locking rows."""

    def __init__(self, repository: Repository, publisher: Publisher, *, age: timedelta = LEFT_BEHIND_AFTER) -> None:
        self._repository = repository
        self._publisher = publisher
        self._age = age

    async def run(self, stop: asyncio.Event) -> None:
        """Sweep until `stop` is set; an outage only means that the next round does it."""
        while not stop.is_set():
            try:
                await self.sweep()
            except TryAgain as trouble:
                _log.warning("event_sweep_postponed", reason=str(trouble))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(INTERVAL.total_seconds()):
                    await stop.wait()

    async def sweep(self) -> int:
        """Publish everything that was left behind; how many events that were."""
        published = 0
        while True:
            async with self._repository.left_behind(self._age) as events:
                await asyncio.gather(*(self._publisher.publish(event) for event in events))
            published += len(events)
            if events:
                _log.info("events_republished", count=len(events))
            if len(events) < EVENTS_AT_ONCE:
                return published
