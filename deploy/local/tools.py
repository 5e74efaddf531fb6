"""Programs that run to their end for us: apt, dpkg, pip, initdb, psql, our own command line."""

import errno
import os
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.local.failure import SetUpFailed, disk_is_full


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended: its exit code, and all it printed, both streams in order."""

    code: int
    output: str

    def refuse_full_disk(self) -> None:
        """Raise SetUpFailed when it failed for want of room on the disk."""
        if self.code != 0 and os.strerror(errno.ENOSPC) in self.output:
            raise SetUpFailed(disk_is_full())

    def errors(self) -> str:
        """What it complained of most clearly: its first error line, else its last line."""
        lines = [line.strip() for line in self.output.splitlines() if line.strip()]
        for mark in ("E:", "ERROR", "error:", "FATAL", "Err:", "W:"):
            for line in lines:
                if line.startswith(mark) or f" {mark}" in line:
                    return line
        return lines[-1] if lines else f"nothing (exit code {self.code})"


class NoMoreTools(Exception):
    """Everything is being stopped; a thread that goes on with its work hears of it here."""


_starting = threading.Lock()
_closed = threading.Event()


def plain_environment(**extra: str) -> dict[str, str]:
    """Our environment, speaking English and UTF-8, reaching loopback servers without a proxy, plus `extra`."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "PYTHON"))}
    for name in ("no_proxy", "NO_PROXY"):
        environment[name] = ",".join(filter(None, [environment.get(name), "127.0.0.1", "localhost"]))
    return environment | {"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"} | extra


def run(
    command: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    given: str | None = None,
    heard: Callable[[str], None] | None = None,
) -> Ended:
    """Run a program to its end, `given` on its standard input, its output kept; a missing program raises OSError.

    `heard` gets each line as soon as it is printed (of a program that is given nothing).

    Raises NoMoreTools once `start_no_more` has been called.
    """
    with _starting:
        if _closed.is_set():
            raise NoMoreTools
        child = subprocess.Popen(
            list(command),
            env=dict(environment) if environment is not None else plain_environment(),
            cwd=folder,
            stdin=subprocess.DEVNULL if given is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
    with child:
        try:
            output = child.communicate(given)[0] if heard is None else _lines(child, heard)
        except BaseException:
            child.kill()
            raise
    return Ended(child.returncode, output)


def _lines(child: "subprocess.Popen[str]", heard: Callable[[str], None]) -> str:
    lines = []
    for line in child.stdout or ():
        lines.append(line)
        heard(line)
    child.wait()
    return "".join(lines)


def start_no_more() -> None:
    """From now on no program is started: what still runs can be ended once and for all, in other threads too."""
    with _starting:
        _closed.set()
