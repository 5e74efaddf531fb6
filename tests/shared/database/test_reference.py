"""docs/schema.md says what the migrations made."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from shared.database.pool import Connection
from shared.database.reference import reference

PAGE = Path(__file__).parents[3] / "docs" / "schema.md"


@pytest.fixture
async def migrated(database: Any) -> AsyncIterator[Connection]:
    async with database.connect("owner") as connection:
        yield connection


async def test_the_page_is_current(migrated: Connection) -> None:
    assert PAGE.read_text(encoding="utf-8") == await reference(migrated), (
        "run: python -m shared.database.reference URL > docs/schema.md (URL: a database that was migrated)"
    )


async def test_everything_has_a_comment(migrated: Connection) -> None:
    silent = await migrated.fetch(
        """SELECT rel.oid::regclass::text || coalesce('.' || col.attname, '') AS name
        FROM pg_class AS rel LEFT JOIN pg_attribute AS col
            ON col.attrelid = rel.oid AND col.attnum > 0 AND NOT col.attisdropped
        WHERE rel.relkind IN ('r', 'v') AND rel.relnamespace IN ('helpdesk'::regnamespace, 'ui_v1'::regnamespace)
            AND (col_description(rel.oid, col.attnum) IS NULL OR obj_description(rel.oid) IS NULL)"""
    )
    assert [row["name"] for row in silent] == []
