"""Databases for tests: each is as `migrate` makes it, and most were used before, since making one is slow.

A database that a test gives back waits for the next. Before that one gets it, nobody is connected to it any more, and
its rows and its numbering are as they were at first. Where its schema, its rights or its statistics differ, another one
takes its place.

Whoever makes a database so again stays connected to it, as a superuser: a new connection would first have to read the
catalogs of all tables, which takes longer than the rest.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from io import BytesIO
from secrets import token_hex
from typing import Any, Final

import asyncpg
from pydantic import SecretStr

from deploy.local.endpoints import PostgresEndpoint
from shared.database.migrate import migrate
from shared.database.pool import Connection, Pool, open_pool
from shared.database.roles import ROLES, close_database, ensure_roles, scram_verifier, set_passwords

DATABASE_PASSWORD = "test"
"""Of every role of ours on a test server: roles are of the whole server, which several sessions may share."""

_WITH_SAME_PLANS: Final = frozenset({"fetcher", "classifier", "ticket_writer", "notifier"})
"""The services that plan a statement once, as their `__main__` says."""
_CATALOGS: Final = (
    "attrdef", "attribute", "cast", "class", "constraint", "default_acl", "description", "event_trigger", "extension",
    "index", "inherits", "language", "largeobject_metadata", "namespace", "policy", "proc", "publication", "rewrite",
    "sequence", "trigger", "type",
)  # fmt: skip
_SUMS: Final = ", ".join(
    f"(SELECT sum(xmin::text::bigint) FROM pg_catalog.pg_{name}) AS {name}"  # noqa: S608 - names of PostgreSQL's own
    for name in _CATALOGS
)
_STATE: Final = f"""
    SELECT {_SUMS},
           (SELECT sum(reltuples) FROM pg_class WHERE relnamespace = 'helpdesk'::regnamespace) AS estimates,
           (SELECT count(*) FROM pg_statistic JOIN pg_class ON pg_class.oid = starelid
            WHERE relnamespace = 'helpdesk'::regnamespace) AS statistics,
           (SELECT datacl::text FROM pg_database WHERE datname = current_database()) AS rights,
           (SELECT string_agg(concat(setrole::regrole, setconfig), ' ' ORDER BY setrole) FROM pg_db_role_setting
            JOIN pg_database ON pg_database.oid = setdatabase WHERE datname = current_database()) AS settings
"""  # noqa: S608 - names of PostgreSQL's own
_OTHERS: Final = """
    SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_TABLES: Final = """
    SELECT relname AS name, array_agg(attname ORDER BY attnum) AS columns
    FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
    WHERE relkind IN ('r', 'p') AND relnamespace = 'helpdesk'::regnamespace
      AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
    GROUP BY relname
"""
_NUMBERING: Final = """
    SELECT string_agg(format('SELECT setval(%L, %s, %L)', format('%I.%I', schemaname, sequencename),
                             coalesce(last_value, start_value), last_value IS NOT NULL), ';')
    FROM pg_sequences WHERE schemaname = 'helpdesk'
"""
_MOST_GROWTH: Final = 8 * 1024 * 1024
"""Bytes that a database may have grown by: what was deleted is still there, and slows down who looks for the rest."""


@dataclass(frozen=True, slots=True)
class Database:
    """A database with the whole schema. A role is named as its service: `fetcher`, …, `ui`, `owner`."""

    name: str
    server: PostgresEndpoint

    def dsn(self, service: str) -> SecretStr:
        """The URL of this database as a service's own role (`owner`: who may do all)."""
        role = "helpdesk_ui" if service == "ui" else f"importer_{service}"
        return SecretStr(self.server.login(self.name, role, DATABASE_PASSWORD))

    @asynccontextmanager
    async def pool(self, service: str, *, max_size: int = 5) -> AsyncIterator[Pool]:
        """A pool as the services open it; closed at the end."""
        pool = await open_pool(
            self.dsn(service).get_secret_value(),
            application_name=service,
            max_size=max_size,
            same_plans=service in _WITH_SAME_PLANS,
        )
        try:
            yield pool
        finally:
            await pool.close()

    @asynccontextmanager
    async def connect(self, service: str) -> AsyncIterator[Connection]:
        """One connection as a service's role, set up as in a pool; each statement for itself."""
        async with self.pool(service, max_size=1) as pool, pool.acquire() as connection:
            yield connection


@dataclass(frozen=True, slots=True)
class _Keeper:
    """Who makes one database again as it was made: a superuser's connection to it, and what it was."""

    name: str
    connection: asyncpg.Connection[Any]
    as_made: _AsMade


