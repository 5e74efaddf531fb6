"""A commit whose wait for the standby was cut off: who finds it done waits himself before letting go of anything.

Such a row stands on the primary alone, where everybody sees it, and is gone when the standby takes over.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import asyncpg
import pytest

from deploy.local import ports
from deploy.local.account import ordinary_account
from deploy.local.checkout import exclusive, here
from deploy.local.packages import Packages
from deploy.local.postgres import Postgres
from services.fetcher.repository.ledger import Ledger
from services.notifier.repository import Repository as NotifierRepository
from services.ticket_writer.repository import Repository as WriterRepository
from shared.blobs.postgres import PostgresBlobs
from shared.database.pool import transaction
from shared.errors import Outage
from shared.messages import MailId
from tests.databases import Database
from tests.faults.own_servers import PrivatePostgres
from tests.faults.test_copied_clusters import made
from tests.shared.broker.harness import eventually

EVERY_TABLE: Final = Path(__file__).parents[1] / "shared/database/every_table.sql"
MAIL: Final = MailId(UUID(int=1))
NOTIFICATION: Final = UUID("20000000-0000-0000-0000-000000000001")
_WAITING: Final = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'"


@dataclass(slots=True)
class Primary:
    """A primary that may wait for a standby which is not there."""

    database: Database
    superuser: asyncpg.Connection[Any]
    _tasks: list[asyncio.Task[Any]] = field(default_factory=list)

    async def lose_standby(self) -> None:
        """From now on no commit returns."""
        await self._set_standbys("nobody")

    async def find_standby(self) -> None:
        """All commits return again."""
        await self._set_standbys("")

    async def _set_standbys(self, names: str) -> None:
        await self.superuser.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{names}'")
        await self.superuser.execute("SELECT pg_reload_conf()")

        async def is_so() -> bool:
            return bool(await self.superuser.fetchval("SHOW synchronous_standby_names") == names)

        await eventually(is_so)

    async def waits(self, doing: asyncio.Task[Any]) -> bool:
        """Whether it waits for the standby, and does not end; said as soon as it does either."""

        async def either() -> bool:
            return doing.done() or bool(await self.superuser.fetch(_WAITING))

        await eventually(either)
        return not doing.done()

    async def cut_off(self) -> None:
        """End the connection of whoever waits; its commit stands here alone."""
        await self.superuser.execute(f"SELECT pg_terminate_backend(pid) FROM ({_WAITING}) AS waiting")  # noqa: S608

        async def is_over() -> bool:
            return not await self.superuser.fetch(_WAITING)

        await eventually(is_over)


@pytest.fixture
async def primary() -> AsyncIterator[Primary]:
    """A server of its own, since it is a setting of all of a server; its data goes with the test."""
    folder = here().run.resolve() / "unconfirmed"  # not in pytest's: PostgreSQL's account must get through to it
    with ExitStack() as stack:
        stack.enter_context(exclusive(folder, "test"))
        shutil.rmtree(folder / "primary", ignore_errors=True)
        server = Postgres(
            Packages(here().packages.resolve()),
            folder / "primary",
            folder / "log",
            ordinary_account(),
            ports.settle(folder / "ports.json", {"postgres": 1})["postgres"],
            durable=False,
            synced=True,
        )
        server.prepare()
        running = PrivatePostgres(server)
        stack.callback(running.kill)
        await running.start()
        database = await made(server.endpoint)
        superuser = await asyncpg.connect(server.endpoint.url)
        async with database.connect("owner") as owner:
            await owner.execute(EVERY_TABLE.read_text(encoding="utf-8"))
        try:
            yield Primary(database, superuser)
        finally:
            await superuser.close()


async def _found_written(
    primary: Primary, write: Callable[[], Coroutine[Any, Any, Any]], look: Callable[[], Coroutine[Any, Any, Any]]
) -> Any:
    """Write, cut off from the standby, then look; what was seen, once the standby was back and not before."""
    await primary.lose_standby()
    writing = asyncio.create_task(write())
    assert await primary.waits(writing)
    await primary.cut_off()
    with pytest.raises(Outage):
        await writing
    looking = asyncio.create_task(look())
    assert await primary.waits(looking), f"it went on, though no standby has what it saw: {looking.result()}"
    await primary.find_standby()
    return await looking


async def test_a_mail_that_is_recorded_as_sent_again_waits_for_the_standby(primary: Primary) -> None:
    async with primary.database.connect("owner") as owner:
        await owner.execute("UPDATE notifications SET message_id = 'ours@korenaar.example'")
    async with primary.database.pool("notifier") as pool:
        repository = NotifierRepository(pool, "one")

        async def record() -> None:
            await repository.record_sent([(NOTIFICATION, "250 taken")])

        await _found_written(primary, record, record)
    async with primary.database.connect("owner") as owner:
        state = await owner.fetchval("SELECT state FROM notifications WHERE id = $1", NOTIFICATION)
    assert state == "sent"


async def test_a_mail_that_the_ledger_knows_is_acted_on_only_when_the_standby_knows_it_too(primary: Primary) -> None:
    async with primary.database.pool("fetcher") as pool:
        ledger = Ledger(pool, PostgresBlobs(pool))

        async def record() -> None:
            await ledger.published([MAIL])

        known = await _found_written(primary, record, lambda: ledger.known([MAIL]))
        assert known[MAIL].published_at is not None
        await _found_written(primary, lambda: ledger.marked_read([MAIL], final=False), record)


async def test_a_message_that_is_given_up_is_done_only_when_the_standby_has_the_outcome(primary: Primary) -> None:
    async with primary.database.pool("ticket_writer") as pool, primary.database.pool("owner") as owner:
        repository = WriterRepository(pool)

        async def decide() -> None:
            async with transaction(owner) as connection:
                await connection.execute("UPDATE imported_mails SET marked_read_at = now() WHERE mail_id = $1", MAIL)

        assert await _found_written(primary, decide, lambda: repository.has_its_outcome(MAIL, 0))
