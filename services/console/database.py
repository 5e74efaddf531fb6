"""The database as the role `importer_console`: opened once, and used by as many calls as its pool has connections.

async with open_database(ConsoleConfiguration.load(), connections=5) as pool:
async with one_transaction(pool) as connection:
await mails.replay(connection, mail_id)
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from typing import Final

import asyncpg
from pydantic import Field, SecretStr

from services.console.texts import N_
from shared.configuration import Configuration, DatabaseUrl
from shared.database.pool import Connection, Pool, SchemaLacks, Waiting, log_waiting, open_pool, transaction
from shared.errors import ImporterError, Misconfigured
from shared.sentences import Sentence

_MAY_NOT: Final = N_(
    "The role of the command line may not do this (%(why)s): run helpdesk-importer migrate, and see that "
    "IMPORTER_DATABASE_URL names no other login than importer_console."
)
PATIENCE: Final = timedelta(seconds=5)
"""How long a database that does not answer is waited for at the start."""


class ConsoleConfiguration(Configuration):
    """What the command line needs to know: where the database is. Its role is importer_console."""

    database_url: DatabaseUrl = Field(
        description=N_(
            "postgresql://HOST:PORT/DATABASE; the role is importer_console with the secret "
            "database_password_console, unless the address holds credentials"
        )
    )

    @property
    def database_dsn(self) -> SecretStr:
        """The URL with role and password."""
        return self.with_credentials(self.database_url, "importer_console", "database_password_console")


class Refused(ImporterError):
    """The database does not take what a person asks for: `constraint` is the rule's name, '' where it has none.

    `error` is what the database says. Nothing was changed.
    """

    def __init__(self, error: asyncpg.PostgresError) -> None:
        super().__init__(str(error))
        self.error = error
        self.constraint: str = getattr(error, "constraint_name", None) or ""


@asynccontextmanager
async def open_database(
    configuration: ConsoleConfiguration, *, connections: int = 1, waiting: Waiting = log_waiting
) -> AsyncIterator[Pool]:
    """A pool of so many connections, closed at the end. Raises Misconfigured, or Outage after PATIENCE.

    `waiting` as of `open_pool`.
    """
    pool = await open_pool(
        configuration.database_dsn.get_secret_value(),
        application_name="helpdesk-importer",
        max_size=connections,
        patience=PATIENCE,
        waiting=waiting,
    )
    try:
        yield pool
    finally:
        await pool.close()


@asynccontextmanager
async def one_transaction(pool: Pool) -> AsyncIterator[Connection]:
    """A connection in one transaction: all or nothing. Raises Refused, Misconfigured, Outage or TryAgain."""
    with refusals():
        async with transaction(pool) as connection:
            yield connection


@contextmanager
def refusals() -> Iterator[None]:
    """Raise Refused for what the database does not take, and Misconfigured where the role may not do it."""
    try:
        yield
    except SchemaLacks as error:
        if isinstance(error.__cause__, asyncpg.InsufficientPrivilegeError):
            raise Misconfigured(Sentence(_MAY_NOT, why=str(error.__cause__))) from None
        raise
    except (asyncpg.RaiseError, asyncpg.IntegrityConstraintViolationError, asyncpg.DataError) as error:
        raise Refused(error) from error
