"""The service as a process, on real servers: started, fed by its queue, killed at its worst moments, drained."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from deploy.demo.smtp_server import Delivery, SmtpServer
from services.notifier.repository import LEASE
from services.notifier.rules.retry import DELAYS
from shared.broker.publish import Publisher
from shared.messages import NotificationKind
from tests.services.notifier.examples import KEY
from tests.services.notifier.house import ENCRYPTION_KEY, House
from tests.vhosts import Vhost

DEADLINE_SECONDS = 40
ROOT = Path(__file__).parents[3]


def _environment(house: House, vhost: Vhost) -> dict[str, str]:
    return os.environ | {
        "PYTHONPATH": str(ROOT),
        "IMPORTER_DATABASE_URL": house.database.dsn("notifier").get_secret_value(),
        "IMPORTER_AMQP_URL": vhost.dsn("notifier").get_secret_value(),
        "IMPORTER_ENCRYPTION_KEYS": ENCRYPTION_KEY.get_secret_value(),
        "IMPORTER_MESSAGE_ID_KEY": KEY.decode(),
    }


@asynccontextmanager
async def _service(environment: dict[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.notifier", env=environment, stderr=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def _stopped(process: asyncio.subprocess.Process) -> int:
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(DEADLINE_SECONDS):
        return await process.wait()


async def _until(house: House, notification: UUID, fact: Callable[[Any], bool]) -> Any:
    """The notification's row, as soon as `fact` holds of it."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not fact(row := await house.row(notification)):
            await asyncio.sleep(0.05)
    return row


async def _said(process: asyncio.subprocess.Process, words: str) -> None:
    """Return as soon as the service has logged these words."""
    assert process.stderr is not None
    async with asyncio.timeout(DEADLINE_SECONDS):
        while words.encode() not in (line := await process.stderr.readline()):
            assert line, "the service ended"


async def test_events_become_mails_once_each_also_when_they_come_twice(
    house: House, vhost: Vhost, smtp: SmtpServer
) -> None:
    ticket = await house.ticket()
    planned = (
        await house.plan(NotificationKind.TICKET_ADDED_MANAGER, ticket=ticket, to="sanne@example.nl"),
        await house.plan(NotificationKind.TICKET_ADDED_CUSTOMER, ticket=ticket),
    )
    supplement = await house.plan(NotificationKind.SUPPLEMENT_ADDED_EXECUTOR, ticket=ticket, to="karim@example.nl")
    events = [await house.event(*planned), await house.event(supplement)] * 2
    async with _service(_environment(house, vhost)) as process:
        async with Publisher(vhost.dsn("ticket_writer"), "ticket_writer") as publisher:
            for event in events:
                await publisher.publish(event)
        for each in (*planned, supplement):
            await _until(house, each, lambda row: bool(row["state"] == "sent"))
        assert await _stopped(process) == 0
    assert sorted(delivery.recipients[0] for delivery in smtp.deliveries) == [
        "karim@example.nl",
        "piet@klant.example",
        "sanne@example.nl",
    ]


async def test_a_postponed_mail_goes_out_by_itself(house: House, vhost: Vhost, smtp: SmtpServer) -> None:
    planned = await house.plan()
    smtp.answers["DATA"] = ["451 4.3.0 later"]
    async with _service(_environment(house, vhost)) as process:
        async with Publisher(vhost.dsn("ticket_writer"), "ticket_writer") as publisher:
            await publisher.publish(await house.event(planned))
        postponed = await _until(house, planned, lambda row: row["next_try_at"] is not None)
        await house.pass_time(DELAYS[0])
        sent = await _until(house, planned, lambda row: bool(row["state"] == "sent"))
        assert await _stopped(process) == 0
    assert sent["mime"] == postponed["mime"]
    assert len(smtp.deliveries) == 1


