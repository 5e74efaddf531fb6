"""Migrations on a real server: up, up again, several at once, and back, without a row lost in silence."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from deploy.local.endpoints import PostgresEndpoint
from shared.database.migrate import LOCK, WouldLoseData, downgrade, migrate, newest_revision
from shared.database.pool import REQUIRED_REVISION, Connection
from shared.database.roles import scram_verifier
from shared.errors import Misconfigured, Outage
from tests.databases import Databases
from tests.shared.broker.harness import eventually
from tests.shared.database.more_revisions import VERSIONS, with_more_revisions

OLDEST_WITH_ITS_OWN_ROWS = "0040"
"""Revisions after it keep no rows of their own, so that going back passes them."""
LOGINS = {"logins", "login_states"}
"""What revision 0009 made of columns, and makes columns again."""
OF_THE_MOMENT = {"service_questions"}
"""What goes after an hour by itself, and with its revision."""

NOTHING_IS_LOST = {"installation", "held_mails", "sender_budgets", "mailbox_checks", "web_jobs", "web_job_mails"}
"""Tables of later revisions whose rows say nothing that would be lost."""


@pytest.fixture
async def superuser(empty_database: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    connection = await asyncpg.connect(empty_database)
    yield connection
    await connection.close()


@pytest.fixture
async def empty(
    superuser: asyncpg.Connection[asyncpg.Record], postgres_server: PostgresEndpoint, databases: Databases
) -> str:
    """The owner's URL of an empty database; the roles are there."""
    assert databases.template
    name: str = await superuser.fetchval("SELECT current_database()")
    await superuser.execute(f"ALTER DATABASE {name} OWNER TO importer_owner")
    return postgres_server.login(name, "importer_owner", "test")


async def rows(connection: Connection) -> dict[str, int]:
    tables = await connection.fetch(
        "SELECT relname FROM pg_class WHERE relnamespace = 'helpdesk'::regnamespace AND relkind = 'r'"
    )
    return {row["relname"]: await connection.fetchval(f"SELECT count(*) FROM {row['relname']}") for row in tables}  # noqa: S608 - names from the catalog


async def test_migrations_at_once_take_turns(empty: str, superuser: asyncpg.Connection[asyncpg.Record]) -> None:
    await asyncio.gather(*(migrate(empty, passwords={}) for _ in range(3)))
    assert await superuser.fetchval("SELECT version_num FROM alembic_version") == newest_revision()


FROZEN = Path(__file__).with_name("frozen_revisions.txt")
INDEX = """
from alembic import op

revision = "9999"
down_revision = "{newest}"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("CREATE INDEX CONCURRENTLY built_meanwhile ON helpdesk.tickets (title)")
"""


async def test_an_index_is_built_concurrently_while_another_migration_waits_for_its_turn(
    empty: str, superuser: asyncpg.Connection[asyncpg.Record], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "9999_index.py").write_text(INDEX.format(newest=newest_revision()), encoding="utf-8")
    monkeypatch.setattr("shared.database.migrate._alembic", partial(with_more_revisions, tmp_path))

    async def waiting() -> bool:
        both: bool = await superuser.fetchval(
            "SELECT count(*) = 2 FROM pg_stat_activity WHERE datname = current_database()"
            " AND application_name = 'helpdesk-importer migrate' AND query LIKE '%advisory_lock%'"
        )
        return both

    await superuser.execute("SELECT pg_advisory_lock($1)", LOCK)
    migrations = asyncio.gather(migrate(empty, passwords={}), migrate(empty, passwords={}))
    await eventually(waiting)
    await superuser.execute("SELECT pg_advisory_unlock($1)", LOCK)
    await migrations
    assert await superuser.fetchval(
        "SELECT indisvalid FROM pg_index WHERE indexrelid = 'helpdesk.built_meanwhile'::regclass"
    )


async def test_every_table_has_rows_in_these_tests(owner: Connection) -> None:
    assert {table for table, count in (await rows(owner)).items() if not count} == set()


async def test_migrating_again_changes_nothing(owner: Connection, database: Any) -> None:
    before = await rows(owner)
    await migrate(database.dsn("owner").get_secret_value())
    assert await rows(owner) == before


