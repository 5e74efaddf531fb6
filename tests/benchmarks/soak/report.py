"""The page of the soak, with its plot."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from tests.benchmarks.plots import lines
from tests.benchmarks.soak.run import INTERVAL, Amount
from tests.benchmarks.soak.samples import WARM_UP, Growth, Sample, growth

FOLDER: Final = Path(__file__).parents[3] / "docs" / "benchmarks"
_NAMES: Final = {
    "memory_mb": "memory, MB",
    "threads": "threads",
    "files": "open files",
    "sockets": "sockets among them",
}


def write(amount: Amount, samples: Sequence[Sample], date: str, folder: Path = FOLDER) -> list[Growth]:
    """soak.md, soak.svg and soak.json into `folder`; how each figure grew."""
    grown = growth(samples)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "soak.md").write_text("\n".join(_page(amount, samples, grown, date)) + "\n", encoding="utf-8")
    (folder / "soak.svg").write_text(_plot(samples), encoding="utf-8")
    (folder / "soak.json").write_text(json.dumps([asdict(each) for each in samples], indent=2) + "\n", encoding="utf-8")
    return grown


def _plot(samples: Sequence[Sample]) -> str:
    step = max(1, len(samples) // 8)
    shown = samples[::step]
    return lines(
        "A fetcher over an hour's worth of polls", "by polls",
        [f"{sample.polls:,}" for sample in shown],
        {words: [float(getattr(sample.footprint, name)) for sample in shown] for name, words in _NAMES.items()},
    )  # fmt: skip


def _page(amount: Amount, samples: Sequence[Sample], grown: Sequence[Growth], date: str) -> Iterator[str]:
    last = samples[-1]
    yield "# Soak\n\n<!-- Written by `make soak`: page, plot and soak.json. -->\n"
    minutes, hung = f"{last.seconds / 60:.0f} minutes", f"{amount.hangs_seconds:.0f} seconds"
    yield f"Measured on {date}: one fetcher polled {amount.mailboxes} mailboxes {amount.polls_each} times, as in an"
    yield f"hour of the usual interval, in {minutes} (by an interval of {INTERVAL} second). Between two samples"
    yield f"a mail came to each mailbox, {last.mails:,} in all, and one of the four mail servers hung for {hung}.\n"
    yield f"A figure is flat when the line through its samples, without the first {WARM_UP:.0%}, grows no more than"
    yield "is allowed over all polls.\n"
    yield "| | mean | grew by | allowed | |\n|---|---:|---:|---:|---|"
    for each in grown:
        verdict = "flat" if each.is_flat else "**grows**"
        yield f"| {_NAMES[each.name]} | {each.mean:.1f} | {each.grown:+.1f} | {each.allowed:.1f} | {verdict} |"
    yield "\n![soak](soak.svg)\n"
    yield "| minutes | polls | mails | MB | threads | open files | sockets |\n|---:|---:|---:|---:|---:|---:|---:|"
    for sample in samples:
        taken = sample.footprint
        yield (
            f"| {sample.seconds / 60:.1f} | {sample.polls:,} | {sample.mails:,} | {taken.memory_mb:.1f} "
            f"| {taken.threads} | {taken.files} | {taken.sockets} |"
        )
