"""What keeps a PostgreSQL that answers from taking what we write."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from shared.standing import database as standing
from tests.databases import Database

EVERY_TABLE = Path(__file__).parents[1] / "database" / "every_table.sql"


async def test_nothing_is_in_the_way_of_a_database_at_work(database: Database) -> None:
    async with database.connect("owner") as owner, database.connect("console") as console, owner.transaction():
        await owner.execute("UPDATE mailbox_states SET next_check_at = now()")
        assert await standing.in_the_way(console) == ""


async def test_nothing_is_in_the_way_of_a_database_that_is_not_migrated_yet(empty_database: str) -> None:
    connection = await asyncpg.connect(empty_database)
    try:
        assert await standing.in_the_way(connection) == ""
    finally:
        await connection.close()


async def test_a_session_that_holds_one_row_is_named_by_who_looks_with_no_more_rights(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standing, "WAITS_AT_LEAST", timedelta(0))
    async with (
        database.connect("owner") as owner,
        database.connect("ui") as holder,
        database.connect("ticket_writer") as writer,
        database.connect("console") as console,
    ):
        await owner.execute(EVERY_TABLE.read_text(encoding="utf-8"))
        pid = await holder.fetchval("SELECT pg_backend_pid()")
        ours = await writer.fetchval("SELECT pg_backend_pid()")
        transaction = holder.transaction()
        await transaction.start()
        await holder.execute("SELECT FROM tickets FOR UPDATE")
        waiting = asyncio.create_task(writer.execute("SELECT FROM tickets FOR UPDATE"))
        try:
            async with asyncio.timeout(60):
                while not await console.fetchval("SELECT cardinality(pg_blocking_pids($1))", ours):
                    await asyncio.sleep(0)
            told = await standing.in_the_way(console)
        finally:
            await transaction.rollback()
            await waiting
        assert told.startswith(f"Session {pid} (helpdesk_ui, ui) holds a lock that the importer has waited for since ")
        assert f"pg_terminate_backend({pid})" in told
        assert await standing.in_the_way(console) == ""
