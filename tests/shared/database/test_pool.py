"""The pool: what its connections see, and which trouble is whose."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from deploy.local.endpoints import PostgresEndpoint
from shared.database.pool import Pool, SchemaLacks, check_takes_changes, connection, open_pool, transaction
from shared.errors import Misconfigured, Outage, TryAgain


@pytest.fixture
async def pool(database: Any) -> AsyncIterator[Pool]:
    async with database.pool("owner") as pool:
        yield pool


@asynccontextmanager
async def late_server(url: str, closed: int) -> AsyncIterator[str]:
    """The URL of a server that hangs up on its first `closed` visitors, as one that is starting; then it is ours."""
    address = url.rpartition("@")[2].rpartition("/")[0]
    host, _, port = address.partition(":")
    visitors = 0
    running: set[asyncio.Task[None]] = set()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while content := await reader.read(65536):
                writer.write(content)
                await writer.drain()
        writer.close()

    async def receive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal visitors
        visitors += 1
        if visitors <= closed:
            writer.close()
            return
        to_reader, to_writer = await asyncio.open_connection(host, int(port))
        running.update(asyncio.ensure_future(carry(*pair)) for pair in ((reader, to_writer), (to_reader, writer)))

    server = await asyncio.start_server(receive, "127.0.0.1", 0)
    yield url.replace(address, f"127.0.0.1:{server.sockets[0].getsockname()[1]}")
    server.close()
    await asyncio.gather(*running)


async def test_a_connection_speaks_of_helpdesk_json_and_utc(pool: Pool) -> None:
    async with connection(pool) as acquired:
        assert await acquired.fetchval("SELECT count(*) FROM imported_mails") == 0
        assert await acquired.fetchval("SELECT $1::jsonb", {"naam": ["é"]}) == {"naam": ["é"]}
        settings = await acquired.fetchrow(
            "SELECT current_setting('TimeZone'), current_setting('application_name'),"
            " current_setting('statement_timeout')"
        )
    assert settings is not None
    assert tuple(settings) == ("UTC", "owner", "30s")


async def test_a_transaction_is_kept_or_undone_as_a_whole(pool: Pool) -> None:
    async def fail() -> None:
        async with transaction(pool) as acquired:
            await acquired.execute("INSERT INTO employees (name) VALUES ('Piet')")
            raise FileNotFoundError("a trouble of the caller's own")

    with pytest.raises(FileNotFoundError):
        await fail()
    async with transaction(pool) as acquired:
        await acquired.execute("INSERT INTO employees (name) VALUES ('Anna')")
    assert await pool.fetchval("SELECT array_agg(name) FROM employees") == ["Anna"]


async def test_a_database_that_starts_late_is_waited_for(database: Any) -> None:
    async with late_server(database.dsn("fetcher").get_secret_value(), closed=2) as url:
        pool = await open_pool(url, application_name="test", patience=timedelta(seconds=60))
        assert await pool.fetchval("SELECT 1") == 1
        await pool.close()


async def test_patience_ends(unused_tcp_port: int) -> None:
    url = f"postgresql://x:x@127.0.0.1:{unused_tcp_port}/x"
    with pytest.raises(Outage, match="does not answer"):
        await open_pool(url, application_name="test", patience=timedelta(0))


async def test_a_lost_connection_is_an_outage_and_the_next_one_works(pool: Pool) -> None:
    async def lose_it() -> None:
        async with transaction(pool) as acquired:
            await acquired.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    with pytest.raises(Outage):
        await lose_it()
    async with transaction(pool) as acquired:
        assert await acquired.fetchval("SELECT 1") == 1


async def test_a_connection_lost_between_two_uses_is_an_outage_at_most_once(pool: Pool, database: Any) -> None:
    async with connection(pool) as acquired:
        lost = acquired.get_server_pid()
    async with database.connect("owner") as other:
        assert await other.fetchval("SELECT pg_terminate_backend($1)", lost)
    with suppress(Outage):
        async with transaction(pool) as acquired:
            await acquired.fetchval("SELECT 1")
    async with transaction(pool) as acquired:
        assert await acquired.fetchval("SELECT 1") == 1


async def test_a_statement_that_takes_too_long_is_tried_again_later(database: Any) -> None:
    url = database.dsn("owner").get_secret_value()
    pool = await open_pool(url, application_name="test", statement_timeout=timedelta(milliseconds=50))

    async def dawdle() -> None:
        async with transaction(pool) as acquired:
            await acquired.execute("SELECT pg_sleep(60)")

    with pytest.raises(TryAgain) as trouble:
        await dawdle()
    assert not isinstance(trouble.value, Outage)
    await pool.close()


async def test_a_conflict_with_another_transaction_is_tried_again_at_once(pool: Pool) -> None:
    await pool.execute("INSERT INTO employees (name) VALUES ('Piet')")
    lock = "SELECT id FROM employees FOR UPDATE NOWAIT"

    async def both() -> None:
        async with transaction(pool) as one:
            await one.execute(lock)
            async with transaction(pool) as other:
                await other.execute(lock)

    with pytest.raises(TryAgain) as trouble:
        await both()
    assert trouble.value.after == timedelta(0)


async def test_a_migration_between_two_uses_is_tried_again_at_once(pool: Pool) -> None:
    async def look() -> None:
        async with transaction(pool) as acquired:
            await acquired.fetch("SELECT * FROM employees")

    await look()
    await pool.execute("ALTER TABLE employees ADD COLUMN nickname text")
    with pytest.raises(TryAgain) as trouble:
        await look()
    assert trouble.value.after == timedelta(0)
    await look()


async def test_a_server_whose_disk_fails_is_an_outage(pool: Pool) -> None:
    async def read() -> None:
        async with transaction(pool) as acquired:
            await acquired.execute(
                "DO $$ BEGIN RAISE EXCEPTION 'could not read block 0' USING ERRCODE = '58030'; END $$"
            )

    with pytest.raises(Outage, match="could not read"):
        await read()


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("SELECT FROM no_such_table", id="a table"),
        pytest.param("SELECT no_such_column FROM employees", id="a column"),
        pytest.param("SELECT no_such_function()", id="a function"),
        pytest.param(
            "INSERT INTO employees (name) VALUES ('A') ON CONFLICT (name) DO NOTHING", id="what kept a column unique"
        ),
        pytest.param(
            "INSERT INTO employees (name) VALUES ('A') ON CONFLICT ON CONSTRAINT no_such DO NOTHING", id="its name"
        ),
        pytest.param("DELETE FROM audit_log", id="a right"),
    ],
)  # fmt: skip
async def test_what_the_schema_lacks_is_no_fault_of_the_message(database: Any, statement: str) -> None:
    async def ask() -> None:
        async with database.pool("console") as pool, transaction(pool) as acquired:
            await acquired.execute(statement)

    with pytest.raises(SchemaLacks, match="see helpdesk-importer doctor"):
        await ask()


async def test_a_database_that_takes_no_changes_is_no_place_to_work(database: Any, pool: Pool) -> None:
    await check_takes_changes(pool)
    url = database.dsn("owner").get_secret_value() + "?options=-c%20default_transaction_read_only%3Don"
    async with await open_pool(url, application_name="test", max_size=1) as reading:
        with pytest.raises(Outage, match="takes no changes"):
            await check_takes_changes(reading)


async def test_what_the_database_refuses_stays_what_it_is(pool: Pool) -> None:
    async def refuse() -> None:
        async with transaction(pool) as acquired:
            await acquired.execute("INSERT INTO employees (name) VALUES (' ')")

    with pytest.raises(asyncpg.CheckViolationError):
        await refuse()


async def test_a_wrong_password_is_told_at_once(database: Any) -> None:
    url = database.dsn("fetcher").get_secret_value().replace(":test@", ":wrong@")
    with pytest.raises(Misconfigured, match="refuses the login"):
        await open_pool(url, application_name="test")


@pytest.fixture
async def role(database: Any, postgres_server: PostgresEndpoint) -> AsyncIterator[str]:
    """The URL of a role of this test alone, which may look at the schema's revision."""
    name = f"test_role_{secrets.token_hex(4)}"
    superuser = await asyncpg.connect(postgres_server.url)
    await superuser.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'test' IN ROLE importer_console")
    yield postgres_server.login(database.name, name, "test")
    await superuser.execute(f"DROP ROLE {name}")
    await superuser.close()


