"""One command's visit to the database: connect as `importer_console`, work in one transaction, all or nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final, TypeVar

import asyncpg
from pydantic import Field, SecretStr

from services.console.fields import BadValue
from services.console.refusals import sentence
from shared.configuration import Configuration, DatabaseUrl
from shared.database.pool import Connection, Pool, open_pool, transaction
from shared.errors import Misconfigured


class ConsoleConfiguration(Configuration):
    """What the command line needs to know: where the database is. Its role is importer_console."""

    database_url: DatabaseUrl = Field(
        description="postgresql://HOST:PORT/DATABASE; the role is importer_console with the secret "
        "database_password_console, unless the address holds credentials"
    )

    @property
    def database_dsn(self) -> SecretStr:
        """The URL with role and password."""
        return self.with_credentials(self.database_url, "importer_console", "database_password_console")


T = TypeVar("T")
Work = Callable[[Connection], Awaitable[None]]

_PATIENCE: Final = timedelta(seconds=5)
"""How long a command waits for a database that does not answer, before it says so."""


def with_database(work: Work) -> None:
    """Run `work` in one transaction: all or nothing.

    Raises Misconfigured, Outage, or BadValue with the sentence for what the database refused.
    """
    answer_from_database(work)


def answer_from_database(work: Callable[[Connection], Awaitable[T]]) -> T:
    """The answer of `work`, which runs as `with_database` says."""

    async def in_one_transaction(pool: Pool) -> T:
        async with transaction(pool) as connection:
            return await work(connection)

    return asyncio.run(_visit(in_one_transaction))


def with_pool(work: Callable[[Pool], Awaitable[None]]) -> None:
    """Run `work`, which says itself what is one transaction, on a pool of one connection. Raises the same."""
    asyncio.run(_visit(work))


async def _visit(work: Callable[[Pool], Awaitable[T]]) -> T:
    configuration = ConsoleConfiguration.load()
    pool = await open_pool(
        configuration.database_dsn.get_secret_value(),
        application_name="helpdesk-importer",
        max_size=1,
        patience=_PATIENCE,
    )
    try:
        return await work(pool)
    except asyncpg.InsufficientPrivilegeError as error:
        raise Misconfigured(
            f"The role of the command line may not do this ({error}): run helpdesk-importer migrate, and see that "
            "IMPORTER_DATABASE_URL names no other login than importer_console."
        ) from None
    except asyncpg.PostgresError as error:
        refused = sentence(error)
        if refused is None:
            raise
        raise BadValue(refused) from None
    finally:
        await pool.close()
