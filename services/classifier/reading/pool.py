"""The parent's side: warm child processes that read mails, each for itself, ended at their limits (DESIGN 10).

    async with ReaderPool(readers=2, …) as pool:
        read = await pool.read(raw, mail_id, settings, seconds=5)          # ReadMail, or MailExhausted

One mail never takes another with it: a child that dies, by its limits or by a bug in a decoder, is replaced. A child is
retired after some hundreds of mails, so that nothing that leaks adds up, and that who took it over by a bug in a
decoder sees no more of them. He writes its answers: these are bounded, and taken for a mail read only where they have
the form of one. He may lift the limit of processor time, which is set anew for each mail, but not our clock.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import uuid
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import structlog
from prometheus_client import Counter, Gauge, Histogram
from pydantic import ValidationError

from services.classifier.reading.confinement import Layer
from services.classifier.reading.frames import ANSWER_HEADER, LAYERS, READ_MAIL, Mode, Order, Verdict, request
from services.classifier.reading.limits import DEFAULT_LIMITS
from services.classifier.reading.unread import unread_mail
from services.classifier.reading.values import ReadingSettings, ReadMail
from shared.errors import ImporterError, Outage

MAILS_A_CHILD: Final = 500
"""A new one costs 0.8 s of processor time: with a hundred mails each, more than reading them."""
CLOCK_TO_PROCESSOR: Final = 20
"""How many times its limit of processor time a reading may take by the clock: a busy machine is no mail's fault."""
HEAD_SECONDS: Final = 2
"""Seconds of processor time for the beginning of a mail: it has 256 KiB, of which nothing is drawn or unwrapped."""
START_SECONDS: Final = 60
"""For a child's imports, on a machine that does much else."""
STUCK_SECONDS: Final = 60
"""For a child to take a piece of a request, by the clock."""
DECODE_OFF_LOOP_BYTES: Final = 64 * 1024
"""An answer larger than this is taken apart in a thread: it takes more than a millisecond."""

ANSWER_TIMES: Final = 2
"""How often an answer stands in its child's memory when it is written: there is no larger one than a share of that."""
LONGEST_TRACEBACK: Final = 64 * 1024
_VERDICTS: Final = frozenset(Verdict)
READER: Final = ("-W", "ignore", "-m", "services.classifier.reading")
_IMPORT_ROOT: Final = Path(__file__).resolve().parents[3]

