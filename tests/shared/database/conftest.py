"""Databases with rows in every table (`every_table.sql`)."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from shared.database.pool import Connection
from tests.databases import Databases

EVERY_TABLE = Path(__file__).with_name("every_table.sql").read_text(encoding="utf-8")


@pytest.fixture
async def owner(database: Any) -> AsyncIterator[Connection]:
    """The owner's connection to a fresh database whose every table has rows."""
    async with database.connect("owner") as connection:
        await connection.execute(EVERY_TABLE)
        yield connection


@pytest.fixture(scope="session")
async def filled_database(databases: Databases) -> AsyncIterator[Any]:
    """One database for tests that leave no trace: what they do is refused, or rolled back."""
    async with databases.fresh() as database:
        async with database.connect("owner") as connection:
            await connection.execute(EVERY_TABLE)
        yield database


@pytest.fixture
async def filled(filled_database: Any) -> AsyncIterator[Connection]:
    """The owner's connection to it."""
    async with filled_database.connect("owner") as connection:
        yield connection
