"""The parent's side: warm child processes that read mails, each for itself, ended at their limits (DESIGN 10).

    async with ReaderPool(readers=2, …) as pool:
        read = await pool.read(raw, mail_id, settings, seconds=5)          # ReadMail, or MailExhausted

One mail never takes another with it: a child that dies, by its limits or by a bug in a decoder, is replaced. A child is
retired after some hundreds of mails, so that nothing that leaks adds up, and that who took it over by a bug in a
decoder sees no more of them. He writes its answers: these are bounded, and taken for a mail read only where they have
the form of one. He may lift the limit of processor time, which is set anew for each mail, but not our clock. A child is
forked within milliseconds (`children`); after one that died by itself, those to come are of a new fork server.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import uuid
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

import structlog
from prometheus_client import Counter, Gauge, Histogram
from pydantic import ValidationError

from services.classifier.reading.children import Child, ForkServer, NotBorn, how_it_ended
from services.classifier.reading.confinement import Layer
from services.classifier.reading.frames import (
    ANSWER_HEADER,
    LAYERS,
    PICTURE_HEADER,
    Answer,
    Mode,
    Order,
    Verdict,
    request,
)
from services.classifier.reading.limits import DEFAULT_LIMITS
from services.classifier.reading.unread import unread_mail
from services.classifier.reading.values import ReadingSettings, ReadMail
from shared.errors import ImporterError, Outage

MAILS_A_CHILD: Final = 200
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
MOST_PICTURES: Final = 3 * DEFAULT_LIMITS.images
"""Of an answer: each image with its two copies."""
LONGEST_TRACEBACK: Final = 64 * 1024
_VERDICTS: Final = frozenset(Verdict)
READER: Final = ("-W", "ignore", "-m", "services.classifier.reading")

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
class _Reader:
    """A child, or one that is being born."""

    server: ForkServer
    ready: asyncio.Task[Child]
    """Done when the child has been born and is confined."""
    mails: int = 0


class NoReader(Outage):
    """No child process comes up: no mail is to blame, and none is lost by waiting."""


class _ChildDied(ImporterError):
    """A child ended by itself, or by the kernel, while it read; the text names the signal or exit code."""


class _Gone(ImporterError):
    """A child's connection is closed: what it died of is still to be looked up."""


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
        self._idle: asyncio.Queue[_Reader | None] = asyncio.Queue()
        self._turn = asyncio.Lock()
        """One waits for a child at a time, in the order of asking: who asks a queue at the right moment overtakes."""
        self._children: set[_Reader] = set()
        self._server: ForkServer | None = None
        """Of the children to come."""
        self._servers: set[ForkServer] = set()
        self._starting = asyncio.Lock()
        self._lacking: dict[Layer, str] | None = None
        """What the children's confinement lacks, by layer, as they said last."""

    async def __aenter__(self) -> Self:
        for _ in range(self._readers):
            self._idle.put_nowait(await self._start())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for reader in list(self._children):
            await self._end(reader)
        for server in list(self._servers):
            await server.end()

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
                    answer = await self._ask(head, raw, seconds)
                except _ChildDied as died:
                    _log.warning("reader_died", died_of=str(died), mode=mode.name.lower())
                    answer = await self._ask(head, raw, seconds)
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
        return await self._result(answer, mode)

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

    async def _ask(self, head: bytes, raw: RawMailBytes, seconds: float) -> Answer:
        reader, child = await self._ready_child()
        try:
            reader.mails += 1
            async with contextlib.aclosing(raw.pieces()) as pieces:
                async for piece in pieces:  # however long its source takes: that is no mail's fault
                    await self._write(child, head + piece)  # in one, so that the child wakes once for most mails
                    head = b""
            if head:
                await self._write(child, head)
            answered = await self._answered(child, seconds * CLOCK_TO_PROCESSOR)
        except _Gone as gone:
            child.kill()  # one that ends keeps its reason; one that only closed its connection has none
            died_of = how_it_ended(await child.died)
            await self._replace(reader, distrusted=died_of != signal.SIGXCPU.name)
            raise _DIED_OF.get(died_of, _ChildDied)(died_of) from gone
        except _ChildDied:
            await self._replace(reader, distrusted=True)
            raise
        except BaseException:
            await self._replace(reader)
            raise
        if reader.mails < MAILS_A_CHILD and answered.verdict != Verdict.EXHAUSTED:
            self._idle.put_nowait(reader)
        else:
            await self._replace(reader)
        return answered

    async def _ready_child(self) -> tuple[_Reader, Child]:
        """One that is idle, and confined: the mail's deadline counts from here."""
        async with self._turn:
            reader = await self._idle.get()
        try:
            if reader is None:
                reader = await self._start()
            if not reader.ready.done():
                async with asyncio.timeout(START_SECONDS):
                    await asyncio.shield(reader.ready)
            return reader, reader.ready.result()
        except (OSError, NotBorn) as failed:
            await self._replace(reader, distrusted=True)
            raise NoReader(
                f"No process to read mail can be started ({str(failed) or 'it says nothing'}): look at the service's "
                "standard error, at the machine's memory and at IMPORTER_READING_MEMORY_MB"
            ) from failed
        except BaseException:
            await self._replace(reader)
            raise

    async def _result(self, answer: Answer, mode: Mode) -> ReadMail:
        _readings.labels(mode.name.lower(), Verdict(answer.verdict).name.lower()).inc()
        if answer.verdict == Verdict.EXHAUSTED:
            raise MailExhausted(f"The mail needs more than {self._memory_bytes} bytes of memory, or is nested too deep")
        if answer.verdict == Verdict.FAILED:
            raise ReadingFailed(answer.content[:LONGEST_TRACEBACK].decode("utf-8", "replace"))
        try:
            if len(answer.content) > DECODE_OFF_LOOP_BYTES:
                return await asyncio.to_thread(answer.mail)
            return answer.mail()
        except ValidationError as wrong:  # its text holds what was answered, which is no matter for a log
            raise ReadingFailed(f"the answer is no mail read: {wrong.error_count()} fields are wrong") from None

    async def _start(self) -> _Reader:
        """A new child; who takes it waits until it is ready."""
        async with self._starting:
            if self._server is None:
                self._server = await ForkServer.start((*self._program, str(self._memory_bytes)))
                self._servers.add(self._server)
        server = self._server
        reader = _Reader(server, asyncio.create_task(self._born(server), name="starts a process that reads mail"))
        self._children.add(reader)
        return reader

    async def _born(self, server: ForkServer) -> Child:
        """A child that is confined; tells once how. Raises NotBorn."""
        child = await server.fork()
        try:
            lacking = LAYERS.validate_json((await self._answer(child)).content)
        except (OSError, asyncio.IncompleteReadError, _ChildDied, ValueError) as failed:
            child.kill()
            raise NotBorn(how_it_ended(await child.died)) from failed
        except BaseException:
            child.kill()
            raise
        self._tell_of_confinement(lacking)
        return child

    def _tell_of_confinement(self, lacking: dict[Layer, str]) -> None:
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

    async def _replace(self, reader: _Reader | None, *, distrusted: bool = False) -> None:
        """End a child and put a new one in its place: of another fork server, where this one is distrusted."""
        if reader is not None:
            await self._end(reader)
            if distrusted and reader.server is self._server:
                self._server = None
                self._servers.discard(reader.server)
                reader.server.retire()
        successor: _Reader | None = None
        try:
            successor = await self._start()
        finally:
            self._idle.put_nowait(successor)  # None: who takes it next tries to start one

    async def _end(self, reader: _Reader) -> None:
        self._children.discard(reader)
        reader.ready.cancel()
        await asyncio.wait([reader.ready])
        if not reader.ready.cancelled() and reader.ready.exception() is None:
            child = reader.ready.result()
            child.kill()
            await child.died

    async def _write(self, child: Child, piece: bytes) -> None:
        """Write a piece of a request. Raises _Gone, and _OutOfTime when the child takes nothing for far too long."""
        try:
            async with asyncio.timeout(STUCK_SECONDS):
                child.requests.write(piece)
                await child.requests.drain()
        except TimeoutError as stuck:
            raise _OutOfTime("it takes no bytes") from stuck
        except (OSError, RuntimeError) as closed:
            # QUIRK: RuntimeError is uvloop's word for the connection of a child that died while it was idle
            raise _Gone from closed

    async def _answered(self, child: Child, seconds: float) -> Answer:
        """The answer to a request. Raises _Gone, _OutOfTime, and _ChildDied for one that no child of ours gives."""
        try:
            async with asyncio.timeout(seconds):
                return await self._answer(child)
        except TimeoutError as silent:
            raise _OutOfTime("no answer") from silent
        except (OSError, asyncio.IncompleteReadError) as closed:
            raise _Gone from closed

    async def _answer(self, child: Child) -> Answer:
        """The next answer. Raises _ChildDied for an answer that no child of ours gives."""
        read = child.answers.readexactly
        verdict, size, count, left = ANSWER_HEADER.unpack(await read(ANSWER_HEADER.size))
        if size + left > self._memory_bytes // ANSWER_TIMES or count > MOST_PICTURES or verdict not in _VERDICTS:
            raise _ChildDied("an answer of no known form")
        answer = Answer(verdict, await read(size))
        for _ in range(count):
            (length,) = PICTURE_HEADER.unpack(await read(PICTURE_HEADER.size))
            left -= length
            if left < 0:
                raise _ChildDied("more bytes of pictures than were announced")
            answer.pictures.append(await read(length))
        return answer
