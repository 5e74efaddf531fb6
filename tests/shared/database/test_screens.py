"""The questions that screens and services ask all day find their index, among thousands of tickets."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.database.pool import Connection, Pool, open_pool
from tests.databases import Databases
from tests.shared.database.cases import cases

MANY_TICKETS = Path(__file__).with_name("many_tickets.sql").read_text(encoding="utf-8")

CASES = cases("questions.sql")


@pytest.fixture(scope="module")
async def crowded(databases: Databases) -> AsyncIterator[Pool]:
    async with databases.fresh() as database:
        pool = await open_pool(database.dsn("owner").get_secret_value(), application_name="crowd", max_size=1)
        async with pool.acquire() as connection:
            await connection.execute("SET statement_timeout = 0; SET test.tickets = 6000")
            await connection.execute(MANY_TICKETS)
            await connection.execute("VACUUM ANALYZE")  # as autovacuum does by and by
        yield pool
        await pool.close()


def _indexes(plan: dict[str, Any]) -> Iterator[str]:
    if "Index Name" in plan:
        yield plan["Index Name"]
    for part in plan.get("Plans", ()):
        yield from _indexes(part)


@pytest.mark.parametrize(("question", "index"), CASES.values(), ids=CASES.keys())
async def test_a_question_finds_its_index(crowded: Pool, question: str, index: str) -> None:
    plan = json.loads(await crowded.fetchval(f"EXPLAIN (FORMAT JSON) {question}"))[0]["Plan"]
    assert index in set(_indexes(plan)), json.dumps(plan, indent=1)


async def test_M5_the_work_list_follows_the_status_and_its_flag(owner: Connection) -> None:
    async def work_list() -> list[int]:
        return [row["id"] for row in await owner.fetch("SELECT id FROM ui_v1.imported_tickets ORDER BY id")]

    assert await work_list() == [1, 2]
    await owner.execute("UPDATE tickets SET status_id = 2 WHERE id = 1")
    assert await work_list() == [2]
    await owner.execute("UPDATE importer_settings SET enabled = false WHERE helpdesk_id = 1")
    await owner.execute("UPDATE statuses SET flag = NULL WHERE id = 1")
    await owner.execute("UPDATE statuses SET flag = 'imported' WHERE id = 2")
    assert await work_list() == [1, 2, 3]
    await owner.execute("UPDATE tickets SET merged_into_id = 1 WHERE id = 3")
    assert await work_list() == [1, 2]
