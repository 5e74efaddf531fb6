"""Whether a program that is waited for still does something: no clock says how slow a machine may be."""

import time
from collections.abc import Callable
from pathlib import Path

from deploy.local import processes
from deploy.local.processes import Process

STILL_SECONDS = 120.0
"""How long nothing may move before it is given up."""
_LEAST_CPU_SECONDS = 1.0
"""What a program uses in that time that does something: one that only looks at a clock uses less."""


class Moves:
    """Looks at a process and all that it started: moving is to use the processor, or to write into `log`."""

    def __init__(
        self,
        process: Process,
        log: Path | None = None,
        *,
        still_seconds: float = STILL_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        cpu: Callable[[Process], float] = processes.cpu_seconds,
    ) -> None:
        self._process, self._log, self._still_seconds, self._clock, self._cpu = process, log, still_seconds, clock, cpu
        self._moved_at = clock()
        self._seen = (self._cpu(process), self._size())

    def stands_still(self) -> bool:
        """Whether nothing has moved for so long."""
        used, written = self._cpu(self._process), self._size()
        if abs(used - self._seen[0]) >= _LEAST_CPU_SECONDS or written != self._seen[1]:
            self._moved_at, self._seen = self._clock(), (used, written)
        return self._clock() - self._moved_at > self._still_seconds

    def _size(self) -> int:
        try:
            return self._log.stat().st_size if self._log is not None else 0
        except FileNotFoundError:
            return 0
