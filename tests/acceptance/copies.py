"""Copies of messages: got on the side, and delivered again as a broker does after a lost acknowledgement."""

import uuid

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, AbstractQueue

from shared.broker.topology import Route


async def tap(channel: AbstractChannel, route: Route) -> AbstractQueue:
    """A queue that gets a copy of every message on this route from now on."""
    queue = await channel.declare_queue(f"tap.{route.routing_key}", durable=True, arguments={"x-queue-type": "quorum"})
    await queue.bind(route.exchange, route.routing_key)
    return queue


def again(original: AbstractIncomingMessage) -> aio_pika.Message:
    """The same message as the broker would bring it again after a lost acknowledgement."""
    return aio_pika.Message(
        original.body,
        headers={name: value for name, value in original.headers.items() if not name.startswith("x-")},
        content_type=original.content_type,
        content_encoding=original.content_encoding,
        message_id=str(uuid.uuid4()),
        correlation_id=original.correlation_id,
        type=original.type,
        app_id=original.app_id,
        timestamp=original.timestamp,
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
    )
