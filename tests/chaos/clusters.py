"""A RabbitMQ of three nodes, and a PostgreSQL with a synchronous standby that takes over; all on this machine."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import asyncpg

from deploy.local import ports, processes
from deploy.local.account import ordinary_account
from deploy.local.checkout import exclusive, here
from deploy.local.endpoints import RABBITMQ_ADMINISTRATOR
from deploy.local.packages import Packages
from deploy.local.postgres import Postgres
from deploy.local.rabbitmq import Ports, Rabbitmq
from tests.chaos.plan import NODES
from tests.faults.own_servers import PrivatePostgres, PrivateRabbitmq

_PORTS: Final = {
    "postgres": 2, "epmd": 1, "amqp": len(NODES), "management": len(NODES), "distribution": len(NODES),
}  # fmt: skip
_STANDBY: Final = "standby"
"""The name by which the primary waits for it."""
_END_SECONDS: Final = 10
_LOOK_SECONDS: Final = 0.2
_STREAMING: Final = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'"


@dataclass(slots=True)
class Pair:
    """Two PostgreSQL servers, of which the first is the primary and each commit waits for the second."""

    primary: PrivatePostgres
    standby: PrivatePostgres

    async def start(self) -> None:
        """Start both, and return once commits wait for the standby."""
        await self.primary.start()
        await self.follow()

    async def follow(self) -> None:
        """Make the standby anew from the primary, whatever it was before."""
        data = self.standby.server.folder / "data"
        await asyncio.to_thread(shutil.rmtree, data, ignore_errors=True)
        source = self.primary.server
        source.account.owns(data)
        where = f"host=127.0.0.1 port={source.port} user=postgres application_name={_STANDBY}"
        copied = await asyncio.to_thread(
            source._run, "pg_basebackup",
            "-D", str(data), "-R", "-X", "stream", "-c", "fast", "-d", where, as_account=True,
        )  # fmt: skip
        assert copied.code == 0, copied.output
        await self.standby.start()
        connection = await asyncpg.connect(source.endpoint.url)
        try:
            await connection.execute(f"ALTER SYSTEM SET synchronous_standby_names = 'FIRST 1 ({_STANDBY})'")
            await connection.execute("SELECT pg_reload_conf()")
            while not await connection.fetchval(_STREAMING):
                await asyncio.sleep(_LOOK_SECONDS)
        finally:
            await connection.close()

    async def lose_primary(self, seconds: float) -> None:
        """Kill the primary; after so many seconds the standby takes over. What was killed becomes its standby."""
        self.primary.kill()
        await asyncio.sleep(seconds)
        connection = await asyncpg.connect(self.standby.server.endpoint.url)
        try:
            await connection.execute("SELECT pg_promote(wait => true)")
            await connection.execute("ALTER SYSTEM RESET synchronous_standby_names")
            await connection.execute("SELECT pg_reload_conf()")
        finally:
            await connection.close()
        self.primary, self.standby = self.standby, self.primary
        await self.follow()

    def kill(self) -> None:
        """End both."""
        for server in (self.standby, self.primary):
            with suppress(ProcessLookupError):
                server.kill()


@contextmanager
def clustered_servers(folder: Path, command: str) -> Iterator[tuple[Pair, list[PrivateRabbitmq]]]:
    """Both with their data in `folder`; not started, and ended with this block."""
    packages = Packages(here().packages.resolve())
    with ExitStack() as stack:
        stack.enter_context(exclusive(folder, command))
        for part in ("postgres", _STANDBY, *NODES):
            shutil.rmtree(folder / part / "data", ignore_errors=True)
        settled = ports.settle(folder / "cluster-ports.json", _PORTS)
        log = folder / "servers.log"
        primary = Postgres(
            packages, folder / "postgres", log, ordinary_account(), settled["postgres"], durable=False, synced=False
        )
        primary.prepare()
        standby = replace(primary, folder=folder / _STANDBY, port=settled["postgres"] + 1)
        standby.folder.mkdir(exist_ok=True)
        shutil.copy(primary.folder / "superuser_password", standby.folder)
        pair = Pair(PrivatePostgres(primary), PrivatePostgres(standby))
        stack.callback(pair.kill)
        nodes = _nodes(packages, folder, settled)
        stack.callback(processes.stop, nodes[0].server.launch_port_mapper(), signal.SIGTERM, _END_SECONDS)
        for node in nodes:
            stack.callback(node.kill)
        yield pair, nodes


def _nodes(packages: Packages, folder: Path, settled: dict[str, int]) -> list[PrivateRabbitmq]:
    password = secrets.token_hex(16)
    nodes = []
    for number, name in enumerate(NODES):
        amqp, management, distribution = (settled[each] + number for each in ("amqp", "management", "distribution"))
        server = Rabbitmq(
            packages, folder / name, folder / f"{name}.log", Ports(amqp, management, distribution, settled["epmd"]),
            administrator=RABBITMQ_ADMINISTRATOR, password=password, vhost="/", durable=False, name=name, cluster=NODES,
        )  # fmt: skip
        server.prepare()
        nodes.append(PrivateRabbitmq(server))
    cookie = nodes[0].server.folder / "home" / ".erlang.cookie"
    for node in nodes[1:]:
        own = node.server.folder / "home" / ".erlang.cookie"
        own.unlink()
        shutil.copy(cookie, own)
    return nodes