async def test_going_back_refuses_to_destroy_rows(owner: Connection, database: Any) -> None:
    before = await rows(owner)
    with pytest.raises(WouldLoseData, match="has rows, which this downgrade would destroy"):
        await downgrade(database.dsn("owner").get_secret_value(), to="base")
    after = await rows(owner)
    assert {table: after[table] for table in before if table not in LOGINS | NOTHING_IS_LOST | OF_THE_MOMENT} == {
        table: count for table, count in before.items() if table not in LOGINS | NOTHING_IS_LOST | OF_THE_MOMENT
    }
    assert await owner.fetchval("SELECT version_num FROM public.alembic_version") == OLDEST_WITH_ITS_OWN_ROWS


@pytest.mark.parametrize(
    "row",
    [
        "INSERT INTO helpdesk_groups (name) VALUES ('Samen')",
        "INSERT INTO entry_channels (name) VALUES ('balie')",
        "INSERT INTO outgoing_accounts (name, host, port) VALUES ('Uitgaand', 'mail.example', 587)",
    ],
    ids=["group", "channel", "account"],
)
async def test_going_back_refuses_to_destroy_a_single_row(database: Any, row: str) -> None:
    async with database.connect("owner") as connection:
        await connection.execute(row)
    with pytest.raises(WouldLoseData):
        await downgrade(database.dsn("owner").get_secret_value(), to="base")


async def test_going_back_and_forth_when_the_data_may_go(owner: Connection, database: Any) -> None:
    url = database.dsn("owner").get_secret_value()
    await downgrade(url, to="base", lose_data=True)
    assert await owner.fetchval("SELECT to_regnamespace('helpdesk') IS NULL AND to_regnamespace('ui_v1') IS NULL")
    await migrate(url)
    assert await owner.fetchval("SELECT count(*) FROM helpdesk.tickets") == 0


async def test_the_services_ask_for_a_revision_that_there_is() -> None:
    assert newest_revision() >= REQUIRED_REVISION


async def test_every_revision_is_a_number_with_its_way_back() -> None:
    scripts = sorted(VERSIONS.glob("*.py"))
    assert [script.name[:4] for script in scripts] == [f"{number:04}" for number in range(1, len(scripts) + 1)]
    assert all((script.with_suffix("") / "down.sql").exists() for script in scripts)


async def test_a_database_in_another_encoding_is_refused(postgres_server: PostgresEndpoint) -> None:
    name = f"test_{secrets.token_hex(6)}"
    superuser = await asyncpg.connect(postgres_server.url)
    await superuser.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'")
    try:
        with pytest.raises(Misconfigured, match="UTF8"):
            await migrate(postgres_server.database(name))
    finally:
        await superuser.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await superuser.close()


async def test_a_database_that_is_not_there_is_a_sentence(postgres_server: PostgresEndpoint) -> None:
    with pytest.raises(Misconfigured, match="Create it first"):
        await migrate(postgres_server.database("test_nowhere"))


async def test_a_server_that_is_not_there_is_an_outage(unused_tcp_port: int) -> None:
    with pytest.raises(Outage, match="does not answer"):
        await migrate(f"postgresql://x:x@127.0.0.1:{unused_tcp_port}/x")


async def test_who_does_not_own_the_database_is_told(database: Any, empty: str) -> None:
    assert database is not None
    with pytest.raises(Misconfigured, match="importer_owner"):
        await migrate(empty.replace("importer_owner", "importer_fetcher"))


async def test_an_unknown_revision_is_a_sentence(empty: str) -> None:
    with pytest.raises(Misconfigured, match="newest revision"):
        await migrate(empty, to="9999")


@pytest.mark.parametrize("password", ["", "wachtwoord-é"], ids=["empty", "not ASCII"])
def test_passwords_that_clients_prepare_differently_are_refused(password: str) -> None:
    with pytest.raises(Misconfigured):
        scram_verifier(password)


def test_revisions_that_installations_have_stay_as_they_are() -> None:
    """An installation knows what it has by the number alone: what changes comes as another revision, after them."""
    frozen = dict(line.split() for line in FROZEN.read_text(encoding="utf-8").splitlines())
    now = {}
    for revision in sorted(VERSIONS.glob("[0-9]*.py")):
        digest = sha256()
        for script in (revision, *sorted(revision.with_suffix("").glob("*.sql"))):
            digest.update(script.name.encode() + b"\0" + script.read_bytes())
        now[revision.stem] = digest.hexdigest()
    assert now == frozen, f"write a new revision after the others, and add its line to {FROZEN.name}"
