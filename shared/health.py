"""What a service says about itself over HTTP.

    GET /health/live     200 as long as the event loop turns; no answer means: restart me
    GET /health/ready    200 when every check passes, else 503; JSON with a sentence for each check
    GET /metrics         Prometheus

A check is an async function without arguments that raises what is wrong; the error's text becomes the sentence.
The server has no login and shows no mail: it listens on the loopback unless IMPORTER_HEALTH_HOST says otherwise.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Final, Self

import structlog
from aiohttp import web

from shared.errors import ImporterError, Misconfigured
from shared.telemetry import METRICS_CONTENT_TYPE, metrics_text

CHECK_TIMEOUT_SECONDS: Final = 2
"""Shorter than the 3 seconds that the container's own health check waits."""

Check = Callable[[], Awaitable[None]]

_log = structlog.get_logger(__name__)


class HealthServer:
    """Serves liveness, readiness and metrics while it is entered; `port` is the one it got."""

    def __init__(self, host: str, port: int) -> None:
        self.port = port
        self._host = host
        self._checks: dict[str, Check] = {}
        application = web.Application()
        application.router.add_get("/health/live", self._live)
        application.router.add_get("/health/ready", self._ready)
        application.router.add_get("/metrics", self._metrics)
        self._runner = web.AppRunner(application, access_log=None)

    def add_check(self, name: str, check: Check) -> None:
        """Be ready only while `check` does not raise."""
        self._checks[name] = check

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self.port)
        try:
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            raise Misconfigured(
                f"IMPORTER_HEALTH_HOST and IMPORTER_HEALTH_PORT: {self._host}:{self.port} cannot be had "
                f"({error.strerror}). Choose another port, or 0 for a free one."
            ) from error
        self.port = self._runner.addresses[0][1]
        _log.info("health_listening", host=self._host, port=self.port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    async def _live(self, _request: web.Request) -> web.Response:
        return web.json_response({"live": True})

    async def _ready(self, _request: web.Request) -> web.Response:
        names = list(self._checks)
        problems = await asyncio.gather(*(_problem(self._checks[name]) for name in names))
        ready = not any(problems)
        checks = {
            name: {"ok": problem is None, "detail": problem or "ok"}
            for name, problem in zip(names, problems, strict=True)
        }
        return web.json_response({"ready": ready, "checks": checks}, status=200 if ready else 503)

    async def _metrics(self, _request: web.Request) -> web.Response:
        return web.Response(body=metrics_text(), headers={"Content-Type": METRICS_CONTENT_TYPE})


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
