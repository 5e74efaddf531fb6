"""The servers that everything is measured on: their processes, their counters, and room for each contender."""

from __future__ import annotations

import asyncio
import os
import platform
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex
from typing import Any, Final

import asyncpg
from pydantic import SecretStr

from deploy.local.instance import Servers
from shared.broker.administration import management
from tests.acceptance.installation import Installation, fresh_installation
from tests.benchmarks.measured import Machine, Statement
from tests.benchmarks.processes import is_called, parent_of
from tests.databases import Databases, migrated_database

STATISTICS_SECONDS: Final = 1.2
"""PostgreSQL counts a session's commits a second later."""
_DURABLE: Final = ("fsync", "synchronous_commit", "full_page_writes", "wal_sync_method", "shared_buffers")
_MOST_STATEMENTS: Final = 12
_POLL: Final = 0.1

_COMMITS: Final = """
    SELECT xact_commit AS commits, pg_current_wal_lsn() - '0/0' AS log FROM pg_stat_database WHERE datname = $1"""
_CALLS: Final = """
    SELECT rolname AS role, sum(calls) AS calls
    FROM pg_stat_statements JOIN pg_roles ON pg_roles.oid = userid JOIN pg_database ON pg_database.oid = dbid
    WHERE datname = $1 GROUP BY rolname"""
_DEAREST: Final = """
    SELECT rolname AS role, query, calls, total_exec_time AS milliseconds
    FROM pg_stat_statements JOIN pg_roles ON pg_roles.oid = userid JOIN pg_database ON pg_database.oid = dbid
    WHERE datname = $1 AND rolname LIKE 'importer%' AND rolname <> 'importer_owner'
    ORDER BY total_exec_time DESC LIMIT $2"""


@dataclass(frozen=True, slots=True)
class Written:
    """Counters of a database so far."""

    commits: int
    log_bytes: float
    statements: dict[str, float]


@dataclass(frozen=True, slots=True)
class Stand:
    """Both servers, a folder for files, and the superuser's connection."""

    servers: Servers
    databases: Databases
    folder: Path
    superuser: asyncpg.Connection[Any]
    processes: dict[str, list[int]]
    """Of the servers, as far as they are on this machine: `database`, `broker`."""
    counts_statements: bool
    rabbitmq: str

    @asynccontextmanager
    async def installation(self) -> AsyncIterator[Installation]:
        """A database and a virtual host for the importer, with two readers as by default."""
        secrets = self.folder / "secrets" / token_hex(4)
        secrets.mkdir(parents=True)
        async with fresh_installation(self.servers, self.databases, secrets) as fresh:
            del fresh.environment["IMPORTER_READERS"]
            try:
                yield fresh
            finally:
                await self.superuser.execute(
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1",
                    fresh.database.name,
                )

    async def written(self, database: str) -> Written:
        """The counters of a database, once the server has counted what is over."""
        await asyncio.sleep(STATISTICS_SECONDS)
        row = await self.superuser.fetchrow(_COMMITS, database)
        assert row is not None
        calls = await self.superuser.fetch(_CALLS, database) if self.counts_statements else []
        return Written(row["commits"], float(row["log"]), {each["role"]: float(each["calls"]) for each in calls})

    async def forget_statements(self) -> None:
        """Count from nothing again."""
        if self.counts_statements:
            await self.superuser.execute("SELECT pg_stat_statements_reset()")

    async def dearest_statements(self, database: str, mails: int) -> list[Statement]:
        """Those of the services that took the database most time."""
        if not self.counts_statements:
            return []
        rows = await self.superuser.fetch(_DEAREST, database, _MOST_STATEMENTS)
        return [
            Statement(row["role"], " ".join(row["query"].split()), row["calls"] / mails, row["milliseconds"] / mails)
            for row in rows
        ]

    async def machine(self, queues: str) -> Machine:
        """What all runs on."""
        settings = {name: await self.superuser.fetchval("SELECT current_setting($1)", name) for name in _DURABLE}
        return Machine(
            date=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
            processor=_processor(),
            processors=len(os.sched_getaffinity(0)),
            memory_gb=round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
            kernel=platform.release(),
            python=platform.python_version(),
            postgres=await self.superuser.fetchval("SELECT current_setting('server_version')"),
            rabbitmq=self.rabbitmq,
            settings=settings,
            queues=queues,
        )


@asynccontextmanager
async def open_stand(servers: Servers, folder: Path) -> AsyncIterator[Stand]:
    """Both servers, looked at; what was made on them is dropped at the end."""
    superuser = await asyncpg.connect(servers.postgres.url)
    try:
        counts = "pg_stat_statements" in await superuser.fetchval("SHOW shared_preload_libraries")
        if counts:
            await superuser.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        node = await _node(servers)
        found = {
            "database": (parent_of(await superuser.fetchval("SELECT pg_backend_pid()")), "postgres"),
            "broker": (int(node["os_pid"]), "beam.smp"),
        }
        processes = {name: [process] for name, (process, called) in found.items() if is_called(process, called)}
        rabbitmq = next(each["version"] for each in node["applications"] if each["name"] == "rabbit")
        async with migrated_database(servers.postgres) as template:
            databases = Databases(servers.postgres, template)
            try:
                yield Stand(servers, databases, folder, superuser, processes, counts, rabbitmq)
            finally:
                await databases.drop()
    finally:
        await superuser.close()


async def _node(servers: Servers) -> dict[str, Any]:
    """RabbitMQ's node, once it has gathered its first statistics, which hold its process."""
    async with management(SecretStr(servers.rabbitmq.management_url), "/") as broker:
        while "os_pid" not in (node := (await broker.get("nodes"))[0]):
            await asyncio.sleep(_POLL)
    return dict(node)


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
