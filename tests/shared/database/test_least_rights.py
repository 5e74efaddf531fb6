"""Each service's role may do what the statements in its code need, and nothing more (DESIGN 8)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import asyncpg
import pytest

from tests.databases import Database
from tests.shared.database.statements import statements_of

SERVICES = ("fetcher", "classifier", "ticket_writer", "notifier", "reconciler")
RIGHTS = """
    SELECT rel.relname AS table_name, may.privilege_type AS privilege, NULL AS column_name
    FROM pg_class AS rel CROSS JOIN LATERAL aclexplode(rel.relacl) AS may
    WHERE rel.relnamespace = 'helpdesk'::regnamespace AND rel.relkind = 'r' AND may.grantee = $1::regrole
    UNION ALL
    SELECT rel.relname, may.privilege_type, col.attname
    FROM pg_class AS rel JOIN pg_attribute AS col ON col.attrelid = rel.oid
        CROSS JOIN LATERAL aclexplode(col.attacl) AS may
    WHERE rel.relnamespace = 'helpdesk'::regnamespace AND rel.relkind = 'r' AND may.grantee = $1::regrole
        AND NOT col.attisdropped
    ORDER BY 1, 2, 3"""
COLUMNS = "SELECT attname FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped"
PARAMETERS = "SELECT coalesce(array_length(parameter_types, 1), 0) FROM pg_prepared_statements WHERE name = $1"


class Role:
    """A service's role with its statements, seen from a superuser's connection: PostgreSQL itself says what it may."""

    def __init__(self, connection: asyncpg.Connection[asyncpg.Record], service: str) -> None:
        self.name = f"importer_{service}"
        self.unprepared: list[str] = []
        self._connection = connection
        self._calls: list[str] = []

    async def prepare(self, statements: Sequence[str]) -> None:
        """Prepare them all; a piece of a statement, which cannot be, is kept apart."""
        for number, statement in enumerate(statements):
            name = f"statement_{number}"
            try:
                async with self._connection.transaction():
                    await self._connection.execute(f"PREPARE {name} AS {statement}")
            except (asyncpg.PostgresSyntaxError, asyncpg.UndefinedTableError):
                self.unprepared.append(statement)
                continue
            count = await self._connection.fetchval(PARAMETERS, name)
            self._calls.append(f"{name}({', '.join(['NULL'] * count)})" if count else name)

    async def refused(self, *changes: str) -> str | None:
        """The first statement that the role may not run after these changes of its rights, which are undone again."""
        trial = self._connection.transaction()
        await trial.start()
        call = None
        try:
            for change in changes:
                await self._connection.execute(change)
            await self._connection.execute(f"SET LOCAL ROLE {self.name}")
            for call in self._calls:
                await self._connection.execute(f"EXPLAIN EXECUTE {call}")
        except asyncpg.InsufficientPrivilegeError:
            return call
        else:
            return None
        finally:
            await trial.rollback()


@pytest.fixture(params=SERVICES)
async def role(request: pytest.FixtureRequest, database: Database) -> AsyncIterator[Role]:
    # a plan for the NULLs that we give would leave out what NULL can never match, with the rights that it needs
    settings = {"search_path": "helpdesk", "plan_cache_mode": "force_generic_plan"}
    connection = await asyncpg.connect(database.server.database(database.name), server_settings=settings)
    try:
        role = Role(connection, request.param)
        await role.prepare(statements_of(request.param))
        yield role
    finally:
        await connection.close()


async def test_every_statement_of_a_service_was_found_whole(role: Role, request: pytest.FixtureRequest) -> None:
    whole = [text for text in statements_of(request.node.callspec.params["role"]) if text not in role.unprepared]
    assert len(whole) > 10
    pieces = [text for text in role.unprepared if not any(text.strip() in other for other in whole)]
    assert [text for text in pieces if text != "UPDATE 1"] == []


async def test_a_service_may_do_all_that_it_does(role: Role) -> None:
    assert await role.refused() is None


async def test_no_right_of_a_service_is_for_nothing(role: Role) -> None:
    superfluous = []
    for table, privilege, column in await role._connection.fetch(RIGHTS, role.name):
        for without, named in await _narrower(role, table, privilege, column):
            if await role.refused(*without) is None:
                superfluous.append(f"{privilege} on {table}{named}")
    assert superfluous == []


async def _narrower(role: Role, table: str, privilege: str, column: str | None) -> list[tuple[tuple[str, ...], str]]:
    """Changes that take a little from the role: a column, or of a whole table each column in turn."""
    if column is not None:
        return [((f"REVOKE {privilege} ({column}) ON {table} FROM {role.name}",), f".{column}")]
    revoke = f"REVOKE {privilege} ON {table} FROM {role.name}"
    if privilege != "SELECT":
        return [((revoke,), "")]
    columns = [row["attname"] for row in await role._connection.fetch(COLUMNS, table)]
    rests = ([kept for kept in columns if kept != left_out] for left_out in columns)
    return [
        ((revoke, f"GRANT SELECT ({', '.join(rest)}) ON {table} TO {role.name}"), f".{left_out}")
        for left_out, rest in zip(columns, rests, strict=True)
    ]
