"""docs/security.md: each row names tests that there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PAGE = (TESTS.parent / "docs" / "security.md").read_text(encoding="utf-8")
ROWS = [row for row in PAGE.splitlines() if re.match(r"\| (?!he |---)", row) and not row.startswith("|---")]


@pytest.fixture(scope="module")
def names() -> set[str]:
    """The names of all tests."""
    sources = (path.read_text(encoding="utf-8") for path in TESTS.rglob("test_*.py"))
    return {name for source in sources for name in re.findall(r"^(?:async )?def (test_\w+)\(", source, re.MULTILINE)}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row).split("|")[1].strip()[:40])
def test_a_row_names_tests_that_there_are(row: str, names: set[str]) -> None:
    named = re.findall(r"`(test_\w+)`", row)
    assert named
    assert set(named) - names == set()
