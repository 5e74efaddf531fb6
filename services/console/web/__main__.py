"""The web console: pages for administrators of helpdesks.

    python -m services.console.web

Reads    what the pages show, as role importer_web; RabbitMQ's queues, as user importer_console.
Writes   sessions, and what people decide: replays, discards, choices for old mail; what is to be done to many mails it
         does one after the other, as jobs (`bulk`).

Settings: IMPORTER_DATABASE_URL, IMPORTER_AMQP_URL, IMPORTER_RABBITMQ_MANAGEMENT_URL, IMPORTER_WEB_HOST and _PORT where
it listens (127.0.0.1:8025), IMPORTER_WEB_URL under which people know it where a proxy stands before it,
IMPORTER_WEB_OIDC_ISSUER, _CLIENT_ID, _CLAIM, _ONLY and _CA_FILE where people log in by OpenID Connect; secrets
database_password_web, amqp_password_console and, with a provider, web_oidc_client_secret. Replicas may run side by
side. Exit codes: those of `shared.runtime`.
"""

from __future__ import annotations

import shared.lean_start  # noqa: F401 - before all else that logs

# isort: split
import asyncio
import contextlib
from collections.abc import Iterator
from typing import Final

import structlog
import uvicorn

from services.console.queues import MonitoringConfiguration
from services.console.web import bulk
from services.console.web.application import application
from services.console.web.configuration import WebConfiguration
from services.console.web.listening import listen
from services.console.web.openid.provider import Provider
from services.console.web.openid.settings import openid_settings
from services.console.web.visit import House
from shared.database.pool import connection, open_pool
from shared.runtime import Process, run_service

SERVICE: Final = "web"
_CONNECTIONS: Final = 8

_log = structlog.get_logger(__name__)


class _Server(uvicorn.Server):
    """uvicorn without its own signals: the process has its own (`shared.runtime`)."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def main(process: Process[WebConfiguration]) -> None:
    """Wire the service and run it until it is told to stop."""
    configuration = process.configuration
    monitoring = MonitoringConfiguration.load()
    openid = openid_settings(configuration)
    provider = None if openid is None else Provider(openid)
    listening = listen(configuration.web_host, configuration.web_port)
    pool = await open_pool(
        configuration.database_dsn.get_secret_value(), application_name=SERVICE, max_size=_CONNECTIONS
    )
    async with pool:
        server = _Server(
            uvicorn.Config(
                application(House(configuration, monitoring, pool, process.stop, provider)),
                log_config=None,
                access_log=False,
                lifespan="off",
                server_header=False,
                proxy_headers=configuration.web_url is not None,
                forwarded_allow_ips="127.0.0.1",
                timeout_graceful_shutdown=int(configuration.drain_seconds),
            )
        )

        async def serve(stop: asyncio.Event) -> None:
            async with asyncio.TaskGroup() as group:
                serving = group.create_task(server.serve(sockets=[listening]))
                stopping = group.create_task(stop.wait())
                ended = asyncio.Event()
                group.create_task(bulk.work(pool, ended))
                await asyncio.wait((serving, stopping), return_when=asyncio.FIRST_COMPLETED)
                server.should_exit = True
                ended.set()
                stopping.cancel()

        async def database_answers() -> None:
            async with connection(pool) as acquired:
                await acquired.fetchval("SELECT 1")

        process.ready_when("database", database_answers)
        _log.info("web_listening", host=configuration.web_host, port=listening.getsockname()[1])
        await process.run(serve)


if __name__ == "__main__":
    run_service(SERVICE, main, WebConfiguration)
