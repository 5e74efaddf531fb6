"""Connections of httpx, to addresses that `shared.connecting` allows.

    async with httpx.AsyncClient(transport=CheckedTransport(tls)) as client: ...

Redirects stay off, as httpx has them.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Iterable
from http.cookiejar import CookieJar
from typing import Any

import httpcore
import httpx

from shared.connecting import checked, counting_down, seconds_of_one


class CheckedBackend(httpcore.AsyncNetworkBackend):
    """httpcore's connections, to addresses that were checked. Raises ForbiddenAddress, else what httpcore raises."""

    def __init__(self) -> None:
        self._backend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first of the host's addresses that answers."""
        deadline = None if timeout is None else time.monotonic() + timeout
        try:
            async with asyncio.timeout(timeout):
                resolved = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(f"the name {host} was not resolved in time") from error
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        for left, (_, address) in counting_down(checked(host, resolved)):
            share = None if deadline is None else seconds_of_one(deadline, left)
            try:
                return await self._backend.connect_tcp(address[0], port, share, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if left == 1:
                    raise
        raise httpcore.ConnectError(f"{host} has no address")

    async def sleep(self, seconds: float) -> None:
        """Wait between two tries of a connection."""
        await self._backend.sleep(seconds)


class CheckedTransport(httpx.AsyncHTTPTransport):
    """httpx's transport over `CheckedBackend`: HTTP/1.1 on at most `connections`, each kept for `idle` seconds."""

    def __init__(self, tls: ssl.SSLContext, *, connections: int = 4, idle: float = 60) -> None:
        super().__init__(verify=tls, trust_env=False)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls,
            max_connections=connections,
            max_keepalive_connections=connections,
            keepalive_expiry=idle,
            network_backend=CheckedBackend(),
        )


class NoCookies(CookieJar):
    """Takes none: a server could fill the jar of a connection that is kept, and every later request with it."""

    def extract_cookies(self, response: Any, request: Any) -> None:
        """Look at none of the answer's cookies."""
