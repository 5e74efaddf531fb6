"""How the front door talks: short lines, written at once, each long step with the time it took."""

import os
import shutil
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def say(text: str) -> None:
    """Print a line for the person who typed the command, in the place of how far a step was."""
    sys.stdout.write(("\r\x1b[K" if sys.stdout.isatty() else "") + text + "\n")
    sys.stdout.flush()


def say_wrapped(text: str) -> None:
    """Print a sentence on as many lines as the terminal needs, no word broken."""
    width = shutil.get_terminal_size().columns
    say(textwrap.fill(text, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False))


def complain(text: str) -> None:
    """Print why the command could not do what it was asked."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


class Step:
    """A step that is being taken: `so_far` says how far it is, on a terminal in place, else now and then."""

    _PERIOD = 10.0

    def __init__(self, text: str) -> None:
        self._text = text
        self._started = self._said_at = time.monotonic()

    def so_far(self, how_far: str) -> None:
        """Show how far it is, such as `12 of 48 packages`."""
        now = time.monotonic()
        if now - self._said_at < (0.2 if sys.stdout.isatty() else self._PERIOD):
            return
        self._said_at = now
        line = f"  … {self._text}: {how_far} ({now - self._started:.0f} s so far)"
        if sys.stdout.isatty():
            width = shutil.get_terminal_size().columns - 1
            sys.stdout.write(f"\r\x1b[K{line[:width]}")
            sys.stdout.flush()
        else:
            say(line)

    def done(self) -> None:
        """Say that it is done, with its seconds."""
        say(f"  {self._text} ({time.monotonic() - self._started:.1f} s)")


@contextmanager
def step(text: str) -> Iterator[Step]:
    """Print what is being done, with its seconds once it is done."""
    taken = Step(text)
    yield taken
    taken.done()


def shown(path: Path) -> str:
    """A path as one types it from the folder one is in, when that is shorter."""
    relative = os.path.relpath(path)
    return relative if len(relative) < len(str(path)) else str(path)
