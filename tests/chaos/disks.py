"""Small disks that can be full: tmpfs, so that PostgreSQL and the fetcher get ENOSPC from the kernel itself.

They are mounted in a mount namespace of this process (`make chaos` makes it, by `unshare --mount`), which nobody else
sees and which ends with it. That takes root.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOM: Final = "6g"
"""More than a run writes; memory is taken only for what is there."""
_BLOCK: Final = 4096
"""Of a disk nothing at all would mean: without limit."""


@dataclass(frozen=True, slots=True)
class Disk:
    """A disk that is mounted at `folder`."""

    folder: Path

    @contextlib.contextmanager
    def full(self) -> Iterator[None]:
        """Within this block there is room for nothing more."""
        usage = os.statvfs(self.folder)
        used = (usage.f_blocks - usage.f_bfree) * usage.f_frsize
        self._resize(f"{max(used, _BLOCK)}")
        try:
            yield
        finally:
            self._resize(ROOM)

    def _resize(self, size: str) -> None:
        _mount("-o", f"remount,size={size}", str(self.folder))


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[Disk]:
    """An empty disk at `folder` for the length of a block."""
    folder.mkdir(parents=True, exist_ok=True)
    _mount("-t", "tmpfs", "-o", f"size={ROOM},mode=755", "none", str(folder))
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["/usr/bin/umount", "--lazy", str(folder)], check=True)


def _mount(*words: str) -> None:
    subprocess.run(["/usr/bin/mount", *words], check=True)