@pytest.mark.parametrize("event_first", [True, False], ids=["the event comes again", "the lease ends"])
async def test_killed_between_the_250_and_its_commit_the_same_mail_goes_once_more(
    house: House,
    vhost: Vhost,
    smtp: SmtpServer,
    event_first: bool,  # noqa: FBT001 - a table's column
) -> None:
    """The one window in which a mail may go out twice, and then it is the same mail (DESIGN 9, issue 4)."""
    planned = await house.plan()
    async with _service(_environment(house, vhost)) as doomed:

        async def kill(_: Delivery) -> None:
            doomed.kill()
            await doomed.wait()

        smtp.on_delivery = kill
        async with Publisher(vhost.dsn("ticket_writer"), "ticket_writer") as publisher:
            await publisher.publish(await house.event(planned))
        await smtp.wait_for(1, seconds=DEADLINE_SECONDS)
        await doomed.wait()
    smtp.on_delivery = None
    if not event_first:
        await house.pass_time(LEASE + timedelta(minutes=5))
    async with _service(_environment(house, vhost)) as process:
        if event_first:  # the event is delivered again, finds the dead one's lease, and leaves the row to the sweeper
            await _said(process, '"settlement": "acknowledged"')
            assert (await house.row(planned))["state"] == "planned"
            await house.pass_time(LEASE + timedelta(minutes=5))
        await _until(house, planned, lambda row: bool(row["state"] == "sent"))
        assert await _stopped(process) == 0
    first, second = smtp.deliveries
    assert first.content == second.content
    assert (await house.row(planned))["tries"] == 2


async def test_stopped_while_a_mail_is_on_its_way_it_finishes_and_records(
    house: House, vhost: Vhost, smtp: SmtpServer
) -> None:
    planned = await house.plan()
    answering = asyncio.Event()

    async def hold(_: Delivery) -> None:
        await answering.wait()

    smtp.on_delivery = hold
    async with _service(_environment(house, vhost)) as process:
        async with Publisher(vhost.dsn("ticket_writer"), "ticket_writer") as publisher:
            await publisher.publish(await house.event(planned))
        await smtp.wait_for(1, seconds=DEADLINE_SECONDS)
        process.send_signal(signal.SIGTERM)
        answering.set()
        async with asyncio.timeout(DEADLINE_SECONDS):
            assert await process.wait() == 0
    assert (await house.row(planned))["state"] == "sent"
    assert len(smtp.deliveries) == 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param({"IMPORTER_MESSAGE_ID_KEY": "kort"}, "message_id_key is too short", id="short key"),
        pytest.param({"IMPORTER_MESSAGE_ID_KEY": ""}, "message_id_key", id="no key"),
        pytest.param({"IMPORTER_ENCRYPTION_KEYS": "geen sleutel"}, "encryption_keys", id="bad encryption key"),
        pytest.param({"IMPORTER_AMQP_URL": "http://x"}, "IMPORTER_AMQP_URL", id="no broker's address"),
    ],
)
async def test_bad_configuration_is_refused_with_a_sentence(changes: dict[str, str], said: str) -> None:
    good = {
        "PYTHONPATH": str(ROOT),
        "IMPORTER_DATABASE_URL": "postgresql://importer:x@127.0.0.1:1/helpdesk",
        "IMPORTER_AMQP_URL": "amqp://importer:x@127.0.0.1:1/helpdesk",
        "IMPORTER_ENCRYPTION_KEYS": ENCRYPTION_KEY.get_secret_value(),
        "IMPORTER_MESSAGE_ID_KEY": KEY.decode(),
        "IMPORTER_SECRETS_DIR": "/nonexistent",
    }
    async with _service(os.environ | good | changes) as process:
        assert process.stderr is not None
        async with asyncio.timeout(DEADLINE_SECONDS):
            errors = (await process.stderr.read()).decode()
            assert await process.wait() == os.EX_CONFIG
    assert said in errors
    assert "Traceback" not in errors
