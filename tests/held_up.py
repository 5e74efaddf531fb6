"""A moment at which a process can be killed: it waits in one statement, for one mail, until the test is done."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg

from tests.databases import Database

_KEY = 77
_WAITING = """
    SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = $1 AND NOT granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""


@asynccontextmanager
async def held_up(database: Database, statement: str, mail: str) -> AsyncIterator[Callable[[], Awaitable[bool]]]:
    """Hold up a `statement` on the ledger («INSERT», «UPDATE OF published_at») where it comes to the row of one mail.

    `mail` is the condition on NEW, in SQL. Yields what tells whether it waits. At the end the connection that waits is
    ended, as that of a killed process is in time, and nobody is held up any more.
    """
    server = await asyncpg.connect(database.server.database(database.name))

    async def waits() -> bool:
        return await server.fetchval(_WAITING, _KEY) is not None

    try:
        await server.execute(f"""
            SELECT pg_advisory_lock({_KEY});
            CREATE FUNCTION hold_up() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN PERFORM pg_advisory_xact_lock({_KEY}); RETURN NEW; END $$;
            CREATE TRIGGER hold_up BEFORE {statement} ON helpdesk.imported_mails
                FOR EACH ROW WHEN ({mail}) EXECUTE FUNCTION hold_up();""")
        yield waits
        for waiting in await server.fetch(_WAITING, _KEY):
            await server.execute("SELECT pg_terminate_backend($1, 10000)", waiting["pid"])
        await server.execute("DROP TRIGGER hold_up ON helpdesk.imported_mails; DROP FUNCTION hold_up();")
    finally:
        await server.close()
