"""The memory that this container may take, and whether the kernel ended a process for taking more.

A reader that takes too much is ended by its own limit, and its mail goes on from its head. Where all readers together
may take more than the container, the kernel ends one of them, or us, for no fault of its mail: that is said at the
start, and told each time that it happened.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Final

import structlog
from prometheus_client import Counter

MEBIBYTE: Final = 1024 * 1024
OURS_MB: Final = 512
"""For this process itself, and what is in /tmp."""
_FILES: Final = (
    ("memory.max", "memory.events"),  # cgroups v2
    ("memory/memory.limit_in_bytes", "memory/memory.oom_control"),  # v1
)
_NO_LIMIT: Final = 2**60
"""Version 1 writes a number beyond all memory where there is none."""
_EVERY_SECONDS: Final = 15.0
_CURE: Final = "raise the container's limit (CLASSIFIER_MEMORY in compose), or lower IMPORTER_READERS"

killed = Counter("importer_memory_kills_total", "Processes of this container that the kernel ended for want of memory")
log = structlog.get_logger()


def limit_mb(cgroups: Path = Path("/sys/fs/cgroup")) -> int | None:
    """The container's limit in MiB; None where there is none, or it cannot be seen."""
    for limit, _ in _FILES:
        try:
            text = (cgroups / limit).read_text(encoding="ascii").strip()
        except OSError:
            continue
        return int(text) // MEBIBYTE if text.isdigit() and int(text) < _NO_LIMIT else None
    return None


def kills(cgroups: Path = Path("/sys/fs/cgroup")) -> int:
    """How often the kernel ended a process of this container for its memory, since it was started."""
    for _, events in _FILES:
        try:
            text = (cgroups / events).read_text(encoding="ascii")
        except OSError:
            continue
        counted = re.search(r"^oom_kill (\d+)$", text, re.MULTILINE)
        return int(counted[1]) if counted else 0
    return 0


def warn_of_too_little(readers: int, reading_memory_mb: int, limit: int | None) -> bool:
    """Say so where all readers at once may take more than the limit; whether it was said."""
    needed = OURS_MB + readers * reading_memory_mb
    if limit is None or limit >= needed:
        return False
    log.warning("memory_limit_too_small", limit_mb=limit, needed_mb=needed, remedy=_CURE)
    return True


async def tell_kills(cgroups: Path = Path("/sys/fs/cgroup"), every: float = _EVERY_SECONDS) -> None:
    """Log and count each process that is ended for its memory, for ever."""
    seen = kills(cgroups)
    while True:
        await asyncio.sleep(every)
        now = kills(cgroups)
        if now > seen:
            killed.inc(now - seen)
            log.error("killed_for_memory", processes=now - seen, limit_mb=limit_mb(cgroups), remedy=_CURE)
        seen = now
