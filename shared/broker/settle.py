"""What becomes of a delivery: each ends in exactly one `Settlement`, decided by what its handler raised.

    nothing                    acknowledged
    TryAgain                   to a wait queue (10 s, 1 min, 10 min), then acknowledged where it was
    Outage                     raised: the consumer closes, waits until `healthy`, consumes again; no try is counted
    HandleAlone                to Q.suspect, where one message is handled at a time beside the others
    DeadLetter                 parked in Q.dead with the reason, after `on_dead_letter`
    anything else (our bug)    to a wait queue, counted; after the fifth: `on_poison`, and without that, parked

Five deliveries of which their consumers may have died (a crash loop): to Q.suspect, where one message is handled at a
time; there five more mean that this message is the culprit, which is given up as after the fifth failure.

Every copy is confirmed before its original is acknowledged: a crash in between makes a second copy, never none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

import structlog

from shared.broker.publish import Publisher
from shared.broker.retry import CRASH_LOOP_DELIVERIES, is_given_up, wait_before_next
from shared.broker.session import BrokerOutage
from shared.broker.topology import dead_queue, suspect_queue, wait_queue
from shared.broker.wire import AT, ATTEMPT, FAILURES, FIRST_ERROR, LAST_ERROR, REASON, SERVICE, Delivery
from shared.errors import DeadLetter, HandleAlone, Outage, TryAgain

LONGEST_ERROR: Final = 500
"""Characters of an error's text that go into a header."""

Handler = Callable[[Delivery], Awaitable[None]]
OnDeadLetter = Callable[[Delivery, str], Awaitable[None]]
OnPoison = Callable[[Delivery, Exception], Awaitable[bool]]

_log = structlog.get_logger(__name__)


class Settlement(StrEnum):
    """How a delivery ended."""

    ACKNOWLEDGED = "acknowledged"
    WAITING = "waiting"
    """In a wait queue for its next try."""
    SUSPECT = "suspect"
    """Moved to the queue in which one message is handled at a time."""
    HANDED_ON = "handed-on"
    """Given up, and `on_poison` found another way for it."""
    DEAD_LETTERED = "dead-lettered"
    RELEASED = "released"
    """Not acknowledged: RabbitMQ delivers it again."""


class CrashLoop(DeadLetter):
    """A message that was alone in the consumer's hands each time it died."""


