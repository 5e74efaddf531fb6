"""Small helpers of the broker's tests: a message, a running consumer, and a look into a queue."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, AbstractQueue
from pydantic import SecretStr

from shared.broker.consume import Consumer
from shared.errors import Outage
from shared.messages import BlobReference, RawMail
from tests.vhosts import Vhost

DEADLINE_SECONDS = 60


def raw_mail(**changes: Any) -> RawMail:
    """The envelope of some raw mail."""
    now = datetime.now(UTC)
    fields = {
        "mail_id": uuid.uuid4(),
        "helpdesk_id": 7,
        "received_at": now,
        "fetched_at": now,
        "raw": BlobReference(sha256="ab" * 32, size=5),
        "full_size": 5,
    }
    return RawMail.model_validate(fields | changes)


async def eventually(fact: Callable[[], Awaitable[bool]]) -> None:
    """Return as soon as `fact` holds; TimeoutError at the deadline."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not await fact():
            await asyncio.sleep(0.02)


async def is_consuming(consumer: Consumer) -> bool:
    """Whether the consumer says that it is ready."""
    try:
        await consumer.check()
    except Outage:
        return False
    return True


@asynccontextmanager
async def running(consumer: Consumer) -> AsyncIterator[None]:
    """The consumer, consuming; told to stop afterwards, and awaited."""
    stop = asyncio.Event()
    task = asyncio.create_task(consumer.run(stop))
    try:
        await eventually(lambda: is_consuming(consumer))
        yield
    finally:
        stop.set()
        async with asyncio.timeout(DEADLINE_SECONDS):
            await task


async def delete_queue(vhost: Vhost, queue: str) -> None:
    """Delete a queue, as an administrator by mistake would."""
    await vhost.management.send("DELETE", f"queues/{vhost.name}/{queue}")


async def kill_connections(vhost: Vhost, service: str) -> None:
    """Let RabbitMQ close all connections of a service."""
    user = next(user.name for user in vhost.topology.users if user.service == service)
    await vhost.management.send("DELETE", f"connections/username/{user}")


@dataclass(frozen=True, slots=True)
class Queues:
    """The administrator's look into the queues."""

    channel: AbstractChannel
    url: str

    @classmethod
    @asynccontextmanager
    async def of(cls, dsn: SecretStr) -> AsyncIterator[Self]:
        """Open for the virtual host of `dsn`."""
        async with await aio_pika.connect(dsn.get_secret_value()) as connection:
            yield cls(await connection.channel(on_return_raises=True), dsn.get_secret_value())

    async def count(self, queue: str) -> int:
        """Messages that are ready in the queue, not those in a consumer's hands."""
        declared = await self.channel.declare_queue(queue, passive=True)
        return declared.declaration_result.message_count or 0

    async def take(self, queue: str) -> AbstractIncomingMessage:
        """Take a message out of the queue, as soon as there is one."""
        found = await self.channel.get_queue(queue, ensure=False)
        taken: list[AbstractIncomingMessage] = []

        async def is_taken() -> bool:
            message = await found.get(no_ack=True, fail=False)
            taken.extend([] if message is None else [message])
            return bool(taken)

        await eventually(is_taken)
        return taken[0]

    async def put(self, queue: str, message: aio_pika.Message) -> None:
        """Put a message straight into the queue, confirmed."""
        await self.channel.default_exchange.publish(message, queue)

    async def crash(self, queue: str, *, times: int) -> None:
        """Be given the head of the queue this often, and vanish each time without a word."""
        for _ in range(times):
            async with await aio_pika.connect(self.url) as connection:
                found = await (await connection.channel()).get_queue(queue, ensure=False)

                async def is_given(found: AbstractQueue = found) -> bool:
                    return await found.get(fail=False) is not None

                await eventually(is_given)
