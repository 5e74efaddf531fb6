"""One trace follows a mail through the queues, whoever records it."""

import asyncio

from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from shared.broker.consume import Consumer
from shared.broker.publish import Publisher
from shared.broker.topology import MAIL_RAW
from shared.broker.wire import Delivery
from shared.errors import TryAgain
from tests.shared.broker.harness import DEADLINE_SECONDS, raw_mail, running
from tests.vhosts import Vhost

TRACE_ID = 0x0AF7651916CD43DD8448EB211C80319C


async def test_the_handler_works_in_the_trace_of_the_publisher_also_at_its_second_try(vhost: Vhost) -> None:
    seen: list[int] = []
    done = asyncio.Event()

    async def handle(_delivery: Delivery) -> None:
        seen.append(trace.get_current_span().get_span_context().trace_id)
        if len(seen) == 1:
            raise TryAgain("once more")
        done.set()

    context = SpanContext(TRACE_ID, 0xB7AD6B7169203331, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))
    async with (
        Publisher(vhost.dsn("fetcher"), "fetcher") as fetcher,
        Publisher(vhost.dsn("classifier"), "classifier") as publisher,
        running(Consumer(vhost.dsn("classifier"), MAIL_RAW, handle, publisher, service="classifier")),
    ):
        with trace.use_span(NonRecordingSpan(context)):
            await fetcher.publish(raw_mail())
        async with asyncio.timeout(DEADLINE_SECONDS):
            await done.wait()
    assert seen == [TRACE_ID, TRACE_ID]
