"""Many mails, more than one replica of each service, and processes that end while work is in their hands."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final

import aio_pika
from aio_pika.abc import AbstractIncomingMessage

from services.console.supervisor import SERVICES
from shared.broker.retry import CRASH_LOOP_DELIVERIES
from shared.broker.topology import RETRY_EXCHANGE, WORK_QUEUES
from shared.messages import ReasonId
from tests.acceptance.copies import again, tap
from tests.acceptance.pipeline import eventually
from tests.faults.importer import Importer
from tests.faults.mails import Kind
from tests.faults.protocols import What

MANY: Final = 120


async def test_told_to_stop_in_the_middle_of_the_work_each_service_finishes_what_it_has_in_hand(
    importer: Importer,
) -> None:
    batch = importer.deliver_many(MANY)
    await importer.decided(batch, MANY // 6)
    running = [await importer.the_only(service) for service in SERVICES]
    assert await asyncio.gather(*(replica.drain() for replica in running)) == [os.EX_OK] * len(SERVICES)
    assert not await importer.pipeline.connection.fetch(
        "SELECT FROM helpdesk.notifications WHERE lease_holder IS NOT NULL"
    )
    assert not await importer.pipeline.connection.fetch(
        "SELECT FROM helpdesk.imported_mails WHERE published_at IS NULL OR marked_read_at IS NULL"
    )
    await asyncio.gather(*map(importer.start, SERVICES))
    await importer.as_if_undisturbed(batch)


async def test_one_of_two_replicas_is_killed_and_each_message_comes_twice(importer: Importer) -> None:
    """Both copies of a message are in the hands of two replicas at the same moment, of which one dies."""
    doomed = {service: await importer.the_only(service) for service in SERVICES}
    await asyncio.gather(*map(importer.start, SERVICES))
    await eventually(partial(have_consumers, importer, 2), "two consumers of each queue")
    async with everything_twice(importer):
        batch = importer.deliver_many(MANY)
        for position, service in enumerate(SERVICES):
            await importer.decided(batch, MANY * (position + 1) // 6)
            await importer.kill(doomed[service], anywhere=True)
        await importer.done(batch)
    await importer.as_if_undisturbed(batch)


async def have_consumers(importer: Importer, count: int) -> bool:
    """Whether each work queue has so many consumers."""
    async with await aio_pika.connect(importer.pipeline.installation.admin_amqp_url) as connection:
        channel = await connection.channel()
        queues = [await channel.declare_queue(queue.name, passive=True) for queue in WORK_QUEUES]
        return all(queue.declaration_result.consumer_count == count for queue in queues)


@asynccontextmanager
async def everything_twice(importer: Importer) -> AsyncIterator[None]:
    """Deliver a copy of each message to the same queue, as soon as it is there; the last ones before this ends."""
    async with await aio_pika.connect(importer.pipeline.installation.admin_amqp_url) as connection:
        channel = await connection.channel()
        retry = await channel.get_exchange(RETRY_EXCHANGE, ensure=False)
        in_hand: set[str] = set()

        def copy_to(queue: str) -> Callable[[AbstractIncomingMessage], Coroutine[Any, Any, None]]:
            async def copy(message: AbstractIncomingMessage) -> None:
                in_hand.add(message.message_id or "")
                await retry.publish(again(message), queue)
                await message.ack()
                in_hand.discard(message.message_id or "")

            return copy

        taps = [await tap(channel, queue.filled_by) for queue in WORK_QUEUES]
        for queue, each in zip(WORK_QUEUES, taps, strict=True):
            await each.consume(copy_to(queue.name))
        yield
        for each in taps:  # in the order of the flow: the copies of one queue fill no earlier one

            async def is_empty(name: str = each.name) -> bool:
                left = (await channel.declare_queue(name, passive=True)).declaration_result.message_count
                return left == 0 and not in_hand

            await eventually(is_empty, f"{each.name} copied")
            await each.delete(if_unused=False, if_empty=False)


async def test_D17_a_mail_that_crashes_the_classifier_each_time_ends_with_our_error_while_others_go_on(
    importer: Importer,
) -> None:
    """The process dies five times with others' mail in hand, and five times with this mail alone: the culprit."""
    await importer.kill(await importer.the_only("classifier"))
    culprit = importer.pipeline.drop(b"From: x@elders.example\r\nSubject: Laat de classifier vallen\r\n\r\nHallo\r\n")
    others = importer.deliver([Kind.IMAGE, Kind.SUPPLEMENT, Kind.LARGE, Kind.TOO_LARGE])
    row = await importer.pipeline.row("SELECT mail_id FROM helpdesk.imported_mails WHERE item_key = $1", culprit)

    def is_about_to_crash_it(of: tuple[str, ...]) -> bool:
        """Delivered to be worked on, which is not done with a message that was delivered so often in vain."""
        mail_id, deliveries = of
        return mail_id == str(row["mail_id"]) and int(deliveries) < CRASH_LOOP_DELIVERIES

    for _ in range(2 * CRASH_LOOP_DELIVERIES):
        with importer.amqp["classifier"].trap(What.DELIVER, is_about_to_crash_it) as trap:
            classifier = await importer.start("classifier")
            await eventually(trap.is_reached, "the culprit delivered")
            await importer.kill(classifier)
    await importer.start("classifier")
    await importer.as_if_undisturbed(others)
    outcome = await importer.pipeline.outcome(culprit)
    assert outcome["outcome"] == "ticket"
    assert ReasonId.OUR_ERROR in await importer.pipeline.reasons(culprit)
