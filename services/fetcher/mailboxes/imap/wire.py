"""The bytes between us and an IMAP server: checked address, bounded time, bounded memory.

The standard library's reading has no bounds for a literal or a command as a whole; here each command has so many
seconds and bytes, and a server that sends more is left. Nothing that was sent is remembered or logged: it may be a
password.

The private steps of imaplib and IMAPClient are used in this module alone; tests/services/fetcher/mailboxes/
test_imap_wire.py names those it needs, and fails when a new version of a library lacks one.
"""

from __future__ import annotations

import imaplib
import re
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from imapclient import IMAPClient

from services.fetcher.mailboxes.imap import told
from shared import dialogue
from shared.connecting import connect
from shared.dialogue import Step, asking, encryption

OPERATION_SECONDS: Final = 30.0
"""For one operation of the socket: a server that is silent for so long is gone."""
COMMAND_SECONDS: Final = 120.0
"""For a command as a whole, so that a server that sends a byte now and then holds no thread."""
COMMAND_BYTES: Final = 32 * 2**20
"""For all that a server sends in answer to a command, mails included."""
TEXT_BYTES: Final = 2 * 2**20
"""For the lines of an answer, with LINE for each; 500 mails are described in 50 KB, 10,000 folders in 1.5 MB."""
LISTING_BYTES: Final = 12 * 2**20
"""For the lines of an answer that lists mails: the numbers of a million of them are 8 MB."""
LINE: Final = 64
"""What a line counts for beside its bytes, however short it is: it takes that much memory."""
DEPTH: Final = 50
"""Lists within lists; what is asked for has 3. The library follows each into a call of its own."""
WORDS: Final = 2000
"""Characters of what a server says behind OK, NO or BAD that are looked at."""
_CHUNK: Final = 64 * 1024
_KEEPALIVE: Final = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 15),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 4),
)
"""A connection that a firewall forgot is noticed after two minutes, and an idle one is not forgotten so easily."""


class TooMuch(imaplib.IMAP4.abort):
    """The server sent more than anything asked for can be."""


class Ended(imaplib.IMAP4.abort):
    """The server closed the connection."""


def trouble(error: Exception) -> str:
    """What a failed check tells of it."""
    if isinstance(error, Ended):
        return dialogue.ENDED
    if isinstance(error, TooMuch):
        return "too much"
    return dialogue.known_failure(error) or "no IMAP"


