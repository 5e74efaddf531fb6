"""Every message of every queue is delivered twice: nothing changes, and nothing is sent twice (DESIGN 1)."""

from collections.abc import AsyncIterator

import aio_pika
import pytest
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, AbstractQueue

from shared.broker.topology import ROUTES
from tests.acceptance.copies import again, tap
from tests.acceptance.pipeline import Pipeline, a_mail, eventually

TABLES = (
    "imported_mails",
    "tickets",
    "supplements",
    "ticket_history",
    "attachments",
    "content_keys",
    "notifications",
    "dead_letters",
)
SAYS_ONLY_WHEN = ("event_published_at",)
"""Columns that tell when a message last left: publishing again is what a redelivery does."""


@pytest.fixture
async def channel(pipeline: Pipeline) -> AsyncIterator[AbstractChannel]:
    """The administrator's channel."""
    connection = await aio_pika.connect(pipeline.installation.admin_amqp_url)
    async with connection:
        yield await connection.channel()


async def snapshot(pipeline: Pipeline) -> dict[str, list[str]]:
    """Every row of every table that a mail leaves traces in."""
    return {
        table: sorted(
            str({name: value for name, value in row.items() if name not in SAYS_ONLY_WHEN})
            for row in await pipeline.connection.fetch(f"SELECT * FROM helpdesk.{table}")  # noqa: S608 - our own names
        )
        for table in TABLES
    }


async def copies(queue: AbstractQueue, at_least: int) -> list[AbstractIncomingMessage]:
    """What the tap holds, once it holds that many."""
    held: list[AbstractIncomingMessage] = []

    async def enough() -> bool:
        while (message := await queue.get(fail=False)) is not None:
            held.append(message)
        return len(held) >= at_least

    await eventually(enough, f"{at_least} messages in {queue.name}")
    return held


async def test_every_message_delivered_twice_changes_nothing_and_sends_nothing(
    pipeline: Pipeline, channel: AbstractChannel
) -> None:
    taps = {type_: await tap(channel, route) for type_, route in ROUTES.items()}
    ticket = await pipeline.ticket(a_mail(subject="Tweemaal bezorgd", sender="tweemaal@kopie.example"))
    answer = await pipeline.supplement(
        a_mail(subject=f"Ticket {ticket['number']}: nog iets", sender="tweemaal@kopie.example")
    )
    quarantined = pipeline.drop(b"Subject: van niemand, tweemaal\n\nHallo\n")
    assert (await pipeline.outcome(quarantined))["outcome"] == "quarantine"
    for mail_id in (ticket["mail_id"], answer["mail_id"]):
        await pipeline.notifications(mail_id)
    messages = {type_: await copies(queue, 2 if type_ == "ticket.event" else 3) for type_, queue in taps.items()}
    for queue in taps.values():
        await queue.delete(if_empty=False, if_unused=False)
    await pipeline.queues_empty()
    before, received = await snapshot(pipeline), len(pipeline.smtp.deliveries)

    for type_, originals in messages.items():
        exchange = await channel.get_exchange(ROUTES[type_].exchange, ensure=False)
        for original in originals:
            await exchange.publish(again(original), ROUTES[type_].routing_key)
    await pipeline.queues_empty()
    # What a copy could cause comes before what causes it: a mail after them ends after them.
    last = await pipeline.ticket(a_mail(subject="Na de kopieën", sender="erna@kopie.example"))
    await pipeline.notifications(last["mail_id"])

    after = await snapshot(pipeline)
    for table in TABLES:
        assert [row for row in before[table] if row not in after[table]] == [], table
        assert all(str(last["mail_id"]) in row for row in after[table] if row not in before[table]), table
    assert len(pipeline.smtp.deliveries) == received + 2
