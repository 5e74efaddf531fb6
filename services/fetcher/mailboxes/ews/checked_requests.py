"""The connections of `requests`, and so of exchangelib, by `shared.connecting`: mount it on a session for both schemes.

A proxy from the environment is not used, for the reason that stands there.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from shared import dialogue
from shared.connecting import connect
from shared.dialogue import Step

CONNECT_SECONDS: Final = 30.0
"""For connecting, where the caller gave no time-out."""


class CheckedAdapter(HTTPAdapter):
    """An adapter whose connections go to checked addresses; a request raises ForbiddenAddress for another one."""

    _latest: socket.socket | None = None

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Have the pools open our connections."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> HTTPConnectionPool:
        """Have each connection tell of its socket."""
        pool = super().get_connection_with_tls_context(*args, **kwargs)
        pool.conn_kw["connected"] = self._connected
        return pool

    def abort(self) -> None:
        """Cut off the latest connection, from any thread: whoever waits for it gets an error, or an end."""
        if self._latest is not None:
            with suppress(OSError):  # it is closed already
                # QUIRK: with writing shut down too, OpenSSL 3.5 cannot send its alert, and Python 3.13 holds that
                # EPIPE against the next request of the same thread.
                self._latest.shutdown(socket.SHUT_RD)

    def send(  # noqa: PLR0917 - requests' own
        self,
        request: PreparedRequest,
        stream: bool = False,  # noqa: FBT001, FBT002 - requests' own
        timeout: Any = None,
        verify: Any = True,  # noqa: FBT002 - requests' own
        cert: Any = None,
        proxies: Mapping[str, str | None] | None = None,
    ) -> Response:
        """Send it straight to its host."""
        del proxies
        return super().send(request, stream, timeout, verify, cert)

    def _connected(self, sock: socket.socket) -> None:
        self._latest = sock


class _Checked(HTTPConnection):
    def __init__(self, *args: Any, connected: Callable[[socket.socket], None], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._tell = connected
        self._handshake: Step | None = None

    def connect(self) -> None:
        """As urllib3; then tell of the socket."""
        try:
            super().connect()
        except Exception as error:
            if self._handshake is not None:
                self._handshake.end(dialogue.failure(error))
            raise
        if self._handshake is not None and isinstance(self.sock, ssl.SSLSocket):
            self._handshake.end(dialogue.encryption(self.sock))
        self._tell(self.sock)

    def _new_conn(self) -> socket.socket:
        """A socket, or what urllib3 raises in its place."""
        try:
            sock = connect(self._dns_host, self.port, self.timeout or CONNECT_SECONDS)
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        except TimeoutError as error:
            raise ConnectTimeoutError(self, f"{self.host} did not answer in time") from error
        except OSError as error:
            raise NewConnectionError(self, str(error)) from error
        sock.settimeout(self.timeout)
        return sock


class _CheckedTls(_Checked, HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        sock = super()._new_conn()
        self._handshake = dialogue.ask("TLS")
        return sock


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Checked


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _CheckedTls
