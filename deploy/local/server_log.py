"""What a server's log says about why it ended."""

from pathlib import Path

_TELLING = ("FATAL", "PANIC", "ERROR", "[error]", "error:", "could not", "Failed", "eaddrinuse", "enospc")


def last_words(log: Path) -> str:
    """The line that says best why: the last that tells of an error, else the last at all."""
    try:
        lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines()]
    except FileNotFoundError:
        return "it wrote no log"
    telling = [line for line in lines if any(mark in line for mark in _TELLING)]
    return (telling or [line for line in lines if line] or ["it wrote nothing"])[-1]