async def test_a_login_that_worked_and_is_refused_for_a_while_is_an_outage(
    role: str, postgres_server: PostgresEndpoint
) -> None:
    async def look(pool: Pool) -> int:
        async with connection(pool) as acquired:
            return int(await acquired.fetchval("SELECT 1"))

    name = role.partition("//")[2].partition(":")[0]
    superuser = await asyncpg.connect(postgres_server.url)
    pool = await open_pool(role, application_name="test", max_size=2)
    try:
        await superuser.execute(f"ALTER ROLE {name} NOLOGIN")
        await superuser.fetch("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE usename = $1", name)
        with pytest.raises(Outage):  # the connection that was kept is gone
            await look(pool)
        with pytest.raises(Outage, match=r"lets nobody in.*not permitted to log in"):
            await look(pool)
        await superuser.execute(f"ALTER ROLE {name} LOGIN")
        assert await look(pool) == 1
    finally:
        await pool.close()
        await superuser.close()


async def test_a_database_without_the_schema_is_told(empty_database: str) -> None:
    with pytest.raises(Misconfigured, match="helpdesk-importer migrate"):
        await open_pool(empty_database, application_name="test")


async def test_a_database_that_is_not_there_is_told(postgres_server: PostgresEndpoint) -> None:
    with pytest.raises(Misconfigured, match="Create it"):
        await open_pool(postgres_server.database("test_nowhere"), application_name="test")
