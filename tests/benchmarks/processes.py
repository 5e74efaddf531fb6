"""Processor time and memory of processes and of what they started, from Linux's /proc (man 5 proc)."""

from __future__ import annotations

import asyncio
import os
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

_TICKS = os.sysconf("SC_CLK_TCK")
_PARENT = 1
_TIMES = slice(11, 15)
"""Places of `ppid`, and of `utime`, `stime`, `cutime`, `cstime`, in /proc/PID/stat, counted behind the name."""
_GONE: Final = (FileNotFoundError, ProcessLookupError)


def processor_seconds(roots: Mapping[str, Iterable[int]]) -> dict[str, float]:
    """Seconds spent so far by the processes of each name and by all that these started, ended children included."""
    spent: dict[int, float] = {}
    children: defaultdict[int, list[int]] = defaultdict(list)
    for file in Path("/proc").glob("[0-9]*/stat"):
        with suppress(*_GONE):
            fields = file.read_text().rpartition(")")[2].split()
            process = int(file.parent.name)
            spent[process] = sum(map(int, fields[_TIMES])) / _TICKS
            children[int(fields[_PARENT])].append(process)

    def with_descendants(process: int) -> float:
        return spent.get(process, 0.0) + sum(map(with_descendants, children[process]))

    return {name: sum(map(with_descendants, processes)) for name, processes in roots.items()}


def resident_mb(process: int, *, most: bool) -> tuple[float, float]:
    """MB of a process, and of the largest that it started (0 without any): now, or the most that it ever had."""
    name = "VmHWM" if most else "VmRSS"
    return _status(process, name), max((_status(child, name) for child in _descendants(process)), default=0.0)


async def processors_busy(seconds: float) -> float:
    """How many of all processors were busy on average while nothing was done here, by whoever it was."""
    total, idle = _machine_ticks()
    await asyncio.sleep(seconds)
    total_now, idle_now = _machine_ticks()
    share = 1 - (idle_now - idle) / (total_now - total)
    return share * (os.cpu_count() or 1)


def _machine_ticks() -> tuple[int, int]:
    """Of all processors so far: in all, and of those in which nothing was done (idle, iowait)."""
    ticks = [int(each) for each in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return sum(ticks), ticks[3] + ticks[4]


def parent_of(process: int) -> int:
    """The process that started this one; 0 when it is not on this machine."""
    try:
        return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[_PARENT])
    except _GONE:
        return 0


def is_called(process: int, name: str) -> bool:
    """Whether a process of this id is here, and has this name: that of a server in a container is not."""
    try:
        return Path(f"/proc/{process}/comm").read_text().strip() == name
    except _GONE:
        return False


def _descendants(process: int) -> list[int]:
    try:
        children = [
            int(child)
            for task in Path(f"/proc/{process}/task").iterdir()
            for child in (task / "children").read_text().split()
        ]
    except _GONE:
        return []
    return children + [below for child in children for below in _descendants(child)]


def _status(process: int, name: str) -> float:
    with suppress(*_GONE):
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) / 1024
    return 0.0
