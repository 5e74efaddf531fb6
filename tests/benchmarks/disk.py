"""What the disk itself takes for a commit."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Final

TIMES: Final = 100
_PAGE: Final = b"\0" * 8192


def fsync_ms(folder: Path) -> float:
    """Milliseconds in which a page of PostgreSQL's is written over and synchronised: the median of `TIMES`.

    As PostgreSQL does on Linux: `fdatasync` on a file that has its size already (wal_sync_method).
    """
    folder.mkdir(parents=True, exist_ok=True)
    taken = []
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(_PAGE * TIMES)
        file.flush()
        os.fsync(file.fileno())
        for number in range(TIMES):
            began = time.perf_counter()
            os.pwrite(file.fileno(), _PAGE, number * len(_PAGE))
            os.fdatasync(file.fileno())
            taken.append(time.perf_counter() - began)
    return statistics.median(taken) * 1000
