"""The virus scanner that looks at images before they are stored, where an installation has one (clamd, INSTREAM).

    scanner = Scanner("tcp://clamd:3310")
    finding = await scanner.scan(content)          # None: clean

clamd is asked over TCP or a Unix socket, a connection for each image: `zINSTREAM`, pieces with their lengths, an empty
piece; it answers `stream: OK`, `stream: NAME FOUND`, or an error (clamd(8), COMMANDS). While it is away no mail is to
blame and none goes on unscanned: the queue waits. An image that it does not take, being too large for its
StreamMaxLength, counts as found: what was not scanned is not stored.
"""

from __future__ import annotations

import asyncio
import re
import struct
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from services.classifier.reading.mime.safe_text import safe_line
from shared.errors import Outage, TryAgain

_PIECE: Final = 64 * 1024
_LONGEST_ANSWER: Final = 4 * 1024
_AT_ONCE: Final = 4
_FOUND: Final = re.compile(r"stream: (.{1,200}) FOUND")
_TOO_LARGE: Final = "size limit exceeded"


class ScannerAway(Outage):
    """The virus scanner does not answer: start it, or look at IMPORTER_CLAMD_URL."""


class ScannerFailed(TryAgain):
    """The virus scanner answered with an error of its own; its log says more."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Why an image is not stored: in words for the ticket's history."""

    reason: str


class Scanner:
    """A clamd at `tcp://host:port` or `unix:///path`; each answer must come within `seconds`."""

    def __init__(self, url: str, *, seconds: float = 60) -> None:
        self._address = urlsplit(url)
        self._seconds = seconds
        self._at_once = asyncio.Semaphore(_AT_ONCE)

    async def check(self) -> None:
        """Raises ScannerAway while the scanner does not answer."""
        if (answer := await self._ask(b"zPING\x00")) != "PONG":
            raise ScannerAway(f"What answers at IMPORTER_CLAMD_URL is no clamd: {answer[:100]!r}")

    async def scan(self, content: bytes) -> Finding | None:
        """What the scanner says against these bytes. Raises ScannerAway, and ScannerFailed for an error of its own."""
        async with self._at_once:
            try:
                answer = await self._ask(b"zINSTREAM\x00", content)
            except _HungUp:
                await self.check()  # it is there, so it was the image that it did not want
                answer = _TOO_LARGE
        if answer == "stream: OK":
            return None
        if virus := _FOUND.fullmatch(answer):
            return Finding(f"de virusscanner vond «{safe_line(virus[1], 100)}»")
        if _TOO_LARGE in answer:
            return Finding("de virusscanner neemt een bestand van deze grootte niet aan")
        raise ScannerFailed(f"The virus scanner said: {safe_line(answer, 200)}")

    async def _ask(self, command: bytes, content: bytes | None = None) -> str:
        try:
            async with asyncio.timeout(self._seconds):
                reader, writer = await self._connect()
                try:
                    answer = await _exchange(reader, writer, command, content)
                finally:
                    writer.close()
        except TimeoutError as error:
            if content is None:
                raise ScannerAway(f"The virus scanner says nothing for {self._seconds} s") from error
            raise ScannerFailed(f"The virus scanner took more than {self._seconds} s for one image") from error
        except OSError as error:
            raise ScannerAway(f"The virus scanner at IMPORTER_CLAMD_URL does not answer: {error}") from error
        except _HungUp as error:
            if content is not None:
                raise
            raise ScannerAway("The virus scanner closes the connection: its log says why") from error
        if not answer:
            raise ScannerAway("The virus scanner closed the connection without an answer: its log says why")
        return answer.rstrip(b"\x00\n").decode("utf-8", "replace")

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._address.scheme == "unix":
            return await asyncio.open_unix_connection(self._address.path)
        return await asyncio.open_connection(self._address.hostname, self._address.port)


async def _answer(reader: asyncio.StreamReader) -> bytes:
    """Up to the NUL that ends it, or the end of the connection; no more than _LONGEST_ANSWER of it.

    The whole of it: «stream: OK» may be the beginning of what was found.
    """
    answer = b""
    while b"\x00" not in answer and len(answer) < _LONGEST_ANSWER:
        piece = await reader.read(_LONGEST_ANSWER)
        if not piece:
            break
        answer += piece
    return answer.partition(b"\x00")[0][:_LONGEST_ANSWER]


class _HungUp(Exception):
    """The scanner closed the connection amid the stream."""


async def _exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, command: bytes, content: bytes | None
) -> bytes:
    """QUIRK: clamd answers and closes as soon as a stream is too long; its answer may be lost with the connection."""
    try:
        writer.write(command)
        if content is not None:
            for start in range(0, len(content), _PIECE):
                piece = content[start : start + _PIECE]
                writer.write(struct.pack(">I", len(piece)) + piece)
                await writer.drain()
            writer.write(struct.pack(">I", 0))
        await writer.drain()
        return await _answer(reader)
    except (BrokenPipeError, ConnectionResetError) as error:
        raise _HungUp from error
