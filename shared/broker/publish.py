"""Publishing: every message is confirmed by a queue, or its publisher gets an error.

    async with Publisher(configuration.amqp_dsn, "fetcher") as publisher:
        await publisher.publish(raw_mail, payload=raw_bytes)      # its bytes, with the message as envelope
        await publisher.publish(classified_mail)                  # any other message: JSON
        await asyncio.gather(*(publisher.publish(event) for event in events))   # a window: 4 to 6 times as fast

`publish` returns when RabbitMQ has the message safe in a queue. It raises `BrokerOutage` (an `Outage`, so a `TryAgain`)
or its kinds `Unroutable` and `QueueFull`; whether an earlier try arrived may then be unknown, so the caller publishes
again and consumers know the mail or the event by its own id. The connection is opened at the first publish and
replaced when it is lost; there are no hidden retries.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from types import TracebackType
from typing import Any, Final, Self, cast

from aio_pika import DeliveryMode
from aiormq import spec
from aiormq.channel import Channel
from aiormq.exceptions import ChannelInvalidStateError
from opentelemetry import propagate, trace
from prometheus_client import Counter
from pydantic import SecretStr

from shared.broker.session import PUBLISH_TIMEOUT_SECONDS, BrokerOutage, QueueFull, Session, Unroutable, broker_trouble
from shared.broker.topology import RETRY_EXCHANGE, ROUTES
from shared.broker.wire import COUNTERS, Delivery, encode
from shared.messages import Message
from shared.telemetry import has_trace, records_traces

TROUBLE_SECONDS: Final = 90
"""How long a publish that failed counts against readiness: longer than who publishes waits before it tries again."""

_tracer = trace.get_tracer("helpdesk_importer.broker")
_published = Counter(
    "importer_published_total", "Messages that RabbitMQ confirmed, or did not, by AMQP type", ["type", "result"]
)
_count = cache(_published.labels)


class Publisher:
    """Confirmed publishing on a connection of its own. One for a process is enough; concurrent use is intended."""

    def __init__(self, dsn: SecretStr, service: str) -> None:
        self._dsn = dsn
        self._service = service
        self._session: Session | None = None
        self._channel: Channel | None = None
        self._opening: asyncio.Task[Session] | None = None
        self._trouble: BrokerOutage | None = None
        self._troubled_at = 0.0

    async def publish(self, message: Message, *, payload: bytes | None = None) -> None:
        """Publish `message` by the route of its type. `payload`: a raw mail's bytes, None when it is too large."""
        route = ROUTES[message.type]
        encoded = encode(message, payload)
        await self._send(
            route.exchange,
            route.routing_key,
            encoded.body,
            spec.Basic.Properties(
                headers=dict(encoded.headers),
                content_type=encoded.content_type,
                message_type=message.type,
                correlation_id=str(message.mail_id),
                timestamp=datetime.now(UTC),
                app_id=self._service,
            ),
        )

    async def republish(self, delivery: Delivery, routing_key: str, headers: Mapping[str, Any]) -> None:
        """Publish a copy of `delivery` on the exchange `retry`, with `headers` instead of its own.

        RabbitMQ's own headers (`x-…`) are left out: 4.x ignores some, and a copied delivery count lies.
        """
        await self._send(
            RETRY_EXCHANGE,
            routing_key,
            delivery.body,
            spec.Basic.Properties(
                headers={name: value for name, value in headers.items() if not name.startswith("x-")},
                content_type=delivery.content_type or None,
                message_type=delivery.message_type or None,
                correlation_id=delivery.correlation_id or None,
                timestamp=delivery.timestamp,
                app_id=delivery.app_id or None,
            ),
        )

    async def replay(self, delivery: Delivery) -> None:
        """Publish a dead letter on its work queue again, as for the first time: tries and reason are forgotten."""
        headers = {name: value for name, value in delivery.headers.items() if name not in COUNTERS}
        await self.republish(delivery, delivery.queue, headers)

    async def check(self) -> None:
        """Raise BrokerOutage while messages are not taken: a check for /health/ready.

        That is when there is no connection and none can be made, when RabbitMQ has blocked it (its memory or disk
        alarm), and for TROUBLE_SECONDS after a publish that was not confirmed, unless another one is.
        """
        await (await self._open_session()).check_takes()
        if self._trouble is not None and time.monotonic() - self._troubled_at < TROUBLE_SECONDS:
            raise self._trouble

    async def close(self) -> None:
        """Close the connection; a later publish would open another."""
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait([self._opening])
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _send(self, exchange: str, routing_key: str, body: bytes, properties: spec.Basic.Properties) -> None:
        properties.message_id = str(uuid.uuid4())  # aiormq confuses the confirms of two in flight with one id
        properties.delivery_mode = DeliveryMode.PERSISTENT
        if not (records_traces() or has_trace()):
            await self._confirmed(exchange, routing_key, body, properties)
            return
        with _tracer.start_as_current_span(
            f"publish {routing_key}",
            kind=trace.SpanKind.PRODUCER,
            attributes={
                "messaging.system": "rabbitmq",
                "messaging.destination.name": exchange,
                "messaging.rabbitmq.destination.routing_key": routing_key,
                "messaging.message.id": properties.message_id,
                "messaging.message.conversation_id": properties.correlation_id or "",
            },
        ):
            carrier: dict[str, str] = {}
            propagate.inject(carrier)
            properties.headers = {**(properties.headers or {}), **carrier}
            await self._confirmed(exchange, routing_key, body, properties)

    async def _confirmed(self, exchange: str, routing_key: str, body: bytes, properties: spec.Basic.Properties) -> None:
        """By aiormq itself: aio-pika makes another message of it first, and writes each out before the next one."""
        session = await self._open_session()
        kind = properties.message_type or ""
        try:
            with broker_trouble(f"publishing {kind} to {routing_key}"):
                await self._open_channel().basic_publish(
                    body,
                    exchange=exchange,
                    routing_key=routing_key,
                    properties=properties,
                    mandatory=True,
                    timeout=PUBLISH_TIMEOUT_SECONDS,
                    wait=False,
                )
        except (Unroutable, QueueFull) as refusal:
            _count(kind, "refused").inc()
            self._remember(refusal)
            raise
        except BrokerOutage as outage:
            _count(kind, "unknown").inc()
            self._remember(outage)
            session.lose(outage)
            raise
        self._trouble = None
        _count(kind, "confirmed").inc()

    def _open_channel(self) -> Channel:
        """QUIRK: what is published on a closed channel is neither sent nor refused."""
        if self._channel is None or self._channel.is_closed:
            raise ChannelInvalidStateError("the channel is closed")
        return self._channel

    def _remember(self, trouble: BrokerOutage) -> None:
        self._trouble, self._troubled_at = trouble, time.monotonic()

    async def _open_session(self) -> Session:
        """The session in use, or a new one: who publishes at the same moment waits for the same connection."""
        if self._session is not None and not self._session.lost.is_set():
            return self._session
        if self._opening is None or self._opening.done():
            self._opening = asyncio.create_task(self._replace_session(self._session), name="publisher connects")
            self._opening.add_done_callback(_look_at)
        with broker_trouble("waiting for the connection"):
            return await asyncio.shield(self._opening)

    async def _replace_session(self, lost: Session | None) -> Session:
        if lost is not None:
            await lost.close()
        session = await Session.open(self._dsn, f"{self._service} publishes")
        try:
            channel = await session.channel()
            self._channel = cast("Channel", await channel.get_underlay_channel())  # the abstract one knows no `wait`
        except BaseException:
            await session.close()
            raise
        self._session = session
        return session


def _look_at(opening: asyncio.Task[Session]) -> None:
    """As asyncio wants it: who waited for the connection may have gone meanwhile, and is the one to tell."""
    if not opening.cancelled():
        opening.exception()
