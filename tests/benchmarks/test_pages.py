"""`make bench PAGES=1` with few tickets: each page is there, and all is written. No figure is asserted."""

from __future__ import annotations

import json
from pathlib import Path

from deploy.local.instance import Servers
from tests.benchmarks.pages import report
from tests.benchmarks.pages.measure import measure

TICKETS = 200


async def test_each_page_is_measured_and_written(servers: Servers, tmp_path: Path) -> None:
    measured = await measure(servers, tmp_path, TICKETS, 1, lambda _: None)
    report.write(measured, tmp_path)

    assert measured.mails == TICKETS
    written = (tmp_path / "pages.md").read_text(encoding="utf-8")
    assert all(page.page in written and page.bytes > 0 for page in measured.pages)
    assert json.loads((tmp_path / "pages.json").read_text())["tickets"] == TICKETS
    assert json.loads((report.FOLDER / "pages.json").read_text())["tickets"] == 1_000_000
