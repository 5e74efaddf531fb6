"""What `docs/scaling.md` says: its tables are those of the simulation, and the tables can be partitioned as it says."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from tests.benchmarks.scaling import MEASURED, RATES, processors, simulated, tables
from tests.databases import Database

PAGE = Path(__file__).parents[2] / "docs" / "scaling.md"
PARTITIONS = 8


def test_the_page_has_the_tables_of_the_simulation() -> None:
    assert tables(MEASURED) in PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("rate", RATES)
def test_with_the_processors_of_the_table_a_peak_is_over_within_minutes(rate: float) -> None:
    assert simulated(rate, MEASURED, processors(rate, MEASURED)).drained < 120


def test_with_too_few_processors_mails_wait_ever_longer() -> None:
    enough = processors(100_000, MEASURED)
    short = {**enough, "classifier": enough["classifier"] // 2}
    assert simulated(100_000, MEASURED, short).p99 > 3 * simulated(100_000, MEASURED, enough).p99


@pytest.mark.parametrize(
    ("table", "key", "unique"),
    [
        ("imported_mails", "mail_id", "mail_id"),
        ("blob_chunks", "sha256", "sha256, position"),
        ("notifications", "mail_id", "mail_id, kind"),
    ],
)
async def test_partitioned_by_its_key_a_look_up_opens_one_partition_also_by_a_plan_made_once(
    database: Database, table: str, key: str, unique: str
) -> None:
    async with database.connect("owner") as owner, owner.transaction():
        await owner.execute("SET LOCAL search_path = helpdesk, public; SET LOCAL plan_cache_mode = force_generic_plan")
        await owner.execute(
            f"CREATE TABLE parted (LIKE {table} INCLUDING DEFAULTS INCLUDING GENERATED, UNIQUE ({unique}))"
            f" PARTITION BY HASH ({key})"
        )
        for number in range(PARTITIONS):
            await owner.execute(
                f"CREATE TABLE parted_{number} PARTITION OF parted"
                f" FOR VALUES WITH (MODULUS {PARTITIONS}, REMAINDER {number})"
            )
        kind = "bytea" if key == "sha256" else "uuid"
        await owner.execute(f"PREPARE look ({kind}) AS SELECT FROM parted WHERE {key} = $1")
        value = rf"'\x{'00' * 32}'" if key == "sha256" else f"'{uuid.UUID(int=1)}'"
        plan = "\n".join(row[0] for row in await owner.fetch(f"EXPLAIN EXECUTE look ({value})"))
        assert f"Subplans Removed: {PARTITIONS - 1}" in plan
