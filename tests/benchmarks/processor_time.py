"""Processor time of processes and what they started, from Linux's /proc (man 5 proc)."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PARENT = 1
_TIMES = slice(11, 15)
"""Places of `ppid`, and of `utime`, `stime`, `cutime`, `cstime`, in /proc/PID/stat, counted behind the name."""


def processor_seconds(roots: Mapping[str, int]) -> dict[str, float]:
    """Seconds spent so far by each process (name → its id) and by all that it started, ended children included."""
    spent: dict[int, float] = {}
    children: defaultdict[int, list[int]] = defaultdict(list)
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = file.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        process = int(file.parent.name)
        spent[process] = sum(map(int, fields[_TIMES])) / _TICKS
        children[int(fields[_PARENT])].append(process)

    def with_descendants(process: int) -> float:
        return spent.get(process, 0.0) + sum(map(with_descendants, children[process]))

    return {name: with_descendants(process) for name, process in roots.items()}


def parent_of(process: int) -> int:
    """The process that started this one."""
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[_PARENT])