@dataclass(frozen=True, slots=True)
class Settler:
    """Runs the handler and settles the delivery, save for the acknowledgement; raises Outage when nothing was settled.

    `on_dead_letter(delivery, reason)` records a dead letter before it is parked. `on_poison(delivery, error)` may find
    another way for a message that was given up; when it returns True, the message counts as done.
    """

    publisher: Publisher
    service: str
    handler: Handler
    on_dead_letter: OnDeadLetter | None = None
    on_poison: OnPoison | None = None

    async def settle(self, delivery: Delivery) -> Settlement:
        """Handle the delivery and put it, or a confirmed copy of it, where it belongs."""
        if delivery.broker_deliveries >= CRASH_LOOP_DELIVERIES:
            return await self._settle_crash_loop(delivery)
        try:
            await self._handle(delivery)
        except Exception as error:  # noqa: BLE001 - our bug too, whatever its type
            return await self._settle_trouble(delivery, error)
        return Settlement.ACKNOWLEDGED

    async def _settle_trouble(self, delivery: Delivery, error: Exception) -> Settlement:
        match error:
            case Outage() if not delivery.suspect:
                raise error
            case TryAgain():  # an outage too: left among the suspects, it would count as a crash
                return await self._wait(delivery, error)
            case HandleAlone() if not delivery.suspect:
                _log.warning("message_handled_alone", reason=str(error))
                return await self._set_apart(delivery)
            case DeadLetter():
                return await self._park(delivery, error)
        return await self._settle_failure(delivery, error)

    async def _handle(self, delivery: Delivery) -> None:
        """QUIRK: a client on a stuck connection may raise CancelledError in a task that nobody cancelled."""
        try:
            await self.handler(delivery)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            raise BrokerOutage("A connection stopped answering while the message was handled") from None

    async def _settle_failure(self, delivery: Delivery, error: Exception) -> Settlement:
        _log.error("handler_failed", attempt=delivery.attempt, failures=delivery.failures + 1, exc_info=error)
        if is_given_up(delivery.failures + 1):
            return await self._give_up(delivery, error)
        return await self._wait(delivery, error)

    async def _settle_crash_loop(self, delivery: Delivery) -> Settlement:
        if not delivery.suspect:
            return await self._set_apart(delivery)
        crashed = CrashLoop(
            f"The service died {delivery.broker_deliveries} times while it handled this message alone: "
            "look for what it says last in its log, and replay the message once that is mended"
        )
        if delivery.broker_deliveries >= 2 * CRASH_LOOP_DELIVERIES:
            return await self._park(delivery, crashed)  # giving it up crashed us too
        return await self._give_up(delivery, crashed)

    async def _set_apart(self, delivery: Delivery) -> Settlement:
        await self.publisher.republish(delivery, suspect_queue(delivery.queue), delivery.headers)
        return Settlement.SUSPECT

    async def _wait(self, delivery: Delivery, trouble: Exception) -> Settlement:
        after = trouble.after if isinstance(trouble, TryAgain) else None
        headers = _with_error(delivery, trouble) | {ATTEMPT: delivery.attempt + 1}
        if not isinstance(trouble, TryAgain):
            headers[FAILURES] = delivery.failures + 1
        queue = wait_queue(delivery.queue, wait_before_next(delivery.attempt, after))
        await self.publisher.republish(delivery, queue, headers)
        _log.warning("message_waits", wait_queue=queue, attempt=delivery.attempt, trouble=describe(trouble))
        return Settlement.WAITING

    async def _give_up(self, delivery: Delivery, error: Exception) -> Settlement:
        if self.on_poison is None:
            return await self._park(delivery, error)
        try:
            handed_on = await self.on_poison(delivery, error)
        except Outage:
            raise
        except Exception as another:  # noqa: BLE001 - the other way is barred too, whatever the reason
            _log.error("on_poison_failed", exc_info=another)
            return await self._park(delivery, error)
        return Settlement.HANDED_ON if handed_on else await self._park(delivery, error)

    async def _park(self, delivery: Delivery, error: Exception) -> Settlement:
        reason = str(error) if isinstance(error, DeadLetter) else describe(error)
        if self.on_dead_letter is not None:
            try:
                await self.on_dead_letter(delivery, reason)
            except Outage:
                raise
            except Exception as another:  # noqa: BLE001 - unrecorded is bad, an endless loop is worse
                _log.error("on_dead_letter_failed", exc_info=another)
        headers = _with_error(delivery, error) | {
            REASON: reason[:LONGEST_ERROR],
            SERVICE: self.service,
            AT: datetime.now(UTC).isoformat(),
        }
        await self.publisher.republish(delivery, dead_queue(delivery.queue), headers)
        _log.error("message_dead_lettered", reason=reason, dead_queue=dead_queue(delivery.queue))
        return Settlement.DEAD_LETTERED


def describe(error: Exception) -> str:
    """An error in one bounded line, for a header or a log.

    PostgreSQL's DETAIL is left out: it holds the row that was refused, so pieces of a mail.
    """
    return " ".join(f"{type(error).__name__}: {error}".partition("\nDETAIL:")[0].split())[:LONGEST_ERROR]


def _with_error(delivery: Delivery, error: Exception) -> dict[str, Any]:
    headers = dict(delivery.headers)
    headers.setdefault(FIRST_ERROR, describe(error))
    return headers | {LAST_ERROR: describe(error)}
