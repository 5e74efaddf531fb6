"""docs/architecture.md: the map «Where a new thing goes» names files that there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("services", "shared", "tests", "deploy", "docs")


def rows_of_the_map() -> list[str]:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = page.partition("## Where a new thing goes")[2]
    return [row for row in table.splitlines() if row.startswith("| ")][1:]


def paths_of(row: str) -> list[str]:
    """The paths between back quotes, without the placeholders of new things."""
    quoted = re.findall(r"`([^` ]+)`", row)
    return [path.replace("<kind>/", "") for path in quoted if "/" in path or path.endswith((".py", ".md"))]


@pytest.mark.parametrize("row", rows_of_the_map(), ids=lambda row: str(row).split("|")[1].strip())
def test_the_map_names_files_that_there_are(row: str) -> None:
    there_are = [
        f"/{path.relative_to(ROOT)}{'/' if path.is_dir() else ''}"
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*")
    ]
    assert paths_of(row)
    assert [path for path in paths_of(row) if not any(each.endswith(f"/{path}") for each in there_are)] == []
