"""The scripts of deploy/backup on a real cluster: a base back-up, the archive of the log, the way back to a moment."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import asyncpg
import pytest

from deploy.local import ports
from deploy.local.account import ordinary_account
from deploy.local.checkout import exclusive, here
from deploy.local.packages import Packages
from deploy.local.postgres import Postgres
from deploy.local.tools import Ended, run
from shared.database.installation import Installation
from shared.standing import recorded
from tests.databases import Database
from tests.faults.own_servers import PrivatePostgres
from tests.faults.test_copied_clusters import OURS, made
from tests.shared.broker.harness import eventually

SCRIPTS = Path(__file__).parents[2] / "deploy/backup"


@dataclass(frozen=True, slots=True)
class Place:
    """A cluster that archives its log, its archive, and the server that is to take its place."""

    first: PrivatePostgres
    archive: Path
    restored: PrivatePostgres

    async def script(self, name: str, *arguments: str) -> Ended:
        """Run a script as the user that PostgreSQL runs as."""
        server = self.first.server
        programs = server.packages.one("usr/lib/postgresql/*/bin/pg_basebackup").parent
        return await asyncio.to_thread(
            run,
            [*server.account.switch, "sh", str(SCRIPTS / name), *arguments],
            environment=server._environment()
            | {
                "PGBIN": str(programs),
                "PGHOST": "127.0.0.1",
                "PGPORT": str(server.port),
                "PGUSER": "postgres",
                "PGPASSWORD": server._superuser_password,
            },
            folder=Path(os.sep),
        )


@pytest.fixture
def place() -> Iterator[Place]:
    """Neither runs yet; all of it goes with the test."""
    folder = here().run.resolve() / "restored-cluster"  # not in pytest's: PostgreSQL's account must get through to it
    packages = Packages(here().packages.resolve())
    with ExitStack() as stack:
        stack.enter_context(exclusive(folder, "test"))
        for name in ("first", "restored", "archive"):
            shutil.rmtree(folder / name, ignore_errors=True)
        port = ports.settle(folder / "ports.json", {"postgres": 2})["postgres"]
        first = Postgres(
            packages, folder / "first", folder / "log", ordinary_account(), port, durable=False, synced=False
        )
        first.prepare()
        archive = folder / "archive"
        first.account.owns(archive)
        with (folder / "first/data/postgresql.auto.conf").open("a", encoding="ascii") as settings:
            settings.write(f"archive_mode = on\narchive_command = 'sh {SCRIPTS}/archive-wal %p %f {archive}'\n")
        restored = replace(first, folder=folder / "restored", port=port + 1)
        restored.folder.mkdir()
        first.account.owns(restored.folder)
        restored.folder.chmod(0o755)
        shutil.copy(first.folder / "superuser_password", restored.folder)
        both = PrivatePostgres(first), PrivatePostgres(restored)
        for each in both:
            stack.callback(each.kill)
        yield Place(both[0], archive, both[1])


async def test_a_restore_goes_back_to_the_moment_and_stands_still_until_it_is_confirmed(place: Place) -> None:
    await place.first.start()
    database = await made(place.first.server.endpoint)
    backup = await place.script("base-backup", str(place.archive))
    assert backup.code == 0, backup.output
    async with database.connect("owner") as owner, database.pool("fetcher", max_size=1) as fetcher:
        await Installation(fetcher, OURS).present()
        await owner.execute("INSERT INTO organisations (name) VALUES ('Voor')")
        before = await owner.fetchval("SELECT nextval('ticket_number_seq')")
        await asyncio.sleep(1.1)  # so that the base back-up's second is over
        moment: datetime = await owner.fetchval("SELECT clock_timestamp()")
        await owner.execute("INSERT INTO organisations (name) VALUES ('Na')")
        given = await owner.fetchval("SELECT nextval('ticket_number_seq')")
    superuser = await asyncpg.connect(database.server.url)
    segment = await superuser.fetchval("SELECT pg_walfile_name(pg_switch_wal())")
    await superuser.close()

    async def archived() -> bool:
        return bool((place.archive / "wal" / segment).exists())

    await eventually(archived)
    place.first.kill()

    data = str(place.restored.server.folder / "data")
    told = await place.script("restore-to", str(place.archive), moment.isoformat(), data)
    assert told.code == 0, told.output
    assert (await place.script("restore-to", str(place.archive), "latest", data)).code == 1, "it is not empty"
    await place.restored.start()
    back = Database("helpdesk", place.restored.server.endpoint)

    async def open_again() -> bool:
        superuser = await asyncpg.connect(back.server.url)
        try:
            answers: bool = await superuser.fetchval("SELECT NOT pg_is_in_recovery()")
            return answers
        finally:
            await superuser.close()

    await eventually(open_again)
    async with back.connect("owner") as owner, back.connect("console") as console:
        assert [row["name"] for row in await owner.fetch("SELECT name FROM organisations")] == ["Voor"]
        assert (await recorded.installation(owner)).differs == (), "nothing but the restore tells it apart"
        prepared = await console.fetchrow("SELECT * FROM note_brought_back($1, NULL)", moment)
        assert prepared is not None
        assert prepared["next_number"] > given > before
        assert (await recorded.installation(owner)).differs == ("restored",)
        async with back.pool("fetcher", max_size=1) as fetcher:
            installation = Installation(fetcher, OURS)
            await installation.present()
            assert installation.note() is not None
            await console.execute("SELECT confirm_installation(NULL, false)")
            await installation.present()
            assert installation.note() is None


async def test_a_moment_before_the_first_back_up_is_refused(place: Place) -> None:
    told = await place.script("restore-to", str(place.archive), "2020-01-01T00:00:00Z", str(place.archive / "x"))
    assert told.code == 1
    assert "no base back-up" in told.output
