"""Servers that are killed, or full, while two hundred mails are on their way: nothing is lost, nothing is doubled."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Final

import asyncpg
import pytest

from tests.acceptance.installation import fresh_installation
from tests.acceptance.pipeline import eventually, prepared_pipeline
from tests.databases import Databases, migrated_database
from tests.faults.importer import Importer, wired_importer
from tests.faults.mails import Kind
from tests.faults.own_servers import MEMORY, NO_MEMORY, OwnServers, own_servers

MANY: Final = 200


@pytest.fixture(scope="module")
async def own(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[OwnServers]:
    """A PostgreSQL and a RabbitMQ that nobody else uses."""
    with own_servers(tmp_path_factory.mktemp("servers")) as servers:
        await asyncio.gather(servers.database.start(), servers.broker.start())
        yield servers


@pytest.fixture(scope="module")
async def importer(own: OwnServers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Importer]:
    """All four services on wires to servers that may be killed."""
    folder = tmp_path_factory.mktemp("importer")
    async with (
        migrated_database(own.endpoints.postgres) as template,
        fresh_installation(
            own.endpoints, Databases(own.endpoints.postgres, template), tmp_path_factory.mktemp("secrets")
        ) as installation,
    ):
        # A test server is told not to wait for its disk; one that loses commits when it crashes proves nothing.
        superuser = await asyncpg.connect(own.endpoints.postgres.url)
        await superuser.execute(f"ALTER DATABASE {installation.database.name} SET synchronous_commit = on")
        await superuser.close()
        async with (
            prepared_pipeline(installation, folder) as pipeline,
            wired_importer(pipeline, folder / "logs") as running,
        ):
            yield running


@pytest.mark.parametrize("killed", [("broker",), ("database",), ("broker", "database")], ids=" and ".join)
async def test_servers_killed_in_the_middle_of_two_hundred_mails(
    importer: Importer, own: OwnServers, killed: tuple[str, ...]
) -> None:
    servers = [getattr(own, server) for server in killed]
    batch = importer.deliver_many(MANY)
    await importer.decided(batch, MANY // 4)
    for server in servers:
        server.kill()
    await asyncio.gather(*(server.start() for server in servers))
    await importer.decided(batch, MANY)
    if "database" in killed:
        await importer.let_leases_end()
    await importer.as_if_undisturbed(batch)


async def test_a_broker_without_memory_blocks_publishers_and_the_mail_stays_unread_until_it_has_room(
    importer: Importer, own: OwnServers
) -> None:
    """In an alarm RabbitMQ reads nothing more from who publishes: what is stored is published later."""
    await own.broker.set_memory(NO_MEMORY)
    batch = importer.deliver([Kind.IMAGE, Kind.SUPPLEMENT, Kind.LARGE, Kind.TOO_LARGE])
    database = importer.pipeline.connection

    async def are_stored(*, published: bool) -> bool:
        stored: int = await database.fetchval(
            "SELECT count(*) FROM helpdesk.imported_mails WHERE item_key = ANY($1)"
            " AND (published_at IS NOT NULL) = $2 AND (marked_read_at IS NOT NULL) = $2",
            list(batch),
            published,
        )
        return stored == len(batch)

    await eventually(partial(are_stored, published=False), "mails stored and not published")
    await own.broker.set_memory(MEMORY)
    await eventually(partial(are_stored, published=True), "mails published and marked read")
    await importer.as_if_undisturbed(batch)
