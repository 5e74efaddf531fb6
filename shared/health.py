"""What a service says about itself over HTTP.

    GET /health/live     200 as long as the event loop turns; no answer means: restart me
    GET /health/ready    200 when every check passes, else 503; JSON with a sentence for each check, and notes: what a
                         person must know though no restart would mend it
    GET /metrics         Prometheus

A check is an async function without arguments that raises what is wrong; the error's text becomes the sentence.
The server has no login and shows no mail: it listens on the loopback unless IMPORTER_HEALTH_HOST says otherwise. It
gives one answer a connection. h11 reads the requests; a server with routes and sessions would be a quarter of what a
service's start costs.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

import h11
import structlog

from shared.errors import ImporterError, Misconfigured
from shared.telemetry import METRICS_CONTENT_TYPE, metrics_text

CHECK_TIMEOUT_SECONDS: Final = 2
"""Shorter than the 3 seconds that the container's own health check waits."""
REQUEST_SECONDS: Final = 10
"""What a client may take to ask, and again to read the answer."""
_RECEIVED_AT_ONCE: Final = 8 * 1024

Check = Callable[[], Awaitable[None]]
Note = Callable[[], str | None]

_log = structlog.get_logger(__name__)


class _Answer(NamedTuple):
    status: HTTPStatus
    content_type: str
    body: bytes


class HealthServer:
    """Serves liveness, readiness and metrics while it is entered; `port` is the one it got."""

    def __init__(self, host: str, port: int) -> None:
        self.port = port
        self._host = host
        self._checks: dict[str, Check] = {}
        self._notes: dict[str, Note] = {}
        self._pages: dict[str, Callable[[], Awaitable[_Answer]]] = {
            "/health/live": self._live,
            "/health/ready": self._ready,
            "/metrics": self._metrics,
        }
        self._server: asyncio.Server | None = None
        self._answering: set[asyncio.Task[None]] = set()

    def add_check(self, name: str, check: Check) -> None:
        """Be ready only while `check` does not raise."""
        self._checks[name] = check

    def add_note(self, name: str, note: Note) -> None:
        """Say what `note` says with /health/ready, unless that is None."""
        self._notes[name] = note

    async def __aenter__(self) -> Self:
        try:
            self._server = await asyncio.start_server(self._connected, self._host, self.port)
        except OSError as error:
            raise Misconfigured(
                f"IMPORTER_HEALTH_HOST and IMPORTER_HEALTH_PORT: {self._host}:{self.port} cannot be had "
                f"({error.strerror}). Choose another port, or 0 for a free one."
            ) from error
        self.port = self._server.sockets[0].getsockname()[1]
        _log.info("health_listening", host=self._host, port=self.port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._answering:
            task.cancel()
        await asyncio.gather(*self._answering, return_exceptions=True)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One question and its answer; who does not ask in time, or not by HTTP, gets none or what is wrong."""
        connection = h11.Connection(h11.SERVER)
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                request = await _asked(connection, reader)
            if request is None:
                return
            writer.write(_sent(connection, request, await self._answer(request)))
            async with asyncio.timeout(REQUEST_SECONDS):
                await writer.drain()
        except h11.RemoteProtocolError as wrong:
            status = HTTPStatus(wrong.error_status_hint)
            writer.write(_sent(connection, None, _said(status, {"error": str(wrong)})))
        except (TimeoutError, OSError):
            pass  # it went, or does nothing
        finally:
            writer.close()

    async def _answer(self, request: h11.Request) -> _Answer:
        page = self._pages.get(request.target.partition(b"?")[0].decode("ascii", "replace"))
        if page is None:
            return _said(HTTPStatus.NOT_FOUND, {"error": f"only {', '.join(self._pages)} are here"})
        if request.method not in (b"GET", b"HEAD"):
            return _said(HTTPStatus.METHOD_NOT_ALLOWED, {"error": "only GET and HEAD are answered"})
        return await page()

    async def _live(self) -> _Answer:
        return _said(HTTPStatus.OK, {"live": True})

    async def _ready(self) -> _Answer:
        names = list(self._checks)
        problems = await asyncio.gather(*(_problem(self._checks[name]) for name in names))
        ready = not any(problems)
        checks = {
            name: {"ok": problem is None, "detail": problem or "ok"}
            for name, problem in zip(names, problems, strict=True)
        }
        status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
        notes = {name: said for name, note in self._notes.items() if (said := note()) is not None}
        return _said(status, {"ready": ready, "checks": checks} | ({"notes": notes} if notes else {}))

    async def _metrics(self) -> _Answer:
        return _Answer(HTTPStatus.OK, METRICS_CONTENT_TYPE, metrics_text())


async def _asked(connection: h11.Connection, reader: asyncio.StreamReader) -> h11.Request | None:
    """The head of the request: its body, if any, is nothing to us. None when the client goes without having asked."""
    while (event := connection.next_event()) is h11.NEED_DATA:
        connection.receive_data(await reader.read(_RECEIVED_AT_ONCE))
    return event if isinstance(event, h11.Request) else None


def _sent(connection: h11.Connection, request: h11.Request | None, answer: _Answer) -> bytes:
    """The answer as it travels, and the last on its connection; after a bad request there is none to answer to."""
    headers = [
        ("Content-Type", answer.content_type),
        ("Content-Length", str(len(answer.body))),
        ("Connection", "close"),
    ]
    if answer.status is HTTPStatus.METHOD_NOT_ALLOWED:
        headers.append(("Allow", "GET, HEAD"))
    events: list[h11.Event] = [
        h11.Response(status_code=answer.status, reason=answer.status.phrase, headers=headers),
        h11.EndOfMessage(),
    ]
    if request is None or request.method != b"HEAD":
        events.insert(1, h11.Data(data=answer.body))
    return b"".join(connection.send(event) or b"" for event in events)


def _said(status: HTTPStatus, content: dict[str, Any]) -> _Answer:
    return _Answer(status, "application/json; charset=utf-8", json.dumps(content).encode())


async def _problem(check: Check) -> str | None:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_SECONDS):
            await check()
    except TimeoutError:
        return f"no answer within {CHECK_TIMEOUT_SECONDS} seconds"
    except ImporterError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 - whatever a check raises is its answer
        return f"{type(error).__name__}: {error}"
    return None
