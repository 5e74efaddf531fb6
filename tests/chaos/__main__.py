"""`python -m tests.chaos`: mails while everything fails, and what became of them. `make chaos SEED=n` starts it.

Reads     its command line: SEED (what goes wrong and when; the same each time), MAILS (5000), --disks, --cluster
Does      starts a RabbitMQ and a PostgreSQL of its own, two of each service, a mail server; sends the mails into two
          mailboxes while services, their reading children and both servers are killed, stopped and started again,
          connections dropped, queues full, alarms raised, tables locked, disks full; then lets all drain
Compares  the mailboxes, the ledger, tickets with their texts and pictures, blobs, and what the mail server received;
          `helpdesk-importer reconcile` then compares once more by itself
Writes    .run/chaos/: report.json, differences.txt, reconcile.txt, timeline.svg, logs/
Exit      0 nothing is lost, doubled or misfiled, no mail to people is missing or doubled, and reconcile finds nothing
          that is left to be mended; 1 something is

The hours between tries to send a mail are let pass: what waits for a later try is due at once when all is over.
With --disks this process has a mount namespace of its own (`unshare --mount`, which takes root), in which small disks
(tmpfs) can be full. Without it those faults are left out, and the report has none of them.
With --cluster RabbitMQ has three nodes, which are lost one at a time, the leader too, and PostgreSQL has a synchronous
standby that is promoted when the primary is killed; what was killed becomes the next standby.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Final

import asyncpg
from rich.console import Console

from deploy.local import ports, processes
from deploy.local.checkout import here
from deploy.local.instance import Servers as Endpoints
from tests.acceptance.installation import Installation, fresh_installation
from tests.chaos import report
from tests.chaos.clusters import clustered_servers
from tests.chaos.disks import small_disk
from tests.chaos.plan import FULL_RUN_MAILS, LIKENESS, NODES, ON_CLUSTERS, Kind, faults_for, plan_of
from tests.chaos.run import Chaos, Findings
from tests.chaos.stage import Servers, staged
from tests.databases import Databases, migrated_database
from tests.faults.own_servers import PORTS, private_servers

PATIENCE: Final = 1_200.0
_ON_DISKS: Final = frozenset({Kind.DATABASE_DISK_FULL, Kind.SPOOL_FULL})


async def chaos(seed: int, mails: int, folder: Path, console: Console, *, disks: bool, cluster: bool) -> Findings:
    """A whole run, on servers of its own."""
    left_out = (frozenset() if disks else _ON_DISKS) | (frozenset() if cluster else ON_CLUSTERS)
    kinds = [kind for kind in LIKENESS if kind not in left_out]
    plan = plan_of(seed, faults_for(mails), kinds, nodes=NODES if cluster else ())
    if not disks:
        console.print("No small disk can be made here (that takes root): none will be full.")
    with ExitStack() as ends:
        spool = ends.enter_context(small_disk(folder / "spool")) if disks else None
        console.print("starting RabbitMQ and PostgreSQL …")
        own = await _servers(ends, disks=disks, cluster=cluster)
        endpoints = Endpoints(own.database.server.endpoint, own.brokers[0].server.endpoint)
        findings: list[Findings] = []
        # after a fail-over the server that the database was made on takes no DROP: its data goes with it
        with suppress(asyncpg.ReadOnlySQLTransactionError):
            async with _installed(endpoints, folder) as installation:
                console.print(f"{mails} mails and {len(plan)} faults in {plan[-1].at:.0f} s …")
                async with staged(installation, folder, own=own, spool=spool) as stage:
                    findings.append(await Chaos(stage, seed, plan, PATIENCE, console.print).run(mails))
        return findings[0]


async def _servers(stack: ExitStack, *, disks: bool, cluster: bool) -> Servers:
    """Servers of our own, started, until `stack` ends."""
    folder = here().run.resolve() / "chaos-servers"
    folder.mkdir(parents=True, exist_ok=True)
    disk = None
    if disks:
        shutil.rmtree(folder / "postgres", ignore_errors=True)
        disk = stack.enter_context(small_disk(folder / "postgres"))
    if cluster:
        pair, brokers = stack.enter_context(clustered_servers(folder, "chaos"))
        await asyncio.gather(pair.start(), *(broker.start() for broker in brokers))
        return Servers(brokers, pair=pair, disk=disk)
    settled = ports.settle(folder / "ports.json", PORTS)
    database, broker = stack.enter_context(private_servers(folder, settled, "chaos"))
    await asyncio.gather(database.start(), broker.start())
    return Servers([broker], alone=database, disk=disk)


@asynccontextmanager
async def _installed(endpoints: Endpoints, folder: Path) -> AsyncIterator[Installation]:
    """A database that keeps what it has committed, and a virtual host."""
    secrets = folder / "secrets"
    secrets.mkdir(mode=0o700)
    async with (
        migrated_database(endpoints.postgres) as template,
        fresh_installation(endpoints, Databases(endpoints.postgres, template), secrets) as installation,
    ):
        # a test server is told not to wait for its log; one that loses commits when it is killed proves nothing
        superuser = await asyncpg.connect(endpoints.postgres.url)
        await superuser.execute(f"ALTER DATABASE {installation.database.name} SET synchronous_commit = on")
        await superuser.close()
        yield installation


def main(arguments: Sequence[str]) -> int:
    """The exit code, as the manual above says."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description="See `make help`.")
    parser.add_argument("seed", type=int)
    parser.add_argument("mails", type=int, nargs="?", default=FULL_RUN_MAILS)
    parser.add_argument("--disks", action="store_true")
    parser.add_argument("--cluster", action="store_true")
    given = parser.parse_args(arguments)
    folder = here().run.resolve() / "chaos"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    console = Console(width=None if sys.stdout.isatty() else 160)
    processes.adopt_orphans()
    try:
        whole = chaos(given.seed, given.mails, folder, console, disks=given.disks, cluster=given.cluster)
        findings = asyncio.run(whole)
    finally:
        processes.end_descendants()
    report.write(findings, folder)
    report.show(findings, console, folder)
    return os.EX_OK if not findings.differences else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
