"""Consuming a work queue, supervised: whatever happens to the connection, it consumes again, until it is told to stop.

    async def handle(delivery: Delivery) -> None:
        mail = delivery.read(RawMail)
        ...                                   # commit, then publish (confirmed); the acknowledgement follows by itself

    consumer = Consumer(configuration.amqp_dsn, MAIL_RAW, handle, publisher, service="classifier", workers=10)
    await consumer.run(stop)                  # until `stop` is set: takes no more, finishes what is in hand, closes

What the handler raises decides what becomes of the message: `shared.broker.settle`. The handler must be idempotent: a
message comes again after a crash, a lost connection or an unknown confirm. When a connection is lost, what is in hand
goes on to its end (a mail that is being sent must not be sent twice), beside the queue that is consumed again. What
comes again meanwhile waits for that end, and is acknowledged by it.

RabbitMQ counts a message's deliveries, whatever ended them. Only those count against it in which this process may have
died of it: not those that a lost connection ended while we lived, nor those that we gave back at the end of a drain.
Suspects are taken up only when the process has been alive for a while, so that whoever restarts it again and again
condemns nobody.

Facts that a handler learns go into its summary line (event `message_handled`, one for each delivery):
`structlog.contextvars.bind_contextvars(outcome="ticket")`.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import structlog
from aiormq.abc import AbstractChannel, DeliveredMessage
from opentelemetry import propagate, trace
from prometheus_client import Counter, Gauge, Histogram
from pydantic import SecretStr

from shared.broker.acknowledge import Acknowledgements
from shared.broker.publish import Publisher
from shared.broker.session import REQUEST_TIMEOUT_SECONDS, Backoff, BrokerOutage, Session, broker_trouble
from shared.broker.settle import Handler, OnDeadLetter, OnPoison, Settlement, Settler, describe
from shared.broker.topology import WAITS, suspect_queue, wait_queue
from shared.broker.wire import HELPDESK_ID, Delivery
from shared.errors import Outage
from shared.telemetry import brings_trace, records_traces

ACKNOWLEDGE_TIMEOUT_SECONDS: Final = 30
HEALTH_TIMEOUT_SECONDS: Final = 30

MOST_REMEMBERED: Final = 10_000
"""Messages of which we know that a delivery ended while we lived; of more, the oldest are forgotten."""
GIVE_BACK_SECONDS: Final = 3
"""For all that is given back at the end of a drain."""

Healthy = Callable[[], Awaitable[None]]

_log = structlog.get_logger(__name__)
_tracer = trace.get_tracer("helpdesk_importer.broker")
_settled = Counter("importer_messages_total", "Messages by queue and how they ended", ["queue", "settlement"])
_in_flight = Gauge("importer_messages_in_flight", "Messages being handled now", ["queue"])
_seconds = Histogram(
    "importer_message_seconds",
    "Seconds from delivery to acknowledgement",
    ["queue"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
_pauses = Counter("importer_consumer_pauses_total", "Times that a consumer closed because of an outage", ["queue"])


async def _always_healthy() -> None:
    """What a handler needs that stands on the broker alone."""


class Consumer:
    """Consumes one work queue, and its queue of suspects, on a connection of its own.

    `workers` messages are handled at once. `healthy` raises (any error) while something that the handler stands on is
    away. Suspects are taken up `suspects_after` seconds after the first consumption. The hooks are those of `Settler`.
    """

    def __init__(
        self,
        dsn: SecretStr,
        queue: str,
        handler: Handler,
        publisher: Publisher,
        *,
        service: str,
        workers: int = 10,
        drain_seconds: float = 20,
        suspects_after: float = 0,
        healthy: Healthy = _always_healthy,
        on_dead_letter: OnDeadLetter | None = None,
        on_poison: OnPoison | None = None,
    ) -> None:
        self.queue = queue
        self._settled = {settlement: _settled.labels(queue, settlement.value) for settlement in Settlement}
        """From the start: a counter that first appears as 1 is no increase to who watches it."""
        self._handled_now = _in_flight.labels(queue)
        self._seconds = _seconds.labels(queue)
        self._dsn = dsn
        self._service = service
        self._settler = Settler(publisher, service, handler, on_dead_letter, on_poison)
        self._workers = workers
        self._drain_seconds = drain_seconds
        self._suspects_after = suspects_after
        self._publisher = publisher
        self._in_hand: dict[asyncio.Task[None], _Taken] = {}
        self._handling: dict[str, _Taken] = {}
        """The delivery of a message that is being handled, by its id: there is one of each."""
        self._survived: dict[str, int] = {}
        """How many deliveries of a message ended while we lived, by its id."""
        self._began: float | None = None
        self._healthy = healthy
        self._backoff = Backoff()
        self._not_consuming: Outage | None = BrokerOutage(f"The consumer of {queue} has not started yet")

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until `stop` is set and what is in hand is done (at most `drain_seconds`)."""
        while not stop.is_set():
            try:
                async with asyncio.timeout(HEALTH_TIMEOUT_SECONDS):
                    await self._healthy()
                async with await Session.open(self._dsn, f"{self._service} consumes {self.queue}") as session:
                    await self._consume(session, stop)
            except Exception as error:  # noqa: BLE001 - whatever it is, the only way on is to consume again, later
                await self._pause(error, stop)
        await self._finish()

    async def check(self) -> None:
        """Raise the reason when the queue is not being consumed: a check for /health/ready."""
        if self._not_consuming is not None:
            raise self._not_consuming

    async def _pause(self, error: Exception, stop: asyncio.Event) -> None:
        self._not_consuming = error if isinstance(error, Outage) else BrokerOutage(describe(error))
        delay = self._backoff.next_delay()
        _pauses.labels(self.queue).inc()
        _log.warning(
            "consumer_paused",
            queue=self.queue,
            reason=str(self._not_consuming),
            seconds=round(delay, 1),
            exc_info=None if isinstance(error, Outage) else error,
        )
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(delay):
                await stop.wait()

    async def _consume(self, session: Session, stop: asyncio.Event) -> None:
        """Take messages until `stop` or the loss of the session; raise the reason of a loss."""
        opened = [await self._open(session, self.queue, self._workers)]
        if self._began is None:
            self._began = time.monotonic()
        ending = asyncio.Event()
        suspects = asyncio.create_task(self._open_suspects(session, opened, ending))
        self._not_consuming = None
        _log.info("consumer_started", queue=self.queue, workers=self._workers)
        try:
            await _first_of(stop, session.lost)
            self._not_consuming = session.why or BrokerOutage(f"The consumer of {self.queue} is stopping")
            ending.set()
            if session.why is None:
                await suspects
            await self._take_no_more(opened)
        finally:
            suspects.cancel()
            await asyncio.wait([suspects])
            self._remember_those_of(session)
        if session.why is not None:
            raise session.why
        _log.info("consumer_drains", queue=self.queue, in_hand=len(self._in_hand))
        await self._finish()
        _log.info("consumer_stopped", queue=self.queue)

    async def _open_suspects(
        self, session: Session, opened: list[tuple[AbstractChannel, str]], ending: asyncio.Event
    ) -> None:
        """Begun, it is let finish: a request that is cancelled closes its channel, and the session with it."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout((self._began or 0.0) + self._suspects_after - time.monotonic()):
                await ending.wait()
        if ending.is_set():
            return
        try:
            opened.append(await self._open(session, suspect_queue(self.queue), 1, suspect=True))
        except Outage as outage:
            session.lose(outage)

    def _remember_those_of(self, session: Session) -> None:
        """The deliveries that the loss of a session ends, and not we."""
        if session.why is None:
            return
        for taken in self._in_hand.values():
            if taken.session is session:
                self._survive(taken)

    def _survive(self, taken: _Taken) -> None:
        """Remember, once, that this delivery ended while we lived."""
        message_id = taken.delivery.message_id
        if taken.survived or not message_id:
            return
        taken.survived = True
        self._survived[message_id] = self._survived.pop(message_id, 0) + 1
        while len(self._survived) > MOST_REMEMBERED:
            del self._survived[next(iter(self._survived))]

    async def _open(
        self, session: Session, queue: str, prefetch: int, *, suspect: bool = False
    ) -> tuple[AbstractChannel, str]:
        """Prefetch equals the number of workers: nothing is ever held back here, so stopping releases nothing.

        By aiormq itself: aio-pika makes another message of each, and another task.
        """
        channel = await (await session.channel()).get_underlay_channel()
        take = partial(self._take, session, Acknowledgements(channel), suspect=suspect)
        with broker_trouble(f"starting to consume {queue}"):
            await channel.basic_qos(prefetch_count=prefetch, timeout=REQUEST_TIMEOUT_SECONDS)
            consuming = await channel.basic_consume(queue, take, timeout=REQUEST_TIMEOUT_SECONDS)
        return channel, consuming.consumer_tag or ""

    async def _take_no_more(self, opened: list[tuple[AbstractChannel, str]]) -> None:
        for channel, consumer_tag in opened:
            with contextlib.suppress(BrokerOutage), broker_trouble(f"stopping to consume {self.queue}"):
                await channel.basic_cancel(consumer_tag, timeout=REQUEST_TIMEOUT_SECONDS)

    async def _finish(self) -> None:
        """Let what is in hand end, at most `drain_seconds`; give the rest back as if nobody had had it."""
        if not self._in_hand:
            return
        await asyncio.wait(list(self._in_hand), timeout=self._drain_seconds)
        late = dict(self._in_hand)
        if not late:
            return
        _log.warning("drain_deadline_passed", queue=self.queue, released=len(late))
        for task in late:
            task.cancel()
        await asyncio.wait(late)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GIVE_BACK_SECONDS):
                await asyncio.gather(*(self._give_back(taken) for task, taken in late.items() if task.cancelled()))

    async def _give_back(self, taken: _Taken) -> None:
        """By the shortest wait: what is left behind without an acknowledgement counts against the message."""
        delivery = taken.delivery
        queue = wait_queue(delivery.queue, WAITS[0])
        with contextlib.suppress(BrokerOutage), broker_trouble("giving a message back"):
            if not taken.session.lost.is_set():
                await self._publisher.republish(delivery, queue, delivery.headers)
                await taken.acknowledge()

    async def _take(
        self,
        session: Session,
        acknowledgements: Acknowledgements,
        message: DeliveredMessage,
        *,
        suspect: bool,
    ) -> None:
        """Start a task of our own: aiormq cancels its callbacks when the channel goes."""
        if session.lost.is_set():
            return
        properties = message.header.properties
        delivery = Delivery.of(
            message.body,
            properties,
            self.queue,
            redelivered=message.redelivered,
            suspect=suspect,
            survived=self._survived.get(properties.message_id or "", 0),
        )
        taken = _Taken(session, acknowledgements, message.delivery_tag or 0, delivery)
        task = asyncio.create_task(self._handle(taken), name=f"handles {delivery.message_id}")
        self._in_hand[task] = taken
        task.add_done_callback(self._in_hand.pop)

    async def _handle(self, taken: _Taken) -> None:
        """In a task of its own: what is bound to its context here ends with it."""
        delivery = taken.delivery
        structlog.contextvars.bind_contextvars(
            mail_id=delivery.correlation_id,
            queue=delivery.queue,
            message_id=delivery.message_id,
            helpdesk_id=delivery.headers.get(HELPDESK_ID),
        )
        started = time.perf_counter()
        settlement = Settlement.RELEASED
        trouble: str | None = None
        self._handled_now.inc()
        with _traced(delivery) as span:
            try:
                settlement = await self._acknowledged(taken)
            except Exception as error:  # noqa: BLE001 - an error in our own plumbing must not pass in silence
                trouble = describe(error)
                taken.session.lose(error if isinstance(error, Outage) else BrokerOutage(trouble))
                self._survive(taken)
            else:
                self._backoff.reset()
                self._survived.pop(delivery.message_id, None)
            finally:
                seconds = time.perf_counter() - started
                self._handled_now.dec()
                self._seconds.observe(seconds)
                self._settled[settlement].inc()
                span.set_attribute("importer.settlement", settlement.value)
                _log.info(
                    "message_handled",
                    settlement=settlement.value,
                    seconds=round(seconds, 4),
                    attempt=delivery.attempt,
                    failures=delivery.failures,
                    redelivered=delivery.redelivered,
                    trouble=trouble,
                )

    async def _acknowledged(self, taken: _Taken) -> Settlement:
        with taken.acknowledgements.coming():
            settlement = await self._settle_once(taken)
        with broker_trouble("acknowledging"):
            async with asyncio.timeout(ACKNOWLEDGE_TIMEOUT_SECONDS):
                await taken.acknowledge()
        return settlement

    async def _settle_once(self, taken: _Taken) -> Settlement:
        """Settle the message, or wait until an earlier delivery of it has done so."""
        message_id = taken.delivery.message_id
        while (earlier := self._handling.get(message_id)) is not None:
            await earlier.ended.wait()
            if earlier.settlement is not None:
                return earlier.settlement
        if taken.session.lost.is_set():
            raise BrokerOutage("The connection by which the message came is lost: it is delivered again")
        if not message_id:  # not one of ours: nothing tells whether it is the same
            return await self._settler.settle(taken.delivery)
        self._handling[message_id] = taken
        try:
            taken.settlement = await self._settler.settle(taken.delivery)
            return taken.settlement
        finally:
            del self._handling[message_id]
            taken.ended.set()


@dataclass(slots=True)
class _Taken:
    """A message in our hands; `survived`: its delivery has ended, and we live."""

    session: Session
    acknowledgements: Acknowledgements
    delivery_tag: int
    delivery: Delivery
    survived: bool = False
    settlement: Settlement | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def acknowledge(self) -> None:
        """Let RabbitMQ forget the message."""
        await self.acknowledgements.of(self.delivery_tag)


def _traced(delivery: Delivery) -> contextlib.AbstractContextManager[trace.Span]:
    """A span that goes on with the trace in the message's headers, if anybody records it or brings one."""
    if not (records_traces() or brings_trace(delivery.headers)):
        return contextlib.nullcontext(trace.INVALID_SPAN)
    return _tracer.start_as_current_span(
        f"process {delivery.queue}",
        context=propagate.extract({name: str(value) for name, value in delivery.headers.items()}),
        kind=trace.SpanKind.CONSUMER,
        attributes={
            "messaging.system": "rabbitmq",
            "messaging.destination.name": delivery.queue,
            "messaging.message.id": delivery.message_id,
            "messaging.message.conversation_id": delivery.correlation_id,
        },
    )


async def _first_of(*events: asyncio.Event) -> None:
    waiting = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
