"""`helpdesk-importer run --until-idle`: stops when all is done, and says what is not."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import aio_pika
import asyncpg
import pytest

from deploy.demo.maildir import Maildir
from deploy.demo.organisation import load_organisation
from deploy.demo.smtp_server import SmtpServer
from deploy.local.instance import Servers
from tests.acceptance.installation import Installation, fresh_installation
from tests.acceptance.pipeline import a_mail, eventually
from tests.databases import Databases

ROOT = Path(__file__).parents[2]
_ENDS = 3
_LAST_STATEMENTS = """
    SELECT query_start FROM pg_stat_activity
    WHERE datname = $1 AND application_name = 'helpdesk-importer' AND state = 'idle'
        AND query LIKE 'SELECT * FROM installation_standing()%'"""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    code: int | None
    said: str
    complained: str


@dataclass(frozen=True, slots=True)
class Desk:
    """An installation with the sample organisation, of whose mailboxes only `ict` is on."""

    installation: Installation
    mailboxes: Path
    smtp: SmtpServer
    owner: asyncpg.Connection[Any]
    server: str
    """The URL of PostgreSQL, as its superuser."""

    @asynccontextmanager
    async def started(self, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
        """`helpdesk-importer run …`, killed at the end if it still runs."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "services.console", "run", "--log-dir", str(self.mailboxes / "logs"), *arguments,
            cwd=ROOT, env=self.installation.environment,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    async def until_idle(self, seconds: int = 60) -> Ended:
        """Run it to its end."""
        async with self.started("--until-idle", "--timeout", str(seconds)) as process:
            said, complained = await process.communicate()
        return Ended(process.returncode, said.decode(), complained.decode())

    async def until(self, fact: Callable[[], Awaitable[int]]) -> Ended:
        """Run it, and tell it to stop once `fact` holds and it has looked."""
        async with self.started("--until-idle") as process:
            await eventually(fact, "the fact")
            await self._until_it_has_looked()
            process.send_signal(signal.SIGTERM)
            said, complained = await process.communicate()
        return Ended(process.returncode, said.decode(), complained.decode())

    async def _until_it_has_looked(self) -> None:
        """Return once a look has begun and ended that saw all that is a fact now.

        Each look ends with the same statement, which PostgreSQL shows. The first end of a look may be that of one that
        began before; by the third, the second look is known to the process.
        """
        server = await asyncpg.connect(self.server)
        ends: set[datetime] = set()

        async def seen() -> int:
            ends.update(
                row["query_start"] for row in await server.fetch(_LAST_STATEMENTS, self.installation.database.name)
            )
            return len(ends) >= _ENDS

        try:
            await eventually(seen, "two looks")
        finally:
            await server.close()

    def drop(self, **mail: str) -> None:
        Maildir(self.mailboxes / "ict").deliver(a_mail(**mail).as_bytes())

    async def count(self, what: str) -> int:
        return int(await self.owner.fetchval(f"SELECT count(*) FROM helpdesk.{what}"))  # noqa: S608 - our own words


@pytest.fixture
async def desk(servers: Servers, databases: Databases, tmp_path: Path) -> AsyncIterator[Desk]:
    (tmp_path / "secrets").mkdir()
    async with (
        fresh_installation(servers, databases, tmp_path / "secrets") as fresh,
        SmtpServer() as smtp,
    ):
        for name in ("ict", "facilitair"):
            Maildir(tmp_path / name)
        console = fresh.database.dsn("console").get_secret_value()
        await load_organisation(console, mailboxes=tmp_path, smtp_port=smtp.port)
        owner = await asyncpg.connect(fresh.database.dsn("owner").get_secret_value())
        try:
            await owner.execute("""
                UPDATE helpdesk.importer_settings SET check_interval_seconds = 86400, enabled = server LIKE '%/ict'""")
            yield Desk(fresh, tmp_path, smtp, owner, servers.postgres.url)
        finally:
            await owner.close()


async def test_it_stops_when_all_is_imported_and_sent_and_starts_over_next_time(desk: Desk) -> None:
    for round_ in (1, 2):  # the mailbox's own next check is a day away when the second begins
        desk.drop(sender="Sanne Visser <sanne.visser@goudenaar.example>")
        desk.drop(sender=f"Iemand <iemand{round_}@elders.example>")
        ended = await desk.until_idle()
        assert ended.code == os.EX_OK, ended.complained
        assert "Idle: every mailbox is checked" in ended.said
        assert (
            await desk.count("imported_mails WHERE outcome = 'ticket' AND event_published_at IS NOT NULL") == 2 * round_
        )
        assert await desk.count("notifications WHERE state = 'planned'") == 0
        assert len(desk.smtp.deliveries) == await desk.count("notifications WHERE state = 'sent'") > 0
        assert "Traceback" not in ended.complained


async def test_a_mailbox_that_had_no_good_check_is_told_with_its_problem(desk: Desk) -> None:
    (desk.mailboxes / "ict").rename(desk.mailboxes / "away")
    ended = await desk.until(lambda: desk.count("mailbox_states WHERE problem IS NOT NULL"))
    assert ended.code == 1
    assert "Stopped before all was done:" in ended.complained
    assert "The mailbox of ICT-servicedesk had no good check since this run began. Its problem" in ended.complained
    assert "Facilitair" not in ended.complained  # it is off


async def test_mail_that_waits_for_another_try_counts_as_done(desk: Desk) -> None:
    desk.smtp.answers["MAIL"] = ["451 4.3.0 Try again later"] * 20
    desk.drop()
    ended = await desk.until_idle()
    assert ended.code == os.EX_OK, ended.complained
    waiting = await desk.count("notifications WHERE state = 'planned' AND next_try_at > now()")
    assert waiting > 0
    assert "will be tried again later" in ended.said


async def test_a_dead_letter_needs_a_person(desk: Desk) -> None:
    async with await aio_pika.connect(desk.installation.admin_amqp_url) as connection:
        channel = await connection.channel()
        await channel.default_exchange.publish(aio_pika.Message(b"no event", type="ticket.event"), "ticket.events")
    ended = await desk.until_idle()
    assert ended.code == 3, ended.complained
    assert "1 mail could not be handled" in ended.complained


async def test_a_mail_that_is_held_up_is_told(desk: Desk) -> None:
    desk.installation.environment["IMPORTER_DRAIN_SECONDS"] = "1"
    desk.drop()
    async with desk.owner.transaction():
        await desk.owner.execute("LOCK TABLE helpdesk.content_keys IN EXCLUSIVE MODE")  # ticket_writer waits for it
        ended = await desk.until(lambda: desk.count("mailbox_states WHERE last_successful_check_at IS NOT NULL"))
    assert ended.code == 1
    assert "1 mail taken in without an outcome yet." in ended.complained
    assert (await desk.until_idle()).code == os.EX_OK


async def test_servers_that_are_away_are_told_at_the_timeout(desk: Desk) -> None:
    desk.installation.environment["IMPORTER_AMQP_URL"] = "amqp://127.0.0.1:1/helpdesk"
    ended = await desk.until_idle(10)
    assert ended.code == 1
    assert "Not idle after 10 seconds:" in ended.complained
    assert "RabbitMQ failed us while connecting" in ended.complained


async def test_without_the_consoles_secret_nothing_is_started(desk: Desk) -> None:
    Path(desk.installation.environment["IMPORTER_SECRETS_DIR"], "amqp_password_console").unlink()
    ended = await desk.until_idle()
    assert ended.code == os.EX_CONFIG
    assert "amqp_password_console" in ended.complained
    assert "starting" not in ended.complained
