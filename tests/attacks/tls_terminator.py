"""What stands between us and a real server: it shows a certificate of its own, and passes on what it hears."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from tests.attacks.raw_server import RawServer

_SSL_REQUEST: Final = 8
"""Bytes by which a client asks PostgreSQL for TLS («Frontend/Backend Protocol», SSL Session Encryption)."""


@dataclass(slots=True)
class Terminator:
    """Listens on 127.0.0.1:`port`; `heard` are the bytes that a client said in confidence."""

    port: int = 0
    heard: int = 0


@contextmanager
def terminator(port: int, tls: ssl.SSLContext | None, *, asked: bool = False) -> Iterator[Terminator]:
    """Before 127.0.0.1:`port`. `asked`: TLS begins as PostgreSQL's does; without `tls` it is refused there."""
    between = Terminator()

    def serve(connection: socket.socket) -> None:
        if asked:
            connection.recv(_SSL_REQUEST, socket.MSG_WAITALL)
            connection.sendall(b"N" if tls is None else b"S")
            if tls is not None:
                connection = tls.wrap_socket(connection, server_side=True)
        with connection, socket.create_connection(("127.0.0.1", port)) as server:
            back = threading.Thread(target=pass_on, args=[server, connection], daemon=True)
            back.start()
            pass_on(connection, server, counted=True)
            back.join()

    def pass_on(from_: socket.socket, to: socket.socket, *, counted: bool = False) -> None:
        with contextlib.suppress(OSError):
            while data := from_.recv(65536):
                between.heard += len(data) if counted else 0
                to.sendall(data)
        with contextlib.suppress(OSError):
            to.shutdown(socket.SHUT_RDWR)

    with RawServer(serve, None if asked else tls) as listening:
        between.port = listening.port
        yield between
