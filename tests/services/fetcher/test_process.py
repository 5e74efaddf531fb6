"""The fetcher as a process of its own: killed at any moment, drained, refused when badly configured."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from services.fetcher.mailboxes.protocol import INBOX
from shared.mail_identity import mail_id
from tests.held_up import held_up
from tests.services.fetcher.harness import ENCRYPTION_KEY, Desk, mail, minutes_ago
from tests.shared.broker.harness import eventually

ROOT = Path(__file__).parents[3]


@asynccontextmanager
async def process(desk: Desk, **environment: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """`python -m services.fetcher`; killed at the end if it still runs."""
    settings = {
        "IMPORTER_DATABASE_URL": desk.database.dsn("fetcher").get_secret_value(),
        "IMPORTER_AMQP_URL": desk.vhost.dsn("fetcher").get_secret_value(),
        "IMPORTER_ENCRYPTION_KEYS": ENCRYPTION_KEY.get_secret_value(),
        "IMPORTER_LEASE_SECONDS": "3",
    }
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.fetcher",
        cwd=ROOT, env={"PATH": os.environ["PATH"], **settings, **environment}, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
        await started.communicate()


async def test_killed_again_and_again_it_loses_no_mail_and_gives_none_a_second_identity(desk: Desk) -> None:
    raws = {f"{n}": mail(f"{n}") for n in range(100)}
    keys = [desk.post_office.deliver(raw, minutes_ago(2000 - n)) for n, raw in enumerate(raws.values())]
    for number, statement in enumerate(("INSERT", "UPDATE OF published_at", "UPDATE OF marked_read_at")):
        its_row = f"NEW.item_key = '{keys[20 + 20 * number]}'"
        async with held_up(desk.database, statement, its_row) as waits, process(desk) as running:
            await eventually(waits)
            running.send_signal(signal.SIGKILL)
            assert await running.wait() == -signal.SIGKILL

    async def all_read() -> bool:
        return not list((desk.post_office.root / "new").iterdir())

    async with process(desk) as running:
        await eventually(all_read)
        running.send_signal(signal.SIGTERM)
        assert await running.wait() == os.EX_OK
    messages = await desk.messages()
    assert {envelope.mail_id for envelope, _ in messages} == {mail_id(desk.helpdesk_id, 1, INBOX, key) for key in keys}
    assert {message.body for _, message in messages} == set(raws.values())
    rows = await desk.rows()
    assert [row["item_key"] for row in rows] == keys
    assert all(row["published_at"] for row in rows)
    assert sorted(desk.post_office.contents(INBOX)) == sorted(raws.values())


async def test_new_mail_is_noticed_by_the_process_too(desk: Desk) -> None:
    await desk.set(check_interval_seconds=86400)
    async with process(desk):

        async def checked() -> bool:
            return (await desk.state())["last_successful_check_at"] is not None

        async def arrived() -> bool:
            return await desk.queues.count("mail.raw") == 1

        await eventually(checked)
        desk.post_office.deliver(mail("Gemerkt"), minutes_ago(0))
        await eventually(arrived)


async def test_told_to_stop_it_drains_and_gives_its_leases_back(desk: Desk) -> None:
    for n in range(500):
        desk.post_office.deliver(mail(f"{n}"), minutes_ago(2000 - n))
    async with process(desk) as running:

        async def begun() -> bool:
            return await desk.queues.count("mail.raw") > 0

        await eventually(begun)
        running.send_signal(signal.SIGTERM)
        assert await running.wait() == os.EX_OK
    assert await desk.owner.fetchval("SELECT count(*) FROM mailbox_states WHERE lease_until > now()") == 0
    rows = await desk.rows()
    assert all(row["published_at"] and row["marked_read_at"] for row in rows)
    assert len(await desk.messages()) == len(rows)


async def test_a_bad_configuration_is_refused_with_a_sentence_for_each_variable(desk: Desk) -> None:
    async with process(desk, IMPORTER_LEASE_SECONDS="0", IMPORTER_SPOOL_BYTES="veel") as running:
        _, errors = await running.communicate()
        assert running.returncode == os.EX_CONFIG
    lines = errors.decode().splitlines()
    assert [line for line in lines if "IMPORTER_LEASE_SECONDS" in line]
    assert [line for line in lines if "IMPORTER_SPOOL_BYTES" in line]
