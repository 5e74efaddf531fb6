"""Lines between the importer and its servers, on which connections are dropped, stalled and refused.

A line relays what it gets. It knows whose a connection is by the name in the first bytes: a service logs in to RabbitMQ
and to PostgreSQL by the name `importer_<service>`.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self

_CHUNK: Final = 64 * 1024
_LOGIN: Final = re.compile(rb"importer_(fetcher|classifier|ticket_writer|notifier)\b")
_LOGIN_WITHIN: Final = 4096
"""Bytes from the client, in which his name has come by."""
_CONNECT_SECONDS: Final = 5.0


@dataclass(eq=False, slots=True)
class _Connection:
    """One relayed connection; `open` is cleared while it is stalled."""

    task: asyncio.Task[None]
    owner: str
    open: asyncio.Event = field(default_factory=asyncio.Event)
    beginning: bytes = b""

    def hears(self, data: bytes) -> None:
        """Learn from the client's first bytes whose connection it is."""
        if len(self.beginning) < _LOGIN_WITHIN:
            self.beginning += data
            if name := _LOGIN.search(self.beginning):
                self.owner = name[1].decode("ascii")
                self.beginning = bytes(_LOGIN_WITHIN)


@dataclass(slots=True)
class Line:
    """A relay on a loopback port to the first of `upstream` (host, port) that answers, each in its turn.

    `owner` is whose connections are of which no name is heard.
    """

    upstream: Sequence[tuple[str, int]]
    owner: str = ""
    port: int = 0
    _server: asyncio.Server | None = None
    _connections: set[_Connection] = field(default_factory=set)
    _stalled: set[str] = field(default_factory=set)
    _refused: set[str] = field(default_factory=set)
    _turn: Iterator[int] = field(default_factory=itertools.count)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._relay, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        ended = [connection.task for connection in self._connections]
        for task in ended:
            task.cancel()
        await asyncio.gather(*ended, return_exceptions=True)

    def drop(self, owner: str) -> int:
        """End all connections of `owner` without a word; how many there were."""
        his = [connection for connection in self._connections if connection.owner == owner]
        for connection in his:
            connection.task.cancel()
        return len(his)

    @contextlib.contextmanager
    def stalled(self, owner: str) -> Iterator[None]:
        """Within this block nothing arrives on the connections of `owner`; all of it does afterwards."""
        self._stalled.add(owner)
        self._let_pass()
        try:
            yield
        finally:
            self._stalled.discard(owner)
            self._let_pass()

    @contextlib.contextmanager
    def refused(self, owner: str) -> Iterator[None]:
        """Within this block connections of `owner` end, those that he has and those that he makes."""
        self._refused.add(owner)
        self.drop(owner)
        try:
            yield
        finally:
            self._refused.discard(owner)

    def _let_pass(self) -> None:
        for connection in self._connections:
            if connection.owner in self._stalled:
                connection.open.clear()
            else:
                connection.open.set()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connection = _Connection(task, self.owner)
        self._connections.add(connection)
        self._let_pass()
        try:
            with contextlib.suppress(OSError, asyncio.CancelledError, TimeoutError):
                there, back = await self._connect()
                try:
                    await self._pump_both(connection, (reader, back), (there, writer))
                finally:
                    back.transport.abort()
        finally:
            writer.transport.abort()
            self._connections.discard(connection)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        first = next(self._turn)
        error: Exception = OSError("nowhere to connect to")
        for place in range(len(self.upstream)):
            host, port = self.upstream[(first + place) % len(self.upstream)]
            try:
                async with asyncio.timeout(_CONNECT_SECONDS):
                    return await asyncio.open_connection(host, port)
            except (OSError, TimeoutError) as trouble:
                error = trouble
        raise error

    async def _pump_both(
        self, connection: _Connection, *directions: tuple[asyncio.StreamReader, asyncio.StreamWriter]
    ) -> None:
        (client, to_server), (server, to_client) = directions
        ends = (
            asyncio.ensure_future(self._pump(connection, client, to_server, is_client=True)),
            asyncio.ensure_future(self._pump(connection, server, to_client, is_client=False)),
        )
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()

    async def _pump(
        self, connection: _Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_client: bool
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(_CHUNK):
                if is_client:
                    self._hear(connection, data)
                    if connection.owner in self._refused:
                        return
                await connection.open.wait()
                writer.write(data)
                await writer.drain()

    def _hear(self, connection: _Connection, data: bytes) -> None:
        before = connection.owner
        connection.hears(data)
        if connection.owner != before:
            self._let_pass()
