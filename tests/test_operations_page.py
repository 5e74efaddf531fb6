"""docs/operations.md names every metric that the services have, and none that they have not."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
KINDS = {"Counter", "Gauge", "Histogram", "Summary", "Info", "Enum"}


def metrics_of_the_code() -> Iterator[str]:
    """The names of all metrics that services/ and shared/ make."""
    for file in (path for folder in ("services", "shared") for path in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id=kind), args=[ast.Constant(value=str(name)), *_]) if kind in KINDS:
                    yield name


def test_the_page_names_the_metrics_that_there_are() -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    table = page.partition("## Metrics")[2].partition("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| `")]
    documented = [name for row in rows for name in re.findall(r"`(importer_\w+)`", row.split("|")[1])]
    assert sorted(documented) == sorted(metrics_of_the_code())


def test_every_table_of_the_page_is_whole() -> None:
    lines = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8").splitlines()
    starts = [
        number for number, line in enumerate(lines) if line.startswith("|") and not lines[number - 1].startswith("|")
    ]
    assert starts
    assert all(lines[number + 1].startswith("|---") for number in starts)