@dataclass(frozen=True, slots=True)
class _AsMade:
    """What a database is when it is made: how its catalogs stand, its size in bytes, its rows and its numbering."""

    state: asyncpg.Record
    size: int
    empty: str
    rows: dict[str, tuple[list[str], bytes]]
    numbering: str

    @classmethod
    async def of(cls, database: asyncpg.Connection[Any]) -> _AsMade:
        """As it is now, of which nobody has had anything."""
        tables = await database.fetch(_TABLES)
        rows = {}
        for name, columns in tables:
            copied = BytesIO()
            await database.copy_from_table(
                name, schema_name="helpdesk", columns=columns, output=copied, format="binary"
            )
            if await database.fetchval(f'SELECT EXISTS (SELECT FROM helpdesk."{name}")'):  # noqa: S608 - a catalog's name
                rows[name] = (columns, copied.getvalue())
        state = await database.fetchrow(_STATE)
        assert state is not None
        return cls(
            state,
            await database.fetchval("SELECT pg_database_size(current_database())"),
            "; ".join(f'DELETE FROM helpdesk."{name}"' for name, _ in tables),  # noqa: S608 - a catalog's name
            rows,
            await database.fetchval(_NUMBERING),
        )

    async def restore(self, database: asyncpg.Connection[Any]) -> bool:
        """Make a used database so again, and say whether that is possible; as a superuser."""
        await database.execute(_OTHERS)
        if await database.fetchrow(_STATE) != self.state:
            return False
        if await database.fetchval("SELECT pg_database_size(current_database())") > self.size + _MOST_GROWTH:
            return False
        async with database.transaction():
            await database.execute("SET LOCAL session_replication_role = replica")  # no trigger, no foreign key
            await database.execute(self.empty)
            for name, (columns, rows) in self.rows.items():
                await database.copy_to_table(
                    name, schema_name="helpdesk", columns=columns, source=BytesIO(rows), format="binary"
                )
            await database.execute(self.numbering)
        return True


@dataclass
class Databases:
    """Databases that are as the template is, one for each who asks; all of one session, on one server."""

    server: PostgresEndpoint
    template: str
    _waiting: list[_Keeper] = field(default_factory=list)

    @asynccontextmanager
    async def fresh(self) -> AsyncIterator[Database]:
        """A database with the newest schema and no rows but the system's."""
        keeper = await self._used() or await self._new()
        try:
            yield Database(keeper.name, self.server)
        finally:
            self._waiting.append(keeper)

    async def drop(self) -> None:
        """Drop all that were given back."""
        while self._waiting:
            await self._drop(self._waiting.pop())

    async def _used(self) -> _Keeper | None:
        while self._waiting:
            keeper = self._waiting.pop(0)  # the one that has rested longest
            try:
                if await keeper.as_made.restore(keeper.connection):
                    return keeper
            except (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError):
                pass  # a test ended the connection, or restarted the server
            await self._drop(keeper)
        return None

    async def _new(self) -> _Keeper:
        name = f"test_{token_hex(6)}"
        superuser = await asyncpg.connect(self.server.url)
        try:
            await superuser.execute(f"CREATE DATABASE {name} OWNER importer_owner TEMPLATE {self.template}")
        finally:
            await superuser.close()
        owner = await asyncpg.connect(self.server.login(name, "importer_owner", DATABASE_PASSWORD))
        await close_database(owner)  # a copy has what its template has, save the rights on the database itself
        await owner.close()
        database = await asyncpg.connect(self.server.database(name))
        return _Keeper(name, database, await _AsMade.of(database))

    async def _drop(self, keeper: _Keeper) -> None:
        keeper.connection.terminate()
        await drop_database(self.server, keeper.name)


@asynccontextmanager
async def migrated_database(server: PostgresEndpoint) -> AsyncIterator[str]:
    """The name of a database that `migrate` made, as its owner would; dropped afterwards."""
    name = f"test_template_{token_hex(6)}"
    superuser = await asyncpg.connect(server.url)
    try:
        # Sessions that share a server take turns with its roles.
        await superuser.execute("SELECT pg_advisory_lock(1)")
        await make_roles(superuser, server)
        await superuser.execute("SELECT pg_advisory_unlock(1)")
        await superuser.execute(f"CREATE DATABASE {name} OWNER importer_owner TEMPLATE template0 ENCODING 'UTF8'")
        await migrate(Database(name, server).dsn("owner").get_secret_value())
    finally:
        await superuser.close()
    yield name
    await drop_database(server, name)


async def make_roles(superuser: asyncpg.Connection[Any], server: PostgresEndpoint) -> None:
    """The owner and the roles of the services, with the password of all tests; safe to repeat."""
    if not await superuser.fetchval("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = 'importer_owner')"):
        await superuser.execute("CREATE ROLE importer_owner")
    verifier = scram_verifier(DATABASE_PASSWORD)
    await superuser.execute(f"ALTER ROLE importer_owner LOGIN CREATEROLE PASSWORD '{verifier}'")
    owner = await asyncpg.connect(server.login("postgres", "importer_owner", DATABASE_PASSWORD))
    await ensure_roles(owner)
    await set_passwords(owner, dict.fromkeys(ROLES, DATABASE_PASSWORD))
    await owner.close()


async def drop_database(server: PostgresEndpoint, name: str) -> None:
    """Drop it, by a connection of its own: a test may have restarted the server meanwhile."""
    superuser = await asyncpg.connect(server.url)
    try:
        await superuser.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await superuser.close()
