r"""Faults of a Graph server on demand: what a network, a proxy or a datacentre in trouble does to an answer.

    server.fault(r"GET .*/\$value", broken_off)           # the next request that matches
    server.fault(r"POST .*/send", unanswered, times=2)

Each takes the request and the handler that would answer it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Fault = Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]


@dataclass
class Planned:
    """A fault for the next `times` requests whose method and path match."""

    pattern: re.Pattern[str]
    fault: Fault
    times: int

    def takes(self, request: str) -> bool:
        """Whether it is for this request; it counts."""
        if self.times and self.pattern.fullmatch(request):
            self.times -= 1
            return True
        return False


async def _whole(request: web.Request, handler: Handler) -> bytes:
    response = await handler(request)
    assert isinstance(response, web.Response)
    assert isinstance(response.body, bytes)
    return response.body


async def _half(request: web.Request, handler: Handler, headers: dict[str, str]) -> web.StreamResponse:
    body = await _whole(request, handler)
    response = web.StreamResponse(headers=headers | {"Content-Type": "application/json"})
    if "Content-Length" in headers:
        response.content_length = len(body)
    elif "chunked" in headers:
        del response.headers["chunked"]
        response.enable_chunked_encoding()
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    return response


def _end(request: web.Request, *, cleanly: bool) -> None:
    transport = request.transport
    if isinstance(transport, asyncio.WriteTransport) and not transport.is_closing():
        transport.close() if cleanly else transport.abort()


async def broken_off(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The connection breaks in the middle of the body."""
    response = await _half(request, handler, {"chunked": "yes"})
    _end(request, cleanly=False)
    return response


async def cut_short(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A 200 whose Content-Length promises more than comes; the connection is closed in good order."""
    response = await _half(request, handler, {"Content-Length": "told"})
    _end(request, cleanly=True)
    return response


async def without_last_chunk(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A chunked 200 that is closed in good order before its last chunk."""
    response = await _half(request, handler, {"chunked": "yes"})
    _end(request, cleanly=True)
    return response


async def without_length(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Half a 200 of HTTP/1.0's kind: nothing but the end of the connection ends it."""
    body = await _whole(request, handler)
    transport = request.transport
    assert isinstance(transport, asyncio.WriteTransport)
    transport.write(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n" + body[: len(body) // 2]
    )
    transport.close()
    return web.Response()


async def no_answer(_: web.Request, __: Handler) -> web.StreamResponse:
    """Nothing comes, until the client has had enough."""
    await asyncio.sleep(3600)
    return web.Response()


async def slow_bytes(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A byte now and then: never silent for long, never done."""
    body = await _whole(request, handler)
    response = web.StreamResponse()
    response.content_length = len(body)
    await response.prepare(request)
    for byte in body:
        await response.write(bytes([byte]))
        await asyncio.sleep(0.05)
    return response


async def unanswered(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What was asked is done, and the connection breaks before the answer."""
    response = await handler(request)
    _end(request, cleanly=False)
    return response


def status(code: int, error: str = "", **headers: str) -> Fault:
    """An error in Graph's form; headers with underscores for hyphens."""

    async def answer(_: web.Request, __: Handler) -> web.StreamResponse:
        return graph_error(code, error, **headers)

    return answer


def redirected(to: str) -> Fault:
    """A 302 to another place."""

    async def answer(_: web.Request, __: Handler) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": to})

    return answer


def graph_error(code: int, error: str, message: str = "As the tests asked.", **headers: str) -> web.Response:
    """An answer with Graph's error object."""
    return web.json_response(
        {"error": {"code": error, "message": message, "innerError": {"date": "2026-11-24T12:00:00"}}},
        status=code,
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )
