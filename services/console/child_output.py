"""Where the lines go that supervised services write: together to one stream, or each to a file of its own."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

_CHUNK = 64 * 1024


class ChildOutput(Protocol):
    """Takes what a service writes to its standard output and error."""

    def of(self, service: str) -> AbstractAsyncContextManager[int]:
        """A file descriptor for one run of `service`; everything written to it has arrived when this is left."""
        ...

    def where(self, service: str) -> str:
        """How a sentence says that the service told something: «its log FILE says»."""
        ...


@dataclass(frozen=True, slots=True)
class LogFiles:
    """`FOLDER/SERVICE.log`, appended to; the folder is made when it is not there yet."""

    folder: Path

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)

    @asynccontextmanager
    async def of(self, service: str) -> AsyncIterator[int]:
        """Hand the file itself to the service: nothing of ours stands between them."""
        with (self.folder / f"{service}.log").open("ab") as file:
            yield file.fileno()

    def where(self, service: str) -> str:
        """Name the file."""
        return f"{self.folder / service}.log says"


@dataclass(frozen=True, slots=True)
class OneStream:
    """All lines to one stream, whole; `prefixed` puts the service before each (a log of JSON lines names it itself)."""

    stream: BinaryIO
    prefixed: bool

    @asynccontextmanager
    async def of(self, service: str) -> AsyncIterator[int]:
        """Hand one end of a pipe to the service and forward what comes out at the other."""
        reading, writing = os.pipe()
        forwarding = asyncio.create_task(self._forward(service, reading))
        try:
            yield writing
        finally:
            os.close(writing)
            await forwarding

    def where(self, service: str) -> str:
        """Point to the lines above."""
        return f"its last lines above ({service}) say"

    async def _forward(self, service: str, pipe: int) -> None:
        prefix = f"{service:<13} │ ".encode() if self.prefixed else b""
        reader = asyncio.StreamReader()
        with os.fdopen(pipe, "rb") as file:
            transport, _ = await asyncio.get_running_loop().connect_read_pipe(
                lambda: asyncio.StreamReaderProtocol(reader), file
            )
            try:
                rest = b""
                while chunk := await reader.read(_CHUNK):
                    *lines, rest = (rest + chunk).split(b"\n")
                    self._write(prefix, lines)
                self._write(prefix, [rest] if rest else [])
            finally:
                transport.close()

    def _write(self, prefix: bytes, lines: list[bytes]) -> None:
        self.stream.write(b"".join(prefix + line + b"\n" for line in lines))
        self.stream.flush()
