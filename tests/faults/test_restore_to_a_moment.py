"""The scripts of deploy/backup on a real cluster: a base back-up, the archive of the log, the way back to a moment."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack, closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from deploy.demo.running_services import running_services
from deploy.local import ports
from deploy.local.account import ordinary_account
from deploy.local.checkout import exclusive, here
from deploy.local.dovecot import ImapEndpoint
from deploy.local.instance import Servers
from deploy.local.packages import Packages
from deploy.local.postgres import Postgres
from deploy.local.tools import Ended, run
from shared.database.installation import Installation
from shared.standing import recorded
from tests.acceptance.desks import open_desk
from tests.acceptance.installation import fresh_installation
from tests.acceptance.pipeline import Pipeline, a_mail, prepared_pipeline
from tests.acceptance.test_mailbox import command
from tests.acceptance.test_servers import point_at, secret
from tests.databases import Database, Databases, migrated_database
from tests.faults.own_servers import PrivatePostgres
from tests.faults.test_copied_clusters import OURS, made
from tests.mailboxes.post_offices import ImapPostOffice
from tests.shared.broker.harness import eventually

SCRIPTS = Path(__file__).parents[2] / "deploy/backup"


@dataclass(frozen=True, slots=True)
class Place:
    """A cluster that archives its log, its archive, and the server that is to take its place on its port."""

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

    async def back_up(self) -> None:
        """Take a base back-up, and return when the second in which it was whole is over."""
        backup = await self.script("base-backup", str(self.archive))
        assert backup.code == 0, backup.output
        whole = int((Path(backup.output.split()[-1]) / "taken_at").read_text(encoding="ascii"))

        async def is_over() -> bool:
            return time.time() > whole

        await eventually(is_over)

    async def lose(self) -> None:
        """Kill the first server, with the whole of its log in the archive."""
        superuser = await asyncpg.connect(self.first.server.endpoint.url)
        segment = await superuser.fetchval("SELECT pg_walfile_name(pg_switch_wal())")
        await superuser.close()

        async def archived() -> bool:
            return bool((self.archive / "wal" / segment).exists())

        await eventually(archived)
        self.first.kill()

    async def go_back(self, moment: datetime) -> None:
        """Make the other server from the archive as of then, start it, and wait until it can be written to."""
        data = str(self.restored.server.folder / "data")
        told = await self.script("restore-to", str(self.archive), moment.isoformat(), data)
        assert told.code == 0, told.output
        assert (await self.script("restore-to", str(self.archive), "latest", data)).code == 1, "it is not empty"
        await self.restored.start()

        async def is_open() -> bool:
            superuser = await asyncpg.connect(self.restored.server.endpoint.url)
            try:
                answers: bool = await superuser.fetchval("SELECT NOT pg_is_in_recovery()")
                return answers
            finally:
                await superuser.close()

        await eventually(is_open)


@pytest.fixture
def place() -> Iterator[Place]:
    """Neither runs yet; all of it goes with the test."""
    folder = here().run.resolve() / "restored-cluster"  # not in pytest's: PostgreSQL's account must get through to it
    packages = Packages(here().packages.resolve())
    with ExitStack() as stack:
        stack.enter_context(exclusive(folder, "test"))
        for name in ("first", "restored", "archive"):
            shutil.rmtree(folder / name, ignore_errors=True)
        port = ports.settle(folder / "ports.json", {"postgres": 1})["postgres"]
        first = Postgres(
            packages, folder / "first", folder / "log", ordinary_account(), port, durable=False, synced=False
        )
        first.prepare()
        archive = folder / "archive"
        first.account.owns(archive)
        with (folder / "first/data/postgresql.auto.conf").open("a", encoding="ascii") as settings:
            settings.write(f"archive_mode = on\narchive_command = 'sh {SCRIPTS}/archive-wal %p %f {archive}'\n")
        restored = replace(first, folder=folder / "restored")
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
    await place.back_up()
    async with database.connect("owner") as owner, database.pool("fetcher", max_size=1) as fetcher:
        await Installation(fetcher, OURS).present()
        await owner.execute("INSERT INTO organisations (name) VALUES ('Voor')")
        before = await owner.fetchval("SELECT nextval('ticket_number_seq')")
        moment: datetime = await owner.fetchval("SELECT clock_timestamp()")
        await owner.execute("INSERT INTO organisations (name) VALUES ('Na')")
        given = await owner.fetchval("SELECT nextval('ticket_number_seq')")
    await place.lose()
    await place.go_back(moment)
    back = Database("helpdesk", place.restored.server.endpoint)
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


@dataclass(frozen=True, slots=True)
class Story:
    """Mails in a Maildir and in an IMAP mailbox, by what the test calls them: one of a name in each of both."""

    pipeline: Pipeline
    office: ImapPostOffice
    mails: dict[str, str] = field(default_factory=dict)
    """Message-ID without its brackets → name."""

    def drop(self, name: str, *, subject: str | None = None) -> None:
        """Deliver a mail of this name to each mailbox."""
        for deliver in (self.pipeline.drop, lambda mail: self.office.deliver(mail.as_bytes(), datetime.now(UTC))):
            mail = a_mail(subject=subject)
            self.mails[str(mail["Message-ID"]).strip("<>")] = name
            deliver(mail)

    async def all_decided(self) -> None:
        """Return once each of them has an outcome."""

        async def decided() -> bool:
            return sum((await self.known()).values()) == len(self.mails)

        await eventually(decided)

    async def known(self) -> Counter[str]:
        """How many mails of each name have an outcome."""
        return Counter(self.mails[row["message_id_header"]] for row in await self._rows())

    async def outcomes(self) -> dict[str, set[str]]:
        """What became of the mails of each name."""
        outcomes = defaultdict(set)
        for row in await self._rows():
            outcomes[self.mails[row["message_id_header"]]].add(row["outcome"])
        return outcomes

    async def numbers(self, name: str) -> list[str]:
        """The numbers of the tickets that the mails of this name belong to."""
        return [row["number"] for row in await self._rows() if self.mails[row["message_id_header"]] == name]

    async def _rows(self) -> list[asyncpg.Record]:
        rows: list[asyncpg.Record] = await self.pipeline.connection.fetch(
            "SELECT message_id_header, outcome, number FROM helpdesk.imported_mails"
            " LEFT JOIN helpdesk.tickets ON tickets.id = ticket_id WHERE outcome IS NOT NULL"
        )
        return rows

    async def in_the_helpdesk(self) -> tuple[int, int]:
        """How many tickets and supplements the imported mails made."""
        row = await self.pipeline.connection.fetchrow(
            "SELECT (SELECT count(*) FROM helpdesk.tickets WHERE mail_id IS NOT NULL) AS tickets,"
            " (SELECT count(*) FROM helpdesk.supplements WHERE mail_id IS NOT NULL) AS supplements"
        )
        assert row is not None
        return row["tickets"], row["supplements"]


async def test_every_mail_is_one_ticket_after_the_way_back(
    place: Place, servers: Servers, imap_server: ImapEndpoint, tmp_path: Path
) -> None:
    """By the procedure of docs/operations.md, with all services: mail from before, from since, and from after."""
    await place.first.start()
    own = Servers(place.first.server.endpoint, servers.rabbitmq)
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "amqp_password_admin").write_text(urlsplit(servers.rabbitmq.management_url).password or "")
    async with (
        AsyncExitStack() as stack,
        migrated_database(own.postgres) as template,
        fresh_installation(own, Databases(own.postgres, template), secrets) as installation,
        prepared_pipeline(installation, tmp_path) as pipeline,
    ):
        office = stack.enter_context(closing(ImapPostOffice(tmp_path / "imap", imap_server)))
        story = Story(pipeline, office)
        logs = tmp_path / "logs"
        async with running_services(installation.environment, logs):
            desk = await open_desk(pipeline, enabled=False)
            await point_at(pipeline, desk, office.access, password=secret(office))
            await command(pipeline, "importer", "set", str(desk.id), "--enabled")
            story.drop("before")
            await story.all_decided()
            kept = await story.numbers("before")
            await place.back_up()
            moment = await pipeline.connection.fetchval("SELECT clock_timestamp()")
            story.drop("since")
            story.drop("a supplement since", subject=f"Re: [{kept[0]}]")
            await story.all_decided()
            lost = await story.numbers("since")
        await place.lose()
        story.drop("while it was down")
        await place.go_back(moment)

        said = await command(pipeline, "installation", "restored", "--to", moment.isoformat())
        assert "mailboxes will be read again" in said
        async with running_services(installation.environment, logs):
            assert "brought back" in await command(pipeline, "status", code=3)
            assert await story.known() == {"before": 2}, "nothing is read before a person has confirmed it"
            await command(pipeline, "installation", "confirm", "--yes")
            story.drop("an answer to a number that went lost", subject=f"Re: [{lost[0]}]")
            story.drop("an answer to a number that stayed", subject=f"Re: [{kept[0]}]")
            await story.all_decided()
            assert await story.outcomes() == {
                "before": {"ticket"},
                "since": {"ticket"},
                "a supplement since": {"supplement"},
                "while it was down": {"ticket"},
                "an answer to a number that went lost": {"ticket"},
                "an answer to a number that stayed": {"supplement"},
            }
            assert await story.in_the_helpdesk() == (8, 4)
            again = [number for name in ("since", "while it was down") for number in await story.numbers(name)]
            assert set(again).isdisjoint(lost), "a customer has these numbers of another ticket"
            await pipeline.queues_empty()
            report = json.loads(await command(pipeline, "reconcile", "--since", moment.isoformat(), "--json"))
            assert [each for each in report["differences"] if each["remedy"] != "nothing"] == []
