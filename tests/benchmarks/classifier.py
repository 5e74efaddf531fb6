"""`python -m tests.benchmarks.classifier`: what reading a mail costs, stage by stage, beside the standard library.

Measures  milliseconds a mail, mails and MB a second, of sample mails of 20 KB and 76 KB and of the project's own odd
          mails: parts (headers parsed, parts split and decoded), reading (all that the classifier tells of a mail), the
          same by way of the child process; the standard library parsing and decoding the same parts
          the peak of memory for a mail of 100 MB, with our limits raised above it
Reads     no server; processor time but for the child process, whose time is the clock's
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import email
import email.policy
import resource
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from services.classifier.reading.limits import DEFAULT_LIMITS
from services.classifier.reading.mime.parser import parse_mail
from services.classifier.reading.pool import ReaderPool
from services.classifier.reading.reader import read_mail
from services.classifier.reading.values import ReadingSettings
from tests.benchmarks.sample import sample_mail

MAILS: Final = 100
SIZES: Final = (20_000, 76_000)
LARGE: Final = 100 * 1024 * 1024
_ROUNDS: Final = 3
_MEMORY: Final = 1536 * 1024 * 1024
_SETTINGS: Final = ReadingSettings(markers=("## Typ uw antwoord boven deze regel ##",))
_OWN_MAILS: Final = Path(__file__).parents[1] / "mails"


@dataclass(frozen=True, slots=True)
class Stage:
    """Seconds that one stage takes for all mails of a kind, at best."""

    mails: str
    stage: str
    count: int
    bytes_in_all: int
    seconds: float


def parts(raw: bytes) -> None:
    """Ours: headers, parts, transfer encodings."""
    for part in parse_mail(raw, DEFAULT_LIMITS).walk():
        if not part.is_multipart:
            len(part.content)


def reading(raw: bytes) -> None:
    """Ours: all that is told of a mail."""
    read_mail(raw, uuid.UUID(int=1), _SETTINGS)


def standard_library(raw: bytes) -> None:
    """The standard library: headers, parts, transfer encodings."""
    for part in email.message_from_bytes(raw, policy=email.policy.default).walk():
        for name in ("subject", "from", "to", "date", "content-type"):
            _look(lambda part=part, name=name: str(part[name]))  # type: ignore[misc]
        if not part.is_multipart():
            part.get_payload(decode=True)


def measure() -> tuple[list[Stage], Mapping[str, int]]:
    """The stages, and the peak of memory in MB of reading a large mail, by who reads it."""
    kinds = {f"{size // 1000} KB": [sample_mail(number, size) for number in range(MAILS)] for size in SIZES}
    kinds["odd ones"] = [path.read_bytes() for path in sorted(_OWN_MAILS.rglob("*.eml"))]
    found = []
    for name, mails in kinds.items():
        for stage in (standard_library, parts, reading):
            seconds = min(_seconds(stage, mails) for _ in range(_ROUNDS))
            found.append(_stage(name, stage.__name__.replace("_", " "), mails, seconds))
        found.append(_stage(name, "reading in a child", mails, asyncio.run(_in_child(mails))))
    peaks = {who: _peak(who) for who in ("nothing read", "standard library", "ours")}
    return found, peaks


def show(console: Console, stages: Sequence[Stage], peaks: Mapping[str, int]) -> None:
    """Print both tables."""
    table = Table(title="Reading mail", title_justify="left")
    for column in ("mails", "stage"):
        table.add_column(column)
    for column in ("ms a mail", "mails/s", "MB/s"):
        table.add_column(column, justify="right")
    for stage in stages:
        figures = (
            stage.seconds * 1000 / stage.count,
            stage.count / stage.seconds,
            stage.bytes_in_all / stage.seconds / 1e6,
        )
        table.add_row(stage.mails, stage.stage, f"{figures[0]:.2f}", f"{figures[1]:.0f}", f"{figures[2]:.1f}")
    console.print(table)
    table = Table(title=f"Peak of memory, a mail of {LARGE >> 20} MB", title_justify="left")
    table.add_column("read by")
    table.add_column("MB", justify="right")
    for who, megabytes in peaks.items():
        table.add_row(who, str(megabytes))
    console.print(table)


def _stage(name: str, stage: str, mails: Sequence[bytes], seconds: float) -> Stage:
    return Stage(name, stage, len(mails), sum(map(len, mails)), seconds)


def _seconds(stage: Callable[[bytes], None], mails: Sequence[bytes]) -> float:
    began = time.process_time()
    for raw in mails:
        stage(raw)
    return time.process_time() - began


async def _in_child(mails: Sequence[bytes]) -> float:
    """One mail after the other through one child, as a classifier with one worker does."""
    async with ReaderPool(readers=1, memory_bytes=_MEMORY) as pool:
        await pool.read(mails[0], uuid.UUID(int=1), _SETTINGS, seconds=30)
        began = time.perf_counter()
        for raw in mails:
            await pool.read(raw, uuid.UUID(int=1), _SETTINGS, seconds=30)
        return time.perf_counter() - began


def _peak(who: str) -> int:
    """Of a process of its own, since the peak of a process never falls."""
    command = [sys.executable, "-m", "tests.benchmarks.classifier", who]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _large_mail() -> bytes:
    """A text and one file in base64 that makes up the rest."""
    head = b"From: a@b.example\nSubject: groot\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nZie bijlage.\n--b\n"
    file = b"Content-Type: application/zip; name=a.zip\nContent-Transfer-Encoding: base64\n\n"
    line = b"QUJD" * 19 + b"\n"
    return b"".join((head, file, line * (LARGE // len(line)), b"--b--\n"))


def _look(what: Callable[[], object]) -> None:
    with contextlib.suppress(Exception):  # what it cannot read costs time as well
        what()


def _read_large(who: str) -> None:
    raw = _large_mail()
    if who == "ours":
        limits = dataclasses.replace(DEFAULT_LIMITS, image_bytes=2 * LARGE)
        read_mail(raw, uuid.UUID(int=1), _SETTINGS, limits)
    elif who == "standard library":
        standard_library(raw)
    sys.stdout.write(str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _read_large(sys.argv[1])
    else:
        show(Console(), *measure())
