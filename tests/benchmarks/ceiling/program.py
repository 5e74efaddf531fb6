"""One process of the ceiling: `python -m tests.benchmarks.ceiling.program STAGE MOST`.

    take    files of a Maildir, at each line on standard input ──▶ mail.raw
    hand    mail.raw ──▶ mail.classified
    write   mail.classified ──▶ a durable commit, then ticket.event
    send    ticket.events ──▶ SMTP, over connections that are kept

Every message is persistent and confirmed before what it was made of is acknowledged. `MOST` messages at most are done
at once; with 1 there is a commit a mail. Nothing is read, looked up or decided: what a mail costs beyond this is ours.

Reads   CEILING_…: AMQP_URL, DATABASE_URL, MAILDIR, SMTP_PORT, MAILS_OUT (mean of mails sent a mail), MAIL_OUT_BYTES
"""

from __future__ import annotations

import asyncio
import os
import sys
import uuid
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

import aio_pika
import aiosmtplib
import asyncpg
import uvloop
from aio_pika.abc import AbstractExchange, AbstractIncomingMessage, AbstractRobustChannel

from shared.broker.topology import MAIL_CLASSIFIED, MAIL_RAW, ROUTES, TICKET_EVENTS, Route

AT_ONCE: Final = 10
"""Done side by side where each is done alone, as the services' workers do."""
WINDOW: Final = 32
"""Files that are published before their confirms are waited for."""
PREFETCH: Final = 64

Message = AbstractIncomingMessage
Work = Callable[[Sequence[Message]], Awaitable[None]]

_WRITE: Final = "INSERT INTO passed (id, size) SELECT * FROM unnest($1::uuid[], $2::integer[])"


class Out:
    """Confirmed publishing by a route of the importer's own."""

    def __init__(self, exchange: AbstractExchange, route: Route) -> None:
        self._exchange = exchange
        self._key = route.routing_key

    @classmethod
    async def open(cls, channel: AbstractRobustChannel, message_type: str) -> Out:
        """To where messages of this type go."""
        route = ROUTES[message_type]
        return cls(await channel.get_exchange(route.exchange, ensure=False), route)

    async def publish(self, bodies: Sequence[bytes]) -> None:
        """Return once the broker has all of them."""
        await asyncio.gather(*(self._one(body) for body in bodies))

    async def _one(self, body: bytes) -> None:
        message = aio_pika.Message(body, delivery_mode=aio_pika.DeliveryMode.PERSISTENT, message_id=uuid.uuid4().hex)
        await self._exchange.publish(message, self._key, mandatory=True)


async def take(channel: AbstractRobustChannel) -> None:
    """Publish what lies in the Maildir, and move it to where read mail is."""
    out = await Out.open(channel, "mail.raw")
    new = Path(os.environ["CEILING_MAILDIR"]) / "new"
    read = new.parent / "cur"
    while await asyncio.to_thread(sys.stdin.readline):
        files = sorted(new.iterdir())
        for start in range(0, len(files), WINDOW):
            window = files[start : start + WINDOW]
            await out.publish([file.read_bytes() for file in window])
            for file in window:
                file.rename(read / f"{file.name}:2,S")


async def hand(channel: AbstractRobustChannel, most: int) -> None:
    """Publish the same bytes again."""
    out = await Out.open(channel, "mail.classified")

    async def work(messages: Sequence[Message]) -> None:
        await out.publish([message.body for message in messages])

    await consume(channel, MAIL_RAW, work, most)


async def write(channel: AbstractRobustChannel, most: int) -> None:
    """Commit, then publish an event of each."""
    out = await Out.open(channel, "ticket.event")
    url = os.environ["CEILING_DATABASE_URL"]
    async with asyncpg.create_pool(url, min_size=1, max_size=AT_ONCE, reset=_keep_as_it_is) as pool:

        async def work(messages: Sequence[Message]) -> None:
            ids = [uuid.uuid4() for _ in messages]
            await pool.execute(_WRITE, ids, [len(message.body) for message in messages])
            await out.publish([mail_id.bytes * 16 for mail_id in ids])

        await consume(channel, MAIL_CLASSIFIED, work, most)


async def _keep_as_it_is(_: object) -> None:
    """No session is changed, so that asyncpg need not reset it: nor do the services'."""


async def send(channel: AbstractRobustChannel, most: int) -> None:
    """Send as many mails as the importer does."""
    mails_out, size = float(os.environ["CEILING_MAILS_OUT"]), int(os.environ["CEILING_MAIL_OUT_BYTES"])
    line = b"x" * 76 + b"\r\n"
    mail = b"Subject: ceiling\r\n\r\n" + line * max(1, size // len(line))
    free: asyncio.Queue[aiosmtplib.SMTP] = asyncio.Queue()
    for _ in range(4):
        client = aiosmtplib.SMTP(hostname="127.0.0.1", port=int(os.environ["CEILING_SMTP_PORT"]), start_tls=False)
        await client.connect()
        free.put_nowait(client)
    events = 0

    async def one() -> None:
        client = await free.get()
        try:
            await client.sendmail("desk@desk.example", ["customer@customer.example"], mail)
        finally:
            free.put_nowait(client)

    async def work(messages: Sequence[Message]) -> None:
        nonlocal events
        before, events = events, events + len(messages)
        await asyncio.gather(*(one() for _ in range(int(events * mails_out) - int(before * mails_out))))

    await consume(channel, TICKET_EVENTS, work, most)


async def consume(channel: AbstractRobustChannel, queue: str, work: Work, most: int) -> None:
    """Do what waits, at most `most` messages at once, and acknowledge them; for ever."""
    waiting: asyncio.Queue[Message] = asyncio.Queue()
    await (await channel.get_queue(queue, ensure=False)).consume(waiting.put)

    async def worker() -> None:
        while True:
            messages = [await waiting.get()]
            while len(messages) < most and not waiting.empty():
                messages.append(waiting.get_nowait())
            await work(messages)
            for message in messages:
                await message.ack()

    async with asyncio.TaskGroup() as workers:
        for _ in range(AT_ONCE if most == 1 else 2):
            workers.create_task(worker())


async def main(stage: str, most: int) -> None:
    """Connect, say so on standard output, and work until killed."""
    connection = await aio_pika.connect_robust(os.environ["CEILING_AMQP_URL"])
    channel = await connection.channel()
    assert isinstance(channel, AbstractRobustChannel)
    await channel.set_qos(PREFETCH)
    sys.stdout.write("connected\n")
    sys.stdout.flush()
    if stage == "take":
        await take(channel)
    else:
        await {"hand": hand, "write": write, "send": send}[stage](channel, most)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(sys.argv[1], int(sys.argv[2])))