class Wire(imaplib.IMAP4):
    """The standard library's protocol engine on our socket."""

    def __init__(self, sock: socket.socket, host: str) -> None:
        self._given = sock
        self._received = bytearray()
        self._searched = 0
        self._asked: dict[bytes, Step] = {}
        """By tag, what is not answered yet."""
        self.allow()
        super().__init__(host)

    def allow(self, *, seconds: float = COMMAND_SECONDS, size: int = COMMAND_BYTES, text: int = TEXT_BYTES) -> None:
        """From now on, so much time and so many bytes, of which `text` in lines."""
        self._deadline = time.monotonic() + seconds
        self._allowed = size
        self._text_allowed = text

    def open(self, host: str = "", port: int = 0, timeout: float | None = None) -> None:
        """Take the socket that we were made with."""
        del timeout
        self.host, self.port = host, port
        self.sock = self._given

    def read(self, size: int) -> bytes:
        """So many bytes (a literal)."""
        if size > self._allowed + len(self._received):
            raise TooMuch(f"a literal of {size} bytes")
        while len(self._received) < size:
            self._receive()
        return self._take(size)

    def readline(self) -> bytes:
        """A line; nothing when the connection ended."""
        while (end := self._received.find(b"\n", self._searched)) < 0:
            self._searched = len(self._received)
            if self._searched > self._text_allowed:
                raise TooMuch("an endless line")
            self._receive()
        line = self._take(end + 1)
        self._text_allowed -= len(line) + LINE
        if self._text_allowed < 0:
            raise TooMuch("an endless answer")
        if line.count(b"(") > DEPTH and _depth(line) > DEPTH:
            raise TooMuch("lists within lists without end")
        # QUIRK: a server may end a line with LF alone (RFC 3501 §2.2 wants CRLF), and imaplib gives up over it
        return line if line.endswith(b"\r\n") else line[:-1] + b"\r\n"

    def send(self, data: Any) -> None:
        """Send it all."""
        self._set_timeout()
        self.sock.sendall(data)

    def starttls(self, ssl_context: ssl.SSLContext | None = None) -> Any:
        """Go on in TLS. What came in the clear behind the answer is no part of it (CVE-2011-0411)."""
        typ, data = self._simple_command("STARTTLS")
        if typ == "OK":
            if self._received or ssl_context is None:
                raise self.abort("data in the clear behind STARTTLS")
            self._set_timeout()
            self.sock = _encrypted(self.sock, self.host, ssl_context)
        return typ, data

    def shutdown(self) -> None:
        """Close the connection."""
        with suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()

    # ── a command and its answer: imaplib's own steps, one at a time, so that commands can be pipelined

    def begin(self, *words: str | bytes | None) -> bytes:
        """Send a command without waiting for its answer; its tag."""
        name, *arguments = words
        return self._command(str(name), *arguments)

    def answer(self, tag: bytes) -> tuple[str, str]:
        """Wait for the answer to a command: OK, NO or BAD, and the text behind it."""
        typ, data = self._get_tagged_response(tag)
        said = b" ".join(line for line in data if isinstance(line, bytes)).decode("utf-8", "replace")
        words = " ".join(said.split())
        # a word that is cut off may be the beginning of a secret, which nothing would then leave out
        return typ, words if len(words) <= WORDS else words[:WORDS].rpartition(" ")[0]

    def is_answered(self, tag: bytes) -> bool:
        """Whether the answer to a command was received, and not yet taken."""
        return bool(self.tagged_commands.get(tag))

    def is_continued(self, tag: bytes) -> bool:
        """Wait until the server goes on with a command (`+`, RFC 3501 §7.5): False when it answers instead."""
        try:
            while self._get_response() is not None:
                if self.is_answered(tag):
                    return False
        except Exception as error:
            self._answered(tag, self._trouble(error))
            raise
        return True

    def read_lines(self) -> None:
        """Take what was received in whole lines."""
        while b"\n" in self._received:
            self._get_response()

    def take(self, name: str) -> list[bytes]:
        """The untagged responses of this name, once; literals are left out."""
        return [line for line in self.untagged_responses.pop(name, []) if isinstance(line, bytes)]

    def authenticate_by(self, mechanism: str, initial: bytes | None, respond: Callable[[bytes], bytes]) -> bytes:
        """Send AUTHENTICATE; what `respond` makes of a challenge, already in base64, is the answer to it. The tag."""
        self.literal = respond  # type: ignore[assignment] # imaplib asks it for each continuation, if it is a method
        return self.begin("AUTHENTICATE", mechanism, initial)

    # ── what is told of it where the check fails

    def _command(self, name: str, *args: str | bytes | None) -> bytes:
        """Send a command."""
        step = dialogue.ask(told.asked(name, args))
        try:
            tag: bytes = super()._command(name, *args)  # type: ignore[misc] # typeshed hides it
        except Exception as error:
            step.end(self._trouble(error))
            raise
        self._asked[tag] = step
        return tag

    def _get_tagged_response(self, tag: bytes, expect_bye: bool = False) -> Any:  # noqa: FBT001, FBT002 - imaplib's
        """Wait for the answer to a command."""
        try:
            typ, data = super()._get_tagged_response(tag, expect_bye)  # type: ignore[misc] # typeshed hides it
        except Exception as error:
            self._answered(tag, self._trouble(error))
            raise
        said = data[-1] if data and isinstance(data[-1], bytes) else b""
        self._answered(tag, told.came(typ, said[: told.LOOKED_AT].decode("ascii", "replace")))
        return typ, data

    def _answered(self, tag: bytes, came: str) -> None:
        if (step := self._asked.pop(tag, None)) is not None:
            step.end(came)

    def _trouble(self, error: Exception) -> str:
        goodbye = [line for line in self.untagged_responses.get("BYE", []) if isinstance(line, bytes)]
        if goodbye:
            return told.came("BYE", goodbye[-1][: told.LOOKED_AT].decode("ascii", "replace"))
        return trouble(error)

    def take_in(self) -> None:
        """Receive what is there without waiting: what made the socket readable may be no data but TLS's own."""
        self._set_timeout()
        self.sock.settimeout(0)
        try:
            while data := self.sock.recv(_CHUNK):
                self._add(data)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        raise Ended("the connection ended")

    def _receive(self) -> None:
        self._set_timeout()
        data = self.sock.recv(_CHUNK)
        if not data:
            raise Ended("the connection ended")
        self._add(data)

    def _add(self, data: bytes) -> None:
        self._allowed -= len(data)
        if self._allowed < 0:
            raise TooMuch("an endless answer")
        self._received += data

    def _take(self, size: int) -> bytes:
        taken = bytes(self._received[:size])
        del self._received[:size]
        self._searched = 0
        return taken

    def _set_timeout(self) -> None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the command took too long")
        self.sock.settimeout(min(left, OPERATION_SECONDS))

    def _log(self, line: str) -> None:
        """Keep nothing of what was said."""


class Client(IMAPClient):  # type: ignore[misc]
    """IMAPClient on our wire, without its logging of what is said."""

    _imap: Wire

    def __init__(self, sock: socket.socket, host: str, *, tls: bool) -> None:
        self._given = sock
        super().__init__(host, ssl=tls)
        self.normalise_times = False
        self._imap.debug = 0

    def forget_capabilities(self) -> None:
        """They change with TLS and with the login; those that came with the answer to it count."""
        self._cached_capabilities = None

    @property
    def wire(self) -> Wire:
        """What it speaks through."""
        return self._imap

    def _create_IMAP4(self) -> Wire:  # noqa: N802 - IMAPClient's
        return Wire(self._given, self.host)

    def _set_read_timeout(self) -> None:
        """The wire sets its own."""


def _depth(line: bytes) -> int:
    """How deep lists lie within lists, brackets within strings counted too."""
    deepest = depth = 0
    for bracket in re.finditer(rb"[()]", line):
        depth = depth + 1 if bracket[0] == b"(" else max(depth - 1, 0)
        deepest = max(deepest, depth)
    return deepest


def open_socket(host: str, port: int, context: ssl.SSLContext | None) -> socket.socket:
    """A connected socket, in TLS with `context`. Raises ForbiddenAddress, OSError and ssl.SSLError."""
    sock = connect(host, port, OPERATION_SECONDS)
    try:
        for level, option, value in _KEEPALIVE:
            sock.setsockopt(level, option, value)
        return sock if context is None else _encrypted(sock, host, context)
    except BaseException:
        sock.close()
        raise


def _encrypted(sock: socket.socket, host: str, context: ssl.SSLContext) -> ssl.SSLSocket:
    with asking("TLS") as step:
        encrypted = context.wrap_socket(sock, server_hostname=host)
        step.came = encryption(encrypted)
    return encrypted
