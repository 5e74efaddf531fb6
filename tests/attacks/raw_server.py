"""A server of a test that says what it likes, to whoever connects, byte by byte."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Final, Self

CHUNK: Final = 64 * 1024

Script = Callable[[socket.socket], None]


class RawServer:
    """Runs `script` in a thread for each connection, in TLS with `tls`; its socket ends with it."""

    def __init__(self, script: Script, tls: ssl.SSLContext | None = None) -> None:
        self._script = script
        self._tls = tls
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: Final[int] = self._listening.getsockname()[1]
        self._stopped = threading.Event()
        self._open: list[socket.socket] = []

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stopped.set()
        for each in [self._listening, *self._open]:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def drip(self, text: bytes, connection: socket.socket) -> None:
        """A byte now and then, for as long as somebody listens."""
        for at in range(len(text)):
            connection.sendall(text[at : at + 1])
            if self._stopped.wait(0.05):
                return

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while not self._stopped.is_set():
                connection, _ = self._listening.accept()
                self._open.append(connection)
                threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError):
            spoken = connection if self._tls is None else self._tls.wrap_socket(connection, server_side=True)
            with spoken:
                self._script(spoken)


def lines(connection: socket.socket) -> Iterator[bytes]:
    """What the other side says, line by line."""
    with connection.makefile("rb") as received:
        yield from received


def send(connection: socket.socket, pieces: Iterator[bytes]) -> None:
    """Say all of it, in larger pieces."""
    held = bytearray()
    for piece in pieces:
        held += piece
        if len(held) >= CHUNK:
            connection.sendall(held)
            held.clear()
    connection.sendall(held)
