"""The command line on a database with mails of every outcome, and on RabbitMQ with its own user."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import asyncpg
import pytest

from tests.databases import DATABASE_PASSWORD, Database
from tests.vhosts import Vhost

EVERY_TABLE = Path(__file__).parents[3] / "shared" / "database" / "every_table.sql"


class CommandLine(Protocol):
    """The fixture `importer`."""

    environment: dict[str, str]

    def __call__(self, *arguments: str, stdin: str = "", code: int = 0) -> str: ...

    def json(self, *arguments: str) -> Any: ...


Sql = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def sql(database: Database) -> Sql:
    """Run a statement as the owner and answer its rows."""

    def run(statement: str, *parameters: Any) -> list[dict[str, Any]]:
        async def visit() -> list[dict[str, Any]]:
            connection = await asyncpg.connect(
                database.dsn("owner").get_secret_value(), server_settings={"search_path": "helpdesk"}
            )
            try:
                if parameters or not statement.rstrip().endswith(";"):
                    return [dict(row) for row in await connection.fetch(statement, *parameters)]
                await connection.execute(statement)
                return []
            finally:
                await connection.close()

        return asyncio.run(visit())

    return run


@pytest.fixture
def filled(importer: CommandLine, sql: Sql, database: Database, tmp_path: Path) -> CommandLine:
    """The command line on the rows of every_table.sql, with the logins of all that it asks."""
    sql(EVERY_TABLE.read_text(encoding="utf-8"))
    importer.environment["PYTHONPATH"] = str(Path(__file__).parents[4])
    address = database.dsn("console").get_secret_value().split("@")[1]
    importer.environment["IMPORTER_DATABASE_URL"] = f"postgresql://{address}"
    for role in ("console", "ticket_writer"):
        (tmp_path / f"database_password_{role}").write_text(DATABASE_PASSWORD, encoding="ascii")
    return importer


@pytest.fixture
def with_broker(filled: CommandLine, vhost: Vhost) -> CommandLine:
    """The same, with a virtual host of its own."""
    filled.environment["IMPORTER_AMQP_URL"] = vhost.dsn("console").get_secret_value()
    return filled
