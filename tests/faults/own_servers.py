"""A PostgreSQL and a RabbitMQ of a test's own, which may be killed: private ones, or containers (RUNTIME=docker).

Killed, a server loses its process and keeps what it had handed to the system: a crash, not a power cut.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from deploy.local import ports, processes
from deploy.local.account import ordinary_account
from deploy.local.checkout import here
from deploy.local.instance import Servers
from deploy.local.packages import Packages
from deploy.local.postgres import Postgres
from deploy.local.processes import Process
from deploy.local.rabbitmq import Ports, Rabbitmq
from deploy.local.tools import run

NO_MEMORY: Final = "0.0000001"
"""A share of the memory that every broker uses more of: an alarm."""
MEMORY: Final = "0.4"


class Server(Protocol):
    """A server that a test starts and kills."""

    async def start(self) -> None:
        """Start it, on the data that it has; return once it answers."""
        ...

    def kill(self) -> None:
        """End it at once, in the middle of whatever it does."""
        ...


@dataclass(slots=True)
class PrivatePostgres:
    """Killed as `pg_ctl stop -m immediate` does: SIGKILL would leave its shared memory behind."""

    server: Postgres
    process: Process | None = None

    async def start(self) -> None:
        """See `Server.start`."""
        self.process = self.server.launch()  # from the main thread, to which the kernel ties it
        await asyncio.to_thread(self.server.wait, self.process)

    def kill(self) -> None:
        """See `Server.kill`."""
        if self.process is not None:
            processes.stop(self.process, signal.SIGQUIT, 10)


@dataclass(slots=True)
class PrivateRabbitmq:
    """A node that is killed; its port mapper stays."""

    server: Rabbitmq
    process: Process | None = None

    async def start(self) -> None:
        """See `Server.start`."""
        self.process = self.server.launch()
        await asyncio.to_thread(self.server.wait, self.process)

    def kill(self) -> None:
        """See `Server.kill`."""
        if self.process is not None:
            processes.stop(self.process, signal.SIGKILL, 10)

    async def set_memory(self, share: str) -> None:
        """Let the node use this share of the machine's memory before it raises the alarm."""
        escript = self.server.packages.one("usr/lib/erlang/erts-*/bin/escript")
        ctl = self.server.packages.one("usr/lib/rabbitmq/lib/rabbitmq_server-*/escript/rabbitmqctl")
        done = await asyncio.to_thread(
            run,
            [str(escript), str(ctl), "-n", "importer@localhost", "set_vm_memory_high_watermark", share],
            environment=self.server._environment(),
        )
        assert done.code == 0, done.output


@dataclass(frozen=True, slots=True)
class OwnServers:
    """Both servers, and where they answer; they keep their ports from one start to the next."""

    database: Server
    broker: PrivateRabbitmq
    endpoints: Servers


@contextmanager
def own_servers(folder: Path) -> Iterator[OwnServers]:
    """Servers with their data in `folder`, not started yet; ended with the block, or with this process."""
    packages = Packages(here().packages.resolve())
    log = folder / "servers.log"
    settled = ports.settle(
        folder / "ports.json", {"postgres": 1, "amqp": 1, "management": 1, "distribution": 1, "epmd": 1}
    )
    postgres = Postgres(packages, folder / "postgres", log, ordinary_account(), settled["postgres"], durable=False)
    rabbitmq = Rabbitmq(
        packages, folder / "rabbitmq", log,
        Ports(settled["amqp"], settled["management"], settled["distribution"], settled["epmd"]),
        administrator="importer_admin", password=secrets.token_hex(16), vhost="/", durable=False,
    )  # fmt: skip
    _let_in(folder)
    postgres.prepare()
    rabbitmq.prepare()
    port_mapper = rabbitmq.launch_port_mapper()
    database, broker = PrivatePostgres(postgres), PrivateRabbitmq(rabbitmq)
    try:
        yield OwnServers(database, broker, Servers(postgres.endpoint, rabbitmq.endpoint))
    finally:
        database.kill()
        broker.kill()
        processes.stop(port_mapper, signal.SIGTERM, 10)


def _let_in(folder: Path) -> None:
    """PostgreSQL may run as another user than root: let it through pytest's private folders, not look into them."""
    if os.geteuid() == 0:
        for part in (folder, *folder.parents[:2]):
            part.chmod(part.stat().st_mode | 0o011)
