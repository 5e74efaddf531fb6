"""The service as a process of its own: killed at any moment it loses and doubles nothing; told to stop, it drains."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from shared.broker.publish import Publisher
from shared.broker.topology import MAIL_CLASSIFIED, TICKET_EVENTS
from shared.messages import ClassifiedMail, TicketEvent
from tests.databases import Database
from tests.held_up import held_up
from tests.services.ticket_writer.conftest import Desk
from tests.services.ticket_writer.givens import candidate, mail
from tests.shared.broker.harness import Queues, eventually
from tests.vhosts import Vhost

ROOT = Path(__file__).parents[3]
MAILS = 60
"""Every other one a new ticket, every other one a supplement."""


@asynccontextmanager
async def process(database: Database, vhost: Vhost, **environment: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """`python -m services.ticket_writer`; killed at the end if it still runs."""
    settings = {
        "PYTHONPATH": str(ROOT),
        "IMPORTER_DATABASE_URL": database.dsn("ticket_writer").get_secret_value(),
        "IMPORTER_AMQP_URL": vhost.dsn("ticket_writer").get_secret_value(),
    }
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.ticket_writer",
        env=os.environ | settings | environment, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
        await started.communicate()


async def test_killed_again_and_again_each_mail_is_written_once_and_told(
    desk: Desk, database: Database, vhost: Vhost
) -> None:
    await desk.take_in(mail(received_at=datetime.now(UTC)))
    mails = [
        await desk.fetch(mail(received_at=datetime.now(UTC), candidates=(candidate(),) if turn % 2 else ()))
        for turn in range(MAILS)
    ]
    async with Publisher(vhost.dsn("classifier"), "classifier") as classifier:
        await asyncio.gather(*(classifier.publish(each) for each in mails))

    for statement, turn in (("UPDATE OF outcome", 10), ("UPDATE OF event_published_at", 21), ("UPDATE OF outcome", 50)):
        its_row = f"NEW.mail_id = '{mails[turn].mail_id}'"
        async with held_up(database, statement, its_row) as waits, process(database, vhost) as running:
            await eventually(waits)
            running.send_signal(signal.SIGKILL)
            assert await running.wait() == -signal.SIGKILL

    async with process(database, vhost) as running, Queues.of(vhost.admin_dsn) as queues:

        async def all_told() -> bool:
            left: int = await desk.value(
                "SELECT count(*) FROM imported_mails WHERE event_published_at IS NULL AND mail_id = ANY($1)",
                [each.mail_id for each in mails],
            )
            return left == 0 and await queues.count(MAIL_CLASSIFIED) == 0

        await eventually(all_told)
        running.send_signal(signal.SIGTERM)
        assert await running.wait() == os.EX_OK
        events = [
            TicketEvent.model_validate_json((await queues.take(TICKET_EVENTS)).body)
            for _ in range(await queues.count(TICKET_EVENTS))
        ]

    await assert_written_once(desk, mails)
    by_id = {event.event_id: event for event in events}
    assert {event.mail_id for event in by_id.values()} >= {each.mail_id for each in mails}
    assert all(by_id[event.event_id] == event for event in events), "a copy is the same event"


async def assert_written_once(desk: Desk, mails: list[ClassifiedMail]) -> None:
    half = MAILS // 2
    assert await desk.value("SELECT count(*) FROM tickets") == 1 + half
    assert await desk.value("SELECT count(*) FROM supplements") == half
    assert await desk.value("SELECT count(*) FROM notifications") == 2 * (1 + half) + half
    assert await desk.value("SELECT count(*) FROM content_keys") == 1 + len(mails)


async def test_bad_configuration_is_refused_with_a_sentence(database: Database, vhost: Vhost) -> None:
    async with process(database, vhost, IMPORTER_WORKERS="veel") as running:
        _, errors = await running.communicate()
        assert running.returncode == os.EX_CONFIG
    assert "IMPORTER_WORKERS" in errors.decode()
