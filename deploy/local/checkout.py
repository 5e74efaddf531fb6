"""The folders of this checkout that commands write to, and who may write to them now."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local.failure import Busy


@dataclass(frozen=True, slots=True)
class Checkout:
    """Where everything of one clone is. `run` and `venv` are git-ignored and can be thrown away (`make clean`)."""

    root: Path

    @property
    def run(self) -> Path:
        """Servers, data, logs and secrets."""
        return self.root / ".run"

    @property
    def packages(self) -> Path:
        """The distribution's packages, unpacked; shared by all instances."""
        return self.run / "packages"

    @property
    def venv(self) -> Path:
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        """The Python that has the project and its locked dependencies."""
        return self.venv / "bin" / "python"

    def program(self, name: str) -> str:
        """A program that the virtual environment brings."""
        return str(self.venv / "bin" / name)


def here() -> Checkout:
    """The checkout that this file is part of."""
    return Checkout(Path(__file__).resolve().parents[2])


@contextmanager
def exclusive(folder: Path, command: str) -> Iterator[None]:
    """Hold a folder for this command; the kernel lets go of it when this process ends, however it ends.

    Raises Busy, naming the other command, when it is held already.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # opened for reading and writing without truncation: the holder's name must survive our try
    with (folder / "lock").open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "another command"
            raise Busy(f"{holder} is running in this checkout: wait until it is done, or stop it.") from None
        lock.truncate(0)
        lock.write(f"`make {command}` (process {os.getpid()})")
        lock.flush()
        yield
        lock.truncate(0)
