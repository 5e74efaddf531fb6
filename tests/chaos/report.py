"""What a run leaves to be read: `report.json`, a table, differences one by one, a picture, what `reconcile` says."""

from __future__ import annotations

import json
import statistics
from collections import Counter
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.chaos.run import Findings
from tests.chaos.timeline import drawn


def content_of(findings: Findings) -> dict[str, Any]:
    """`report.json`."""
    recovery = findings.recovery or [0.0]
    return {
        "seed": findings.seed,
        "mails": findings.mails,
        "faults": dict(sorted(Counter(str(done.fault.kind) for done in findings.faults).items())),
        "lost": len(findings.lost),
        "doubled": len(findings.doubled),
        "misfiled": len(findings.misfiled),
        "notifications_missing": len(findings.notifications_missing),
        "notifications_doubled": len(findings.notifications_doubled),
        "smtp_window": findings.smtp_window,
        "reconcile": {"left": len(findings.reconciled.left), "counts": findings.reconciled.counts},
        "recovery_seconds": {
            "p50": round(statistics.median(recovery), 2),
            "max": round(max(recovery), 2),
        },
    }


def write(findings: Findings, folder: Path) -> None:
    """Write all of it into `folder`."""
    content = json.dumps(content_of(findings), indent=2, ensure_ascii=False)
    (folder / "report.json").write_text(f"{content}\n", encoding="utf-8")
    (folder / "timeline.svg").write_text(drawn(findings), encoding="utf-8")
    lines = [*findings.differences, *(f"note: {trouble}" for trouble in findings.troubles)]
    (folder / "reconcile.txt").write_text(findings.reconciled.text, encoding="utf-8")
    (folder / "differences.txt").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def show(findings: Findings, console: Console, folder: Path) -> None:
    """The same as a table, and the first differences."""
    content = content_of(findings)
    faults = content.pop("faults")
    recovery = content.pop("recovery_seconds")
    content["reconcile_left"] = content.pop("reconcile")["left"]
    table = Table(title=f"Chaos with seed {findings.seed}: {sum(faults.values())} faults", title_justify="left")
    table.add_column("what")
    table.add_column("how many", justify="right")
    for kind, count in faults.items():
        table.add_row(kind, str(count))
    table.add_section()
    for name, value in content.items():
        table.add_row(name.replace("_", " "), str(value))
    for name, seconds in recovery.items():
        table.add_row(f"recovery {name}", f"{seconds} s")
    console.print(table)
    for sentence in findings.differences[:20]:
        console.print(f"[red]{sentence}[/]", highlight=False, soft_wrap=True)
    console.print(
        f"All of it is in {folder}: report.json, timeline.svg, differences.txt, reconcile.txt, logs/.", soft_wrap=True
    )
