"""A PostgreSQL and a RabbitMQ of a test's own, which may be killed: private ones, or containers (RUNTIME=docker).

Killed, a server loses its process and keeps what it had handed to the system: a crash, not a power cut. It keeps its
port from one start to the next.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import aio_pika
import asyncpg
import httpx
from testcontainers.core.container import DockerContainer

from deploy.local import ports, processes
from deploy.local.account import ordinary_account
from deploy.local.checkout import exclusive, here
from deploy.local.endpoints import PostgresEndpoint, RabbitmqEndpoint
from deploy.local.instance import Servers
from deploy.local.packages import Packages
from deploy.local.postgres import Postgres
from deploy.local.processes import Process
from deploy.local.rabbitmq import Ports, Rabbitmq
from deploy.local.tools import run
from deploy.testing.servers import image
from tests.acceptance.pipeline import eventually

NO_MEMORY: Final = "0.0000001"
"""A share of the memory that every broker uses more of: an alarm."""
MEMORY: Final = "0.4"

PORTS: Final = {"postgres": 1, "amqp": 1, "management": 1, "distribution": 1, "epmd": 1}
_USER: Final = "importer_admin"
_START_SECONDS: Final = 120
_END_SECONDS: Final = 10


class Server(Protocol):
    """A server that a test starts and kills."""

    async def start(self) -> None:
        """Start it, on the data that it has; return once it answers."""
        ...

    def kill(self) -> None:
        """End it at once, in the middle of whatever it does."""
        ...


class Broker(Server, Protocol):
    """RabbitMQ."""

    async def set_memory(self, share: str) -> None:
        """Let it use this share of the machine's memory before it raises the alarm."""
        ...


@dataclass(frozen=True, slots=True)
class OwnServers:
    """Both servers, and where they answer."""

    database: Server
    broker: Broker
    endpoints: Servers


@contextmanager
def own_servers(folder: Path) -> Iterator[OwnServers]:
    """Servers that are not started yet; they end, and their data goes, with this block. `folder` is for their notes."""
    settled = ports.settle(folder / "ports.json", PORTS)
    if os.environ.get("RUNTIME") == "docker":
        with _containers(settled) as servers:
            yield servers
        return
    # not in pytest's folder: PostgreSQL's account must get through to it
    with private_servers(here().run.resolve() / "fault-servers", settled) as (database, broker):
        yield OwnServers(database, broker, Servers(database.server.endpoint, broker.server.endpoint))


@dataclass(slots=True)
class PrivatePostgres:
    """Killed as `pg_ctl stop -m immediate` does it: SIGKILL would leave its shared memory behind."""

    server: Postgres
    process: Process | None = None

    async def start(self) -> None:
        self.process = self.server.launch()  # in the main thread, to which the kernel ties it
        await asyncio.to_thread(self.server.wait, self.process)

    def kill(self) -> None:
        if self.process is not None:
            processes.stop(self.process, signal.SIGQUIT, _END_SECONDS)


@dataclass(slots=True)
class PrivateRabbitmq:
    """Killed at once."""

    server: Rabbitmq
    process: Process | None = None

    async def start(self) -> None:
        self.process = self.server.launch()
        await asyncio.to_thread(self.server.wait, self.process)

    def kill(self) -> None:
        if self.process is not None:
            processes.stop(self.process, signal.SIGKILL, _END_SECONDS)

    async def set_memory(self, share: str) -> None:
        await self.control("set_vm_memory_high_watermark", share)

    async def control(self, *words: str) -> None:
        """What `rabbitmqctl` does with these words."""
        escript = self.server.packages.one("usr/lib/erlang/bin/escript")
        ctl = self.server.packages.one("usr/lib/rabbitmq/lib/rabbitmq_server-*/escript/rabbitmqctl")
        done = await asyncio.to_thread(
            run,
            [str(escript), str(ctl), "-n", self.server.node, *words],
            environment=self.server._environment(),
        )
        assert done.code == 0, done.output


