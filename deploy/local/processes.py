"""Processes that we start: recorded for later commands, known again with certainty, stopped completely.

A process is named by its id, its start time and the boot it belongs to. A recycled id is never mistaken for it,
so nothing that isn't ours is ever signalled.
"""

import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

_PROC = Path("/proc")
_PR_SET_CHILD_SUBREAPER = 36
_POLL_SECONDS = 0.05
_children: "dict[int, subprocess.Popen[bytes]]" = {}


@dataclass(frozen=True, slots=True)
class Process:
    """One process, now and for ever: `start` is in clock ticks after the boot called `boot`."""

    pid: int
    start: int
    boot: str


@dataclass(frozen=True, slots=True)
class _Stat:
    state: str
    parent: int
    start: int
    ticks: int
    """Of the processor, its own and those of children that it has waited for."""


def _stat(pid: int) -> _Stat | None:
    try:
        text = (_PROC / str(pid) / "stat").read_text(encoding="ascii", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # the second field is the program's name in parentheses, and may hold spaces and parentheses itself
    fields = text.rpartition(")")[2].split()
    return _Stat(state=fields[0], parent=int(fields[1]), start=int(fields[19]), ticks=sum(map(int, fields[11:15])))


def _name(pid: int) -> str:
    try:
        return (_PROC / str(pid) / "comm").read_text(encoding="utf-8", errors="replace").strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _boot() -> str:
    return (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def identify(pid: int) -> Process:
    """The process that has this id now; raises ProcessLookupError when none has."""
    stat = _stat(pid)
    if stat is None:
        raise ProcessLookupError(pid)
    return Process(pid, stat.start, _boot())


def is_alive(process: Process) -> bool:
    """Whether this very process still runs (an ended one that nobody waited for does not)."""
    stat = _stat(process.pid)
    if stat is None or stat.start != process.start or process.boot != _boot():
        _children.pop(process.pid, None)
        return False
    if stat.state not in "ZX":
        return True
    # A child of ours lingers until its exit status is taken, which waits for the last of its threads.
    child = _children.get(process.pid)
    return child is not None and child.poll() is None


def record(file: Path, process: Process) -> None:
    """Write down a process for a later command."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".draft")
    draft.write_text(json.dumps(asdict(process)), encoding="ascii")
    draft.rename(file)


def read(file: Path) -> Process | None:
    """The process written down in `file`, whether it still runs or not; None when nothing readable is there."""
    try:
        return Process(**json.loads(file.read_text(encoding="ascii")))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def recorded(file: Path) -> Process | None:
    """The process written down in `file` if it still runs."""
    process = read(file)
    return process if process is not None and is_alive(process) else None


def launch(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    log: Path,
    folder: Path,
    tether: signal.Signals | None,
    switch: Sequence[str] = (),
) -> Process:
    """Start a server in a session of its own, out of reach of the terminal's Ctrl-C; its output goes to `log`.

    `switch` is what changes the user that it runs as (see `account`). `tether` is the signal that the kernel gives it
    should this thread die without stopping it: launch such ones from the main thread. setpriv, rather than a
    preexec_fn, sets that, since other threads may be running; and after the change of user, which would undo it.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    tied = ("setpriv", "--pdeathsig", tether.name.removeprefix("SIG")) if tether is not None else ()
    with log.open("ab") as output:
        child = subprocess.Popen(
            [*switch, *tied, *command],
            env=dict(environment),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _children[child.pid] = child
    process = identify(child.pid)
    while is_alive(process) and _name(child.pid) == "setpriv":  # not tied yet, nor its user changed
        time.sleep(_POLL_SECONDS / 10)
    return process


def with_open_files(most: int) -> Sequence[str]:
    """What stands before a command that may have so many files open, or as many as this process may grant."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = most if hard == resource.RLIM_INFINITY else min(most, hard)
    return () if soft == resource.RLIM_INFINITY or soft >= wanted else ("prlimit", f"--nofile={wanted}:")


def wait_until_gone(process: Process, seconds: float) -> bool:
    """Wait at most that long; whether it is gone."""
    deadline = time.monotonic() + seconds
    while is_alive(process):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def stop(process: Process, gently: signal.Signals, seconds: float) -> None:
    """Ask a process to stop, give it so many seconds, then end it with its whole process group."""
    with suppress(ProcessLookupError):
        if is_alive(process):
            os.kill(process.pid, gently)
            if not wait_until_gone(process, seconds):
                if os.getpgid(process.pid) == process.pid:
                    os.killpg(process.pid, signal.SIGKILL)
                else:
                    os.kill(process.pid, signal.SIGKILL)
                wait_until_gone(process, seconds)


def adopt_orphans() -> None:
    """From now on a descendant whose parent dies becomes our child, so that `end_descendants` finds it."""
    if sys.platform == "linux":  # elsewhere there are only containers, whose processes are no children of ours
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def descendants(of: int | None = None) -> list[Process]:
    """All that a process, by default this one, has started, directly or not, nearest first."""
    parents: dict[int, list[int]] = {}
    for entry in _PROC.iterdir() if sys.platform == "linux" else ():
        if entry.name.isdigit() and (stat := _stat(int(entry.name))) is not None and stat.state not in "ZX":
            parents.setdefault(stat.parent, []).append(int(entry.name))
    descendants: list[int] = []
    generation = [os.getpid() if of is None else of]
    while generation:
        generation = [child for parent in generation for child in parents.get(parent, [])]
        descendants += generation
    processes = []
    for pid in descendants:
        with suppress(ProcessLookupError):
            processes.append(identify(pid))
    return processes


def cpu_seconds(process: Process) -> float:
    """What a process and all that it started have used of the processor; 0 when it is gone."""
    if not is_alive(process):
        return 0.0
    stats = (_stat(one.pid) for one in (process, *descendants(process.pid)))
    return sum(stat.ticks for stat in stats if stat is not None) / os.sysconf("SC_CLK_TCK")


def end_descendants(seconds: float = 10.0) -> None:
    """End all that we started and that still runs: SIGTERM, then, after so many seconds together, SIGKILL."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        running = descendants()
        for process in running:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(process.pid, number)
        deadline = time.monotonic() + seconds
        for process in running:
            wait_until_gone(process, max(0.0, deadline - time.monotonic()))
