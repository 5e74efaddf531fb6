"""What `make status` reads from a service's health port."""

import asyncio
import socket

import pytest

from deploy.local import health
from shared.errors import Outage
from shared.health import HealthServer


async def asked(port: int) -> str:
    return await asyncio.to_thread(health.trouble, port)


async def test_a_ready_service_has_no_trouble_and_another_says_why() -> None:
    async def check() -> None:
        if broken:
            raise Outage("The database does not answer")

    broken = False
    async with HealthServer("127.0.0.1", 0) as server:
        server.add_check("database", check)
        assert await asked(server.port) == ""
        broken = True
        assert await asked(server.port) == "is not ready: database: The database does not answer"


async def test_a_service_that_takes_no_connection_or_gives_no_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        assert (await asked(port)).startswith(f"hangs: port {port} gives no answer")
    assert (await asked(port)).startswith(f"does not run: nothing listens on port {port}")
