"""The socket of the console."""

from __future__ import annotations

import socket

from services.console.web.listening import listen


def test_a_pages_body_does_not_wait_for_the_browser_to_acknowledge_its_head() -> None:
    with listen("127.0.0.1", 0) as listening, socket.create_connection(listening.getsockname()):
        connection, _ = listening.accept()
        with connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
