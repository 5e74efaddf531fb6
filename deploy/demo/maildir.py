"""Delivers into a Maildir as a mail server does: written in `tmp`, moved to `new` (cr.yp.to/proto/maildir.html)."""

from __future__ import annotations

import itertools
import os
import time
from dataclasses import dataclass
from pathlib import Path

_HOST = "localhost"
_deliveries = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Delivered:
    """A mail in its mailbox: the unique name that the ledger knows it by, and when it came (seconds since 1970)."""

    unique_name: str
    at: float


@dataclass(frozen=True, slots=True)
class Maildir:
    """A Maildir that is made when it is not there yet."""

    path: Path

    def __post_init__(self) -> None:
        for folder in ("tmp", "new", "cur"):
            (self.path / folder).mkdir(parents=True, exist_ok=True)

    def deliver(self, mail: bytes, *, arrived: float | None = None, read: bool = False) -> Delivered:
        """Put a mail into `new`, or as one that was read into `cur`.

        `arrived` (seconds since 1970, default now) becomes the arrival in its name.
        """
        seconds, fraction = divmod(time.time() if arrived is None else arrived, 1)
        name = f"{seconds:.0f}.M{fraction * 1e6:06.0f}P{os.getpid()}Q{next(_deliveries)}.{_HOST}"
        unfinished = self.path / "tmp" / name
        unfinished.write_bytes(mail)
        at = time.time()
        unfinished.rename(self.path / "cur" / f"{name}:2,S" if read else self.path / "new" / name)
        return Delivered(name, at)

    def unread(self) -> list[Path]:
        """Mails that nobody marked as read (flag S): all in `new`, and those in `cur` without it."""
        in_cur = (path for path in (self.path / "cur").iterdir() if "S" not in path.name.partition(":2,")[2])
        return [*(self.path / "new").iterdir(), *in_cur]
