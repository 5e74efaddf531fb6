"""When mails came into `mail.raw`, by the number that each bears."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Final

import aio_pika
from aio_pika.abc import AbstractIncomingMessage

from shared.broker.topology import MAIL_RAW

_NUMBER: Final = re.compile(rb"^X-Number: (\d+)\r?$", re.MULTILINE)


class Arrivals:
    """What came, taken from the queue as it came."""

    def __init__(self) -> None:
        self.at: dict[int, float] = {}
        """The first time of each number, in seconds of the epoch."""
        self.copies = 0
        """Messages of a mail that had come before."""
        self._came = asyncio.Condition()

    async def take(self, message: AbstractIncomingMessage) -> None:
        """Note a message."""
        number = _NUMBER.search(message.body)
        assert number is not None
        async with self._came:
            if self.at.setdefault(int(number[1]), now := time.time()) != now:
                self.copies += 1
            self._came.notify_all()

    async def all_of(self, numbers: Collection[int], within: float) -> bool:
        """Wait until these came; False when `within` seconds were not enough."""
        try:
            async with asyncio.timeout(within), self._came:
                await self._came.wait_for(lambda: all(number in self.at for number in numbers))
        except TimeoutError:
            return False
        return True


@asynccontextmanager
async def arriving(amqp_url: str) -> AsyncIterator[Arrivals]:
    """Take all that comes into the queue, in the classifier's place."""
    arrivals = Arrivals()
    connection = await aio_pika.connect(amqp_url)
    try:
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=1000)
        queue = await channel.get_queue(MAIL_RAW, ensure=False)
        await queue.consume(arrivals.take, no_ack=True)
        yield arrivals
    finally:
        await connection.close()
