"""The HTTP that a service speaks about itself: one answer a connection, whatever the client sends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from shared import health
from shared.errors import ImporterError, Misconfigured
from shared.health import HealthServer

DEADLINE_SECONDS = 10


@pytest.fixture
async def server() -> AsyncIterator[HealthServer]:
    async with HealthServer("127.0.0.1", 0) as running:
        yield running


async def answered(server: HealthServer, request: bytes) -> tuple[bytes, dict[bytes, bytes], bytes]:
    """Status line, headers and body of the answer; the server ends the connection behind it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    async with asyncio.timeout(DEADLINE_SECONDS):
        writer.write(request)
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    status, *headers = head.split(b"\r\n")
    return status, dict(line.lower().split(b": ", 1) for line in headers), body


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: service\r\n\r\n".encode()


async def test_an_answer_says_its_length_and_closes_the_connection(server: HealthServer) -> None:
    status, headers, body = await answered(server, get("/health/live"))
    assert status == b"HTTP/1.1 200 OK"
    assert headers[b"connection"] == b"close"
    assert int(headers[b"content-length"]) == len(body)
    assert json.loads(body) == {"live": True}


async def test_it_is_ready_while_no_check_raises_and_says_of_each_what_is_wrong(server: HealthServer) -> None:
    trouble: list[Exception] = []

    async def check() -> None:
        if trouble:
            raise trouble[0]

    server.add_check("queue", check)
    status, _, body = await answered(server, get("/health/ready"))
    assert (status, json.loads(body)) == (
        b"HTTP/1.1 200 OK",
        {"ready": True, "checks": {"queue": {"ok": True, "detail": "ok"}}},
    )
    for raised, detail in (
        (ImporterError("The queue is gone"), "The queue is gone"),
        (LookupError("x"), "LookupError: x"),
    ):
        trouble[:] = [raised]
        status, _, body = await answered(server, get("/health/ready"))
        assert status == b"HTTP/1.1 503 Service Unavailable"
        assert json.loads(body) == {"ready": False, "checks": {"queue": {"ok": False, "detail": detail}}}


async def test_a_check_without_an_answer_is_a_problem(server: HealthServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "CHECK_TIMEOUT_SECONDS", 0.05)
    server.add_check("stuck", asyncio.Event().wait)  # type: ignore[arg-type]  # it never answers at all
    _, _, body = await answered(server, get("/health/ready"))
    assert json.loads(body)["checks"]["stuck"] == {"ok": False, "detail": "no answer within 0.05 seconds"}


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        pytest.param(b"GET /health/live HTTP/1.0\r\n\r\n", b"HTTP/1.1 200 OK", id="HTTP 1.0, as compose.yaml asks"),
        pytest.param(get("/health/live?verbose=1"), b"HTTP/1.1 200 OK", id="a query"),
        pytest.param(get("/metrics"), b"HTTP/1.1 200 OK", id="metrics"),
        pytest.param(get("/"), b"HTTP/1.1 404 Not Found", id="another page"),
        pytest.param(get("/health/live/"), b"HTTP/1.1 404 Not Found", id="a slash too many"),
        pytest.param(
            b"POST /health/live HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n",
            b"HTTP/1.1 405 Method Not Allowed",
            id="another method, its body never sent",
        ),
        pytest.param(b"GET /health/live HTTP/1.1\r\n\r\n", b"HTTP/1.1 400 Bad Request", id="no host"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", b"HTTP/1.1 400 Bad Request", id="TLS"),
        pytest.param(
            b"GET / HTTP/1.1\r\nHost: " + b"a" * 20_000,
            b"HTTP/1.1 431 Request Header Fields Too Large",
            id="headers without end",
        ),
    ],
)
async def test_every_request_has_its_answer(server: HealthServer, request_bytes: bytes, status: bytes) -> None:
    assert (await answered(server, request_bytes))[0] == status


async def test_head_has_the_headers_alone(server: HealthServer) -> None:
    status, headers, body = await answered(server, b"HEAD /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
    assert (status, body) == (b"HTTP/1.1 200 OK", b"")
    assert headers[b"content-type"] == b"text/plain; version=0.0.4; charset=utf-8"
    assert int(headers[b"content-length"]) > 0


async def test_who_does_not_ask_in_time_is_let_go(server: HealthServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "REQUEST_SECONDS", 0.05)
    assert await answered(server, b"GET /health/live HT") == (b"", {}, b"")


async def test_leaving_ends_the_connections_that_are_open() -> None:
    async with HealthServer("127.0.0.1", 0) as leaving:
        reader, writer = await asyncio.open_connection("127.0.0.1", leaving.port)
        writer.write(b"GET /health/live")
        await answered(leaving, get("/health/live"))  # so that the first connection is known to it
    async with asyncio.timeout(DEADLINE_SECONDS):
        assert await reader.read() == b""
    writer.close()


async def test_a_port_that_is_taken_is_bad_configuration(server: HealthServer) -> None:
    with pytest.raises(Misconfigured, match="IMPORTER_HEALTH_PORT"):
        async with HealthServer("127.0.0.1", server.port):
            pass