_log = structlog.get_logger(__name__)
_readings = Counter("importer_readings_total", "Mails read in a child process, by mode and result", ["mode", "result"])
_seconds = Histogram(
    "importer_reading_seconds",
    "Seconds of one reading in a child process",
    ["mode"],
    buckets=(0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
_confined = Gauge(
    "importer_reading_confined",
    "1 for a layer that confines the processes that read mail, 0 where it lacks",
    ["layer"],
)


@dataclass(frozen=True, slots=True)
class RawMailBytes:
    """The bytes of a mail that need not be held: `pieces` gives them anew each time it is called.

    `size` is how many there are; more or fewer end the child.
    """

    size: int
    pieces: Callable[[], AsyncGenerator[bytes]]

    @classmethod
    def of(cls, raw: bytes) -> RawMailBytes:
        """Bytes that are at hand."""

        async def at_once() -> AsyncGenerator[bytes]:
            yield raw

        return cls(len(raw), at_once)


class MailExhausted(ImporterError):
    """The mail cannot be read within time and memory: read its head instead (SPEC D17)."""


class ReadingFailed(ImporterError):
    """Our reader has a bug that this mail shows; the text is the child's traceback."""


@dataclass(slots=True, eq=False)
class _Child:
    process: asyncio.subprocess.Process
    ready: asyncio.Task[None]
    """Done when the child has imported all and is confined."""
    mails: int = 0


class NoReader(Outage):
    """No child process comes up: no mail is to blame, and none is lost by waiting."""


class _ChildDied(ImporterError):
    """A child ended by itself, or by the kernel, while it read; the text names the signal or exit code."""


class _Gone(ImporterError):
    """A child's pipe is closed: what it died of is still to be looked up."""


class _Forbidden(ImporterError):
    """A child asked the kernel for what no reading needs, and was ended for it."""


class _OutOfTime(ImporterError):
    """A child used up its processor time, or answered nothing for far longer than that."""


_DIED_OF: Final[dict[str, type[ImporterError]]] = {signal.SIGXCPU.name: _OutOfTime, signal.SIGSYS.name: _Forbidden}
"""What a signal says about a child; another one may have come from outside."""


class ReaderPool:
    """`readers` child processes, each with at most `memory_bytes`; `program` is what Python runs in them."""

    def __init__(self, *, readers: int, memory_bytes: int, program: Sequence[str] = READER) -> None:
        self._readers = readers
        self._program = program
        self._memory_bytes = memory_bytes
        self._idle: asyncio.Queue[_Child | None] = asyncio.Queue()
        self._turn = asyncio.Lock()
        """One waits for a child at a time, in the order of asking: who asks a queue at the right moment overtakes."""
        self._children: set[_Child] = set()
        self._lacking: dict[Layer, str] | None = None
        """What the children's confinement lacks, by layer, as they said last."""

    async def __aenter__(self) -> Self:
        for _ in range(self._readers):
            self._idle.put_nowait(await self._start())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for child in list(self._children):
            await self._end(child)

    async def read(
        self,
        raw: bytes | RawMailBytes,
        mail_id: uuid.UUID,
        settings: ReadingSettings,
        mode: Mode = Mode.WHOLE,
        *,
        seconds: float,
    ) -> ReadMail:
        """The mail, read in a child within `seconds` of processor time.

        Raises MailExhausted, ReadingFailed for a bug of ours, and whatever the source of `raw` raises.

        A child that died is tried once more with another one: the kernel may have chosen it when something else took
        the machine's memory. One that ran out of its processor time is not, nor one that asked for what is forbidden.
        """
        raw = RawMailBytes.of(raw) if isinstance(raw, bytes) else raw
        head = request(mode, seconds, Order(mail_id, settings), raw.size)
        with _seconds.labels(mode.name.lower()).time():
            try:
                try:
                    verdict, content = await self._ask(head, raw, seconds)
                except _ChildDied as died:
                    _log.warning("reader_died", died_of=str(died), mode=mode.name.lower())
                    verdict, content = await self._ask(head, raw, seconds)
            except _Forbidden as broken:
                _readings.labels(mode.name.lower(), "forbidden").inc()
                _log.error("reader_forbidden", died_of=str(broken), mode=mode.name.lower())
                raise MailExhausted(
                    "Reading the mail asked for a system call that no mail needs: somebody may attack an image library"
                ) from broken
            except (_OutOfTime, _ChildDied) as gone:
                _readings.labels(mode.name.lower(), "killed").inc()
                _log.warning("reader_killed", died_of=str(gone), mode=mode.name.lower())
                raise MailExhausted(
                    f"Reading the mail ended its process: the limits are {seconds} s of processor time and "
                    f"{self._memory_bytes} bytes of memory"
                ) from gone
        return await self._result(verdict, content, mode)

    async def read_head(self, begin: bytes, mail_id: uuid.UUID, settings: ReadingSettings) -> ReadMail:
        """What can be told of a mail that cannot be read whole, from its beginning (SPEC D17).

        Its headers and first text; where these take more than HEAD_SECONDS too, its headers; at worst nothing.
        """
        for mode in (Mode.HEAD, Mode.HEADERS):
            try:
                head = begin[: DEFAULT_LIMITS.head_bytes]
                return await self.read(head, mail_id, settings, mode, seconds=HEAD_SECONDS)
            except (MailExhausted, ReadingFailed) as failed:
                _log.warning("head_unreadable", mode=mode.name.lower(), reason=type(failed).__name__)
        return unread_mail()

    async def _ask(self, head: bytes, raw: RawMailBytes, seconds: float) -> tuple[int, bytes]:
        child = await self._ready_child()
        try:
            child.mails += 1
            async with contextlib.aclosing(raw.pieces()) as pieces:
                async for piece in pieces:  # however long its source takes: that is no mail's fault
                    await self._write(child, head + piece)  # in one, so that the child wakes once for most mails
                    head = b""
            if head:
                await self._write(child, head)
            answered = await self._answered(child, seconds * CLOCK_TO_PROCESSOR)
        except _Gone as gone:
            died_of = await self._replace(child)
            raise _DIED_OF.get(died_of, _ChildDied)(died_of) from gone
        except BaseException:
            await self._replace(child)
            raise
        if child.mails < MAILS_A_CHILD and answered[0] != Verdict.EXHAUSTED:
            self._idle.put_nowait(child)
        else:
            await self._replace(child)
        return answered

    async def _ready_child(self) -> _Child:
        """An idle child, its imports done: the mail's deadline counts from here."""
        async with self._turn:
            child = await self._idle.get()
        try:
            if child is None:
                child = await self._start()
            if not child.ready.done():
                async with asyncio.timeout(START_SECONDS):
                    await asyncio.shield(child.ready)
            child.ready.result()
        except (OSError, asyncio.IncompleteReadError, _ChildDied, ValueError) as failed:
            died_of = await self._replace(child)
            raise NoReader(
                f"No process to read mail can be started ({died_of}): look at the service's standard error, at the "
                "machine's memory and at IMPORTER_READING_MEMORY_MB"
            ) from failed
        except BaseException:
            await self._replace(child)
            raise
        return child

    async def _result(self, verdict: int, content: bytes, mode: Mode) -> ReadMail:
        _readings.labels(mode.name.lower(), Verdict(verdict).name.lower()).inc()
        if verdict == Verdict.EXHAUSTED:
            raise MailExhausted(f"The mail needs more than {self._memory_bytes} bytes of memory, or is nested too deep")
        if verdict == Verdict.FAILED:
            raise ReadingFailed(content[:LONGEST_TRACEBACK].decode("utf-8", "replace"))
        try:
            if len(content) > DECODE_OFF_LOOP_BYTES:
                return await asyncio.to_thread(READ_MAIL.validate_json, content)
            return READ_MAIL.validate_json(content)
        except ValidationError as wrong:  # its text holds what was answered, which is no matter for a log
            raise ReadingFailed(f"the answer is no mail read: {wrong.error_count()} fields are wrong") from None

    async def _start(self) -> _Child:
        """A new child, at work as soon as its imports are done; it gets no more of our environment than it needs."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *self._program,
            str(self._memory_bytes),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={"PATH": os.defpath, "PYTHONPATH": str(_IMPORT_ROOT), "PYTHONSAFEPATH": "1", "PYTHONUTF8": "1"},
        )
        child = _Child(process, asyncio.create_task(self._ready(process)))
        self._children.add(child)
        return child

    async def _ready(self, process: asyncio.subprocess.Process) -> None:
        """Wait until the child is, and tell once how it is confined."""
        _, content = await self._answer(process)
        lacking = LAYERS.validate_json(content)
        if lacking == self._lacking:
            return
        self._lacking = lacking
        for layer, why in lacking.items():
            _confined.labels(layer).set(not why)
        missing = {str(layer): why for layer, why in lacking.items() if why}
        if missing:
            _log.warning("reading_not_confined", lacking=missing)
        else:
            _log.info("reading_confined", layers=[str(layer) for layer in lacking])

    async def _replace(self, child: _Child | None) -> str:
        """Ends a child and puts a new one in its place; what the old one died of."""
        died_of = await self._end(child) if child is not None else "no process could be started"
        successor: _Child | None = None
        try:
            successor = await self._start()
        finally:
            self._idle.put_nowait(successor)  # None: who takes it next tries to start one
        return died_of

    async def _end(self, child: _Child) -> str:
        self._children.discard(child)
        if not child.ready.cancel() and not child.ready.cancelled():
            child.ready.exception()  # looked at, as asyncio wants it; nobody waited for this child
        # QUIRK: asyncio's own kill() reaps a child that has just died, and then does not know what it died of
        if child.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child.process.pid, signal.SIGKILL)
        code = await child.process.wait()
        return signal.Signals(-code).name if code < 0 else f"exit {code}"

    async def _write(self, child: _Child, piece: bytes) -> None:
        """Write a piece of a request. Raises _Gone, and _OutOfTime when the child takes nothing for far too long."""
        if child.process.stdin is None:
            raise AssertionError("a child is started with both pipes")
        try:
            async with asyncio.timeout(STUCK_SECONDS):
                child.process.stdin.write(piece)
                await child.process.stdin.drain()
        except TimeoutError as stuck:
            raise _OutOfTime("it takes no bytes") from stuck
        except (OSError, RuntimeError) as closed:
            # QUIRK: RuntimeError is uvloop's word for the pipe of a child that died while it was idle
            raise _Gone from closed

    async def _answered(self, child: _Child, seconds: float) -> tuple[int, bytes]:
        """The answer to a request. Raises _Gone, _OutOfTime, and _ChildDied for one that no child of ours gives."""
        try:
            async with asyncio.timeout(seconds):
                return await self._answer(child.process)
        except TimeoutError as silent:
            raise _OutOfTime("no answer") from silent
        except (OSError, asyncio.IncompleteReadError) as closed:
            raise _Gone from closed

    async def _answer(self, process: asyncio.subprocess.Process) -> tuple[int, bytes]:
        """The next verdict and its content. Raises _ChildDied for an answer that no child of ours gives."""
        if process.stdout is None:
            raise AssertionError("a child is started with both pipes")
        verdict, size = ANSWER_HEADER.unpack(await process.stdout.readexactly(ANSWER_HEADER.size))
        if size > self._memory_bytes // ANSWER_TIMES or verdict not in _VERDICTS:
            raise _ChildDied("an answer of no known form")
        return verdict, await process.stdout.readexactly(size)
