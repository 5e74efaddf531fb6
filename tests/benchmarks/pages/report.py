"""`docs/benchmarks/pages.md` and pages.json: what was measured of the web console's pages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Final

from tests.benchmarks.pages.measure import Measured
from tests.benchmarks.tables import table

FOLDER: Final = Path(__file__).parents[3] / "docs" / "benchmarks"
MOST_MS: Final = 50
MOST_BYTES: Final = 150_000


def write(measured: Measured, folder: Path = FOLDER) -> None:
    """The page, and the figures for programs."""
    (folder / "pages.md").write_text("\n".join(_lines(measured)) + "\n", encoding="utf-8")
    (folder / "pages.json").write_text(json.dumps(asdict(measured), indent=2) + "\n", encoding="utf-8")


def _lines(measured: Measured) -> Iterator[str]:
    slow = [page.page for page in measured.pages if page.median_ms > MOST_MS]
    large = [page.page for page in measured.pages if page.bytes > MOST_BYTES]
    yield from (
        "# The web console's pages",
        "",
        "<!-- Written by `make bench PAGES=1`: page and pages.json. -->",
        "",
        f"Measured on {measured.date} on {measured.processor}, with {measured.tickets:,} tickets, {measured.mails:,}",
        f"mails and what went out about them: a database of {measured.database_mb:,.0f} MB on this machine. Each page",
        f"was got {measured.rounds} times over HTTP by an operator who may see all helpdesks.",
        "",
        f"Goal: {MOST_MS} ms a page ({_those(slow)}), {MOST_BYTES // 1000} KB on the way ({_those(large)}).",
        "",
    )
    yield from table(
        ("page", "ms", "slowest", "KB"),
        (
            (page.page, f"{page.median_ms:.1f}", f"{page.most_ms:.1f}", f"{page.bytes / 1000:.1f}")
            for page in measured.pages
        ),
    )


def _those(pages: list[str]) -> str:
    return f"not reached by {', '.join(pages)}" if pages else "reached by all"
