"""A way to a server that can be cut and mended: for whoever goes by it, a server that dies and comes back."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self

_CHUNK: Final = 64 * 1024


@dataclass(slots=True)
class Relay:
    """Passes everything on to `upstream` (host, port) and back, at `port` of 127.0.0.1, until it is cut."""

    upstream: tuple[str, int]
    port: int = 0
    _server: asyncio.Server | None = None
    _connections: set[asyncio.Task[None]] = field(default_factory=set)

    async def cut(self) -> None:
        """End every connection, and refuse new ones."""
        assert self._server is not None
        self._server.close()
        for connection in tuple(self._connections):
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def mend(self) -> None:
        """Take connections, at the same port as before."""
        self._server = await asyncio.start_server(self._relay, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def __aenter__(self) -> Self:
        await self.mend()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.cut()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            with contextlib.suppress(OSError):
                there, back = await asyncio.open_connection(*self.upstream)
                try:
                    await asyncio.wait(
                        [asyncio.create_task(_pump(reader, back)), asyncio.create_task(_pump(there, writer))],
                        return_when=asyncio.FIRST_COMPLETED,
                    )
                finally:
                    back.transport.abort()
        finally:
            writer.transport.abort()
            self._connections.discard(task)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