@contextmanager
def private_servers(
    folder: Path, settled: dict[str, int], command: str = "test"
) -> Iterator[tuple[PrivatePostgres, PrivateRabbitmq]]:
    """Both servers with their data in `folder`, on these ports; not started, and ended with this block.

    `command` is told to others who want the same folder.
    """
    packages = Packages(here().packages.resolve())
    with ExitStack() as stack:
        stack.enter_context(exclusive(folder, command))
        for part in ("postgres", "rabbitmq"):
            shutil.rmtree(folder / part, ignore_errors=True)
        log = folder / "servers.log"
        account, port = ordinary_account(), settled["postgres"]
        postgres = Postgres(packages, folder / "postgres", log, account, port, durable=False, synced=False)
        rabbitmq = Rabbitmq(
            packages, folder / "rabbitmq", log,
            Ports(settled["amqp"], settled["management"], settled["distribution"], settled["epmd"]),
            administrator=_USER, password=secrets.token_hex(16), vhost="/", durable=False,
        )  # fmt: skip
        postgres.prepare()
        rabbitmq.prepare()
        stack.callback(processes.stop, rabbitmq.launch_port_mapper(), signal.SIGTERM, _END_SECONDS)
        database, broker = PrivatePostgres(postgres), PrivateRabbitmq(rabbitmq)
        stack.callback(database.kill)
        stack.callback(broker.kill)
        yield database, broker


@dataclass(slots=True)
class _Container:
    container: DockerContainer
    ask: Callable[[], Awaitable[object]]
    """Asks the server something; raises while it does not answer."""
    is_made: bool = False

    async def start(self) -> None:
        make_or_start = self.container.get_wrapped_container().start if self.is_made else self.container.start
        await asyncio.to_thread(make_or_start)
        self.is_made = True
        await eventually(self._answers, f"{self.container.image} answers", seconds=_START_SECONDS)

    def kill(self) -> None:
        self.container.get_wrapped_container().kill()

    async def set_memory(self, share: str) -> None:
        done = await asyncio.to_thread(self.container.exec, ["rabbitmqctl", "set_vm_memory_high_watermark", share])
        assert done.exit_code == 0, done.output

    async def _answers(self) -> bool:
        with suppress(OSError, asyncpg.PostgresError, httpx.HTTPError):
            await self.ask()
            return True
        return False


@contextmanager
def _containers(settled: dict[str, int]) -> Iterator[OwnServers]:
    password = secrets.token_hex(16)
    login = f"{_USER}:{password}"
    postgres = PostgresEndpoint(f"postgresql://postgres:{password}@127.0.0.1:{settled['postgres']}/postgres")
    rabbitmq = RabbitmqEndpoint(
        f"amqp://{login}@127.0.0.1:{settled['amqp']}/", f"http://{login}@127.0.0.1:{settled['management']}"
    )

    async def ask_database() -> None:
        await (await asyncpg.connect(postgres.url)).close()

    async def ask_broker() -> None:
        async with httpx.AsyncClient() as client:
            (await client.get(f"{rabbitmq.management_url}/api/overview")).raise_for_status()
        await (await aio_pika.connect(rabbitmq.amqp_url)).close()

    database = DockerContainer(image("POSTGRES_IMAGE")).with_bind_ports(5432, settled["postgres"])
    broker = DockerContainer(image("RABBITMQ_IMAGE")).with_bind_ports(5672, settled["amqp"])
    broker.with_bind_ports(15672, settled["management"]).with_env("RABBITMQ_DEFAULT_USER", _USER)
    try:
        yield OwnServers(
            _Container(database.with_env("POSTGRES_PASSWORD", password), ask_database),
            _Container(broker.with_env("RABBITMQ_DEFAULT_PASS", password), ask_broker),
            Servers(postgres, rabbitmq),
        )
    finally:
        database.stop()
        broker.stop()
