"""A virus scanner for tests: clamd's protocol (PING, INSTREAM) on a socket, with signatures that a test names."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class Clamd:
    """What it knows: `signatures` by their bytes, and how long a stream may be; `scanned` is what it was shown."""

    signatures: dict[bytes, str] = field(default_factory=dict)
    longest: int = 10**6
    broken: bool = False
    """Answers with an error of its own."""
    silent: bool = False
    """Says nothing at all."""
    scanned: list[bytes] = field(default_factory=list)
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            command = await reader.readuntil(b"\x00")
            if self.silent:
                await reader.read()
            elif command == b"zPING\x00":
                writer.write(b"PONG\x00")
            elif command == b"zINSTREAM\x00":
                writer.write(await self._verdict(reader))
            else:
                writer.write(b"UNKNOWN COMMAND\x00")
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _verdict(self, reader: asyncio.StreamReader) -> bytes:
        content = b""
        while size := struct.unpack(">I", await reader.readexactly(4))[0]:
            content += await reader.readexactly(size)
            if len(content) > self.longest:
                return b"INSTREAM size limit exceeded. ERROR\x00"
        self.scanned.append(content)
        if self.broken:
            return b"Can't allocate memory ERROR\x00"
        named = next((name for signature, name in self.signatures.items() if signature in content), None)
        return f"stream: {named} FOUND\x00".encode() if named else b"stream: OK\x00"


@asynccontextmanager
async def clamd(path: str | None = None) -> AsyncIterator[Clamd]:
    """A running scanner on a Unix socket at `path`, else on a port of the loopback."""
    scanner = Clamd()
    if path is not None:
        server = await asyncio.start_unix_server(scanner.serve, path)
        scanner.url = f"unix://{path}"
    else:
        server = await asyncio.start_server(scanner.serve, "127.0.0.1", 0)
        scanner.url = f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield scanner
    finally:
        server.close()
        await server.wait_closed()
