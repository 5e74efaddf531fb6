"""Writes what was measured: the page, its plots, and all figures."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Final

from tests.benchmarks.many_mailboxes.measured import Measured
from tests.benchmarks.many_mailboxes.page import page_of, plots_of

FOLDER: Final = Path(__file__).parents[3] / "docs" / "benchmarks"


def write(measured: Measured, folder: Path = FOLDER) -> None:
    """The page with its plots and mailboxes.json into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "mailboxes.md").write_text(page_of(measured), encoding="utf-8")
    (folder / "mailboxes.json").write_text(json.dumps(asdict(measured), indent=2) + "\n", encoding="utf-8")
    for name, svg in plots_of(measured).items():
        (folder / name).write_text(svg, encoding="utf-8")
