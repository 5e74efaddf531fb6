"""A command that has the terminal: pytest, the demo, a benchmark; with Ctrl-C and its cleaning up left to it."""

import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType

# pytest finishes its fixtures, the demo drains its services
_GRACE_SECONDS = 30


class Interrupted(KeyboardInterrupt):
    """Somebody asked us to stop, from the terminal or with a signal."""


def interrupt_on_signals() -> None:
    """From now on SIGTERM and SIGHUP unwind this process as Ctrl-C does, so that nothing stays behind."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise Interrupted

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    # A shell that starts us in the background has it ignored; PostgreSQL, which is to end by it, would inherit that.
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)


def ignore_interrupts() -> None:
    """From now on a second Ctrl-C does not cut the cleaning up short."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def attend(command: Sequence[str], *, environment: Mapping[str, str], folder: Path) -> int:
    """Run a command on our terminal; its exit code.

    On Ctrl-C the terminal has told the command too: it gets its time to clean up, and then we are interrupted.
    """
    child = subprocess.Popen(list(command), env=dict(environment), cwd=folder)
    try:
        return child.wait()
    except Interrupted:  # a signal to us alone
        child.terminate()
        _give_time(child)
        raise
    except KeyboardInterrupt:
        _give_time(child)
        raise


def _give_time(child: subprocess.Popen[bytes]) -> None:
    ignore_interrupts()
    try:
        child.wait(_GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
