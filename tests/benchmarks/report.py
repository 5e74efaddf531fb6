"""`python -m tests.benchmarks.report`: page, plots, results.json and the README's lines anew from .run/benchmark.json.

`make bench` does the same at its end. Exit 0: written; 1: there is no benchmark.json.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from tests.benchmarks import measured as values
from tests.benchmarks import page, readme, results
from tests.benchmarks.measured import Measured

ROOT: Final = Path(__file__).parents[2]
FOLDER: Final = ROOT / "docs" / "benchmarks"
EVERYTHING: Final = ROOT / ".run" / "benchmark.json"
"""Every figure of every round."""


def write(measured: Measured, folder: Path = FOLDER, readme_file: Path = readme.README) -> None:
    """The page with its plots and results.json into `folder`, and the three lines into the README."""
    folder.mkdir(parents=True, exist_ok=True)
    figures = results.results_of(measured)
    (folder / "results.json").write_text(results.to_json(figures), encoding="utf-8")
    (folder / "README.md").write_text(page.page_of(measured), encoding="utf-8")
    for name, svg in page.plots_of(measured).items():
        (folder / name).write_text(svg, encoding="utf-8")
    text = readme.with_lines(readme_file.read_text(encoding="utf-8"), figures, quiet=measured.quiet)
    readme_file.write_text(text, encoding="utf-8")


def main() -> int:
    """The exit code, as the manual above says."""
    if not EVERYTHING.exists():
        sys.stderr.write(f"There is no {EVERYTHING}: `make bench` measures first.\n")
        return 1
    write(values.from_json(EVERYTHING.read_bytes()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
