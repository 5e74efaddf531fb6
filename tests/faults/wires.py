"""Wires between a service and its servers: they let everything pass, until a trap holds the moment of a fault still.

A wire is a relay on a loopback port. A trap recognises a moment by what passes (`protocols`) and holds that back, and
all behind it on the same connection: what the service sends never arrives, what the server answers is never heard. So
every mail of a batch can be brought to the same moment before the service is killed there, and no timing is involved.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self

from tests.faults.protocols import Eyes, Seen, Unit, What

_CHUNK: Final = 64 * 1024


Matches = Callable[[tuple[str, ...]], bool]
"""Whether a moment is meant, by `Seen.of`."""


def naming(marker: str) -> Matches:
    """Moments that name `marker`; the empty one: all."""
    return lambda of: not marker or any(marker in each for each in of)


@dataclass(slots=True)
class Trap:
    """Holds back each `what` that `matches`; `count` of them are awaited."""

    what: What
    matches: Matches
    count: int
    caught: int = 0

    async def is_reached(self) -> bool:
        """Whether all are held at the moment."""
        return self.caught >= self.count

    def catches(self, seen: Seen) -> bool:
        """Whether this is held back."""
        if seen.what is not self.what or not self.matches(seen.of):
            return False
        self.caught += seen.times
        return True


@dataclass(slots=True)
class Wire:
    """A relay to `upstream` (host, port), listening on `port`."""

    upstream: tuple[str, int]
    eyes: Callable[[], Eyes]
    port: int = 0
    deliveries: int = 0
    """How many messages the broker has delivered on this wire so far."""
    _trap: Trap | None = None
    _server: asyncio.Server | None = None
    _connections: dict[asyncio.Task[None], Eyes] = field(default_factory=dict)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._relay, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for relaying in self._connections:
            relaying.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    @contextlib.contextmanager
    def trap(self, what: What, matches: Matches, *, count: int = 1) -> Iterator[Trap]:
        """Hold such moments back within this block; what was held stays so until its connection ends."""
        self._trap = Trap(what, matches, count)
        try:
            yield self._trap
        finally:
            self._trap = None

    @property
    def unacknowledged(self) -> int:
        """Messages in the hands of who is connected now."""
        return sum(eyes.unacknowledged for eyes in self._connections.values())

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        eyes = self._connections[task] = self.eyes()
        with contextlib.suppress(OSError, asyncio.CancelledError):
            try:
                there, back = await asyncio.open_connection(*self.upstream)
                try:
                    async with asyncio.TaskGroup() as both:
                        ends = (
                            both.create_task(self._pump(reader, back, eyes.from_client)),
                            both.create_task(self._pump(there, writer, eyes.from_server)),
                        )
                        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
                        for end in ends:
                            end.cancel()
                finally:
                    back.transport.abort()
            finally:
                writer.transport.abort()
                del self._connections[task]

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, look: Callable[[bytes], Iterator[Unit]]
    ) -> None:
        held = False
        with contextlib.suppress(OSError):
            while data := await reader.read(_CHUNK):
                for unit, seen in look(data):
                    if seen is not None:
                        self.deliveries += seen.what is What.DELIVER
                        held = held | (self._trap is not None and self._trap.catches(seen))
                    if not held:
                        writer.write(unit)
                await writer.drain()
