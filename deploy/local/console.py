"""How the front door talks: short lines, written at once, each long step with the time it took."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def say(text: str) -> None:
    """Print a line for the person who typed the command."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def complain(text: str) -> None:
    """Print why the command could not do what it was asked."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


@contextmanager
def step(text: str) -> Iterator[None]:
    """Print what is being done, with its seconds once it is done."""
    started = time.monotonic()
    yield
    say(f"  {text} ({time.monotonic() - started:.1f} s)")


def shown(path: Path) -> str:
    """A path as one types it from the folder one is in, when that is shorter."""
    relative = os.path.relpath(path)
    return relative if len(relative) < len(str(path)) else str(path)
