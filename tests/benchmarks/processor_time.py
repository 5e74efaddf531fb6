"""Processor time of the services and of the whole machine, from Linux's /proc (man 5 proc)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_GROUP, _FIRST_TIME, _LAST_TIME = 2, 11, 15
"""Places of `pgrp`, `utime` … `cstime` in /proc/PID/stat, counted behind the name."""
_IDLE = slice(3, 5)
"""`idle` and `iowait` in the first line of /proc/stat."""


def processor_seconds(groups: Mapping[str, int]) -> dict[str, float]:
    """Seconds spent so far by each process group (name → its leader), ended children included, and by the machine."""
    spent = dict.fromkeys(groups, 0.0)
    by_leader = {leader: name for name, leader in groups.items()}
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = file.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if (name := by_leader.get(int(fields[_GROUP]))) is not None:
            spent[name] += sum(map(int, fields[_FIRST_TIME:_LAST_TIME])) / _TICKS
    return spent | {"machine": _machine()}


def _machine() -> float:
    times = [int(field) for field in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return (sum(times) - sum(times[_IDLE])) / _TICKS
