"""What tells a copy of a database from a server that took over: real clusters, copied in each way that there is."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import asyncpg
import pytest

from deploy.local import ports
from deploy.local.account import ordinary_account
from deploy.local.checkout import exclusive, here
from deploy.local.endpoints import PostgresEndpoint
from deploy.local.packages import Packages
from deploy.local.postgres import Postgres
from shared.database.installation import Installation
from shared.database.migrate import migrate
from tests.chaos.clusters import Pair
from tests.databases import DATABASE_PASSWORD, Database, make_roles
from tests.faults.own_servers import PrivatePostgres
from tests.postgres_programs import copy_by_dump

OURS: Final = b"\x01" * 32
NAMES: Final = ("primary", "standby", "elsewhere")


@dataclass(frozen=True, slots=True)
class Clusters:
    """A primary and its standby, and a cluster that has nothing to do with them; none runs yet."""

    pair: Pair
    elsewhere: PrivatePostgres


@pytest.fixture
def clusters() -> Iterator[Clusters]:
    """Three servers whose data goes with the test."""
    folder = here().run.resolve() / "copied-clusters"  # not in pytest's: PostgreSQL's account must get through to it
    packages = Packages(here().packages.resolve())
    with ExitStack() as stack:
        stack.enter_context(exclusive(folder, "test"))
        for name in NAMES:
            shutil.rmtree(folder / name, ignore_errors=True)
        port = ports.settle(folder / "ports.json", {"postgres": len(NAMES)})["postgres"]
        first = Postgres(
            packages, folder / "primary", folder / "log", ordinary_account(), port, durable=False, synced=False
        )
        first.prepare()
        standby = replace(first, folder=folder / "standby", port=port + 1)
        standby.folder.mkdir()
        shutil.copy(first.folder / "superuser_password", standby.folder)
        elsewhere = replace(first, folder=folder / "elsewhere", port=port + 2)
        elsewhere.prepare()
        pair = Pair(PrivatePostgres(first), PrivatePostgres(standby))
        stack.callback(pair.kill)
        other = PrivatePostgres(elsewhere)
        stack.callback(other.kill)
        yield Clusters(pair, other)


async def made(server: PostgresEndpoint, *, empty: bool = False) -> Database:
    """The database `helpdesk` with the whole schema, or empty, on a server that has nothing."""
    superuser = await asyncpg.connect(server.url)
    try:
        await make_roles(superuser, server)
        await superuser.execute("CREATE DATABASE helpdesk OWNER importer_owner TEMPLATE template0 ENCODING 'UTF8'")
    finally:
        await superuser.close()
    if not empty:
        await migrate(server.login("helpdesk", "importer_owner", DATABASE_PASSWORD))
    return Database("helpdesk", server)


async def held(database: Database) -> str | None:
    """What a service with our secret says there."""
    async with database.pool("fetcher", max_size=1) as pool:
        installation = Installation(pool, OURS)
        await installation.present()
        return installation.note()


async def test_a_standby_that_takes_over_works_on_and_a_dump_elsewhere_does_not(
    clusters: Clusters, tmp_path: Path
) -> None:
    await clusters.pair.primary.start()
    await made(clusters.pair.primary.server.endpoint)
    await clusters.pair.follow()
    database = Database("helpdesk", clusters.pair.primary.server.endpoint)
    assert await held(database) is None

    await clusters.pair.lose_primary(0)
    promoted = Database("helpdesk", clusters.pair.primary.server.endpoint)
    assert promoted.server != database.server
    assert await held(promoted) is None

    await clusters.elsewhere.start()
    copy = await made(clusters.elsewhere.server.endpoint, empty=True)
    copy_by_dump(promoted.server, "helpdesk", copy.server, "helpdesk", tmp_path)
    said = await held(copy)
    assert said is not None
    assert "server" in said
    assert await held(promoted) is None
