"""Where the console listens."""

from __future__ import annotations

import socket

from shared.errors import Misconfigured


def listen(host: str, port: int) -> socket.socket:
    """A socket whose connections send at once; port 0 is a free one.

    asyncio sets TCP_NODELAY on connections of sockets that it made itself. On others a page's body would wait until the
    browser had acknowledged its head, which a browser does after 40 ms.
    """
    try:
        made = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise Misconfigured(
            f"IMPORTER_WEB_HOST and IMPORTER_WEB_PORT: {host}:{port} cannot be had ({error.strerror}). Choose another "
            "port, or 0 for a free one."
        ) from error
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made
