"""`python -m tests.benchmarks`: the rate and the latency of mails through the whole importer. `make bench` starts it.

Reads     an empty, migrated database and a virtual host with the topology, by the services' variables `IMPORTER_…`
Measures  rate: three rounds of 300 mails at once as a helpdesk gets them (`mix`), from the first delivery to the last
          outcome and to the last notification sent; latency: 100 mails, five a second, from the delivery to the commit
          and to the mail server; processor time a mail of each service, of the database and of the broker, commits and
          bytes of its log a mail; commits reach the disk; the classifier's stages
          beside the standard library (`python -m tests.benchmarks.classifier` alone needs no server); each kind of
          mailbox (`python -m tests.benchmarks.mailboxes`)
Writes    .run/benchmark.json
Exit      0 measured (no figure is too bad to pass), 1 mail was still waiting at the deadline
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from email import message_from_bytes
from pathlib import Path
from typing import Final

import asyncpg
from rich.console import Console
from rich.table import Table

from deploy.demo.__main__ import DemoConfiguration
from deploy.demo.maildir import Delivered, Maildir
from deploy.demo.organisation import load_organisation
from deploy.demo.running_services import running_services
from deploy.demo.smtp_server import Delivery, SmtpServer
from services.console.supervisor import Supervisor
from shared.broker.administration import management, vhost_of
from shared.configuration import BrokerAdministration
from shared.errors import ImporterError
from tests.benchmarks import classifier, mailboxes
from tests.benchmarks.mix import mail_of_mix
from tests.benchmarks.processor_time import parent_of, processor_seconds
from tests.benchmarks.sample import sample_mail

FOLDER: Final = Path(__file__).parents[2] / ".run"
RATE_MAILS: Final = 300
ROUNDS: Final = 3
CUSTOMERS: Final = Path(__file__).with_name("customers.sql")
LATENCY_MAILS: Final = 100
LATENCY_SIZE: Final = 20_000
LATENCY_PACE: Final = 0.2
WARM_UP: Final = 40
DEADLINE: Final = 300.0

STATISTICS_SECONDS: Final = 1.2
"""PostgreSQL counts a session's commits a second later."""

_POLL: Final = 0.1
_PLANNED: Final = "SELECT count(*) FROM helpdesk.notifications WHERE state = 'planned'"
_WRITTEN: Final = """
    SELECT xact_commit AS commits, pg_current_wal_lsn() - '0/0' AS log
    FROM pg_stat_database WHERE datname = current_database()"""
_ENDED: Final = "SELECT count(*) FROM helpdesk.imported_mails WHERE outcome IS NOT NULL"
_WHEN: Final = "SELECT item_key, outcome_at FROM helpdesk.imported_mails WHERE item_key = ANY($1)"


@dataclass(frozen=True, slots=True)
class Rate:
    """Mails a second until the last outcome, and until the last notification is sent; the rest for each mail."""

    mails: int
    bytes_a_mail: int
    outcomes_a_second: float
    notified_a_second: float
    processor_ms: Mapping[str, float]
    commits: float
    log_bytes: float
    """Of PostgreSQL's write-ahead log."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds from a delivery to the commit of its outcome, and to its confirmation at the mail server."""

    bytes_a_mail: int
    mails: int
    outcome_p50: float
    outcome_p99: float
    confirmed_p50: float
    confirmed_p99: float


class Bench:
    """The running importer, one mailbox, and what was delivered so far."""

    def __init__(
        self, maildir: Maildir, database: asyncpg.Connection, smtp: SmtpServer, processes: Mapping[str, int]
    ) -> None:
        self._maildir = maildir
        self._database = database
        self._smtp = smtp
        self._processes = processes
        self._mails = 0
        self._confirmed: dict[str, float] = {}
        smtp.on_delivery = self._received

    async def rate(self, mails: Sequence[bytes]) -> Rate:
        """Deliver these at once and wait for all of them."""
        count = len(mails)
        written = await self._written()
        before = processor_seconds(self._processes)
        delivered = [self._deliver(mail) for mail in mails]
        outcomes = await self._outcomes(delivered)
        while await self._database.fetchval(_PLANNED):
            await asyncio.sleep(_POLL)
        notified = time.time()
        after = processor_seconds(self._processes)
        commits, log = (now - then for now, then in zip(await self._written(), written, strict=True))
        first, last = min(mail.at for mail in delivered), max(outcomes.values())
        return Rate(
            mails=count,
            bytes_a_mail=sum(map(len, mails)) // count,
            outcomes_a_second=count / (last - first),
            notified_a_second=count / (notified - first),
            processor_ms={name: (after[name] - before[name]) * 1000 / count for name in self._processes},
            commits=commits / count,
            log_bytes=log / count,
        )

    async def _written(self) -> tuple[int, float]:
        """Commits and bytes of its log so far, once the server has counted what is over."""
        await asyncio.sleep(STATISTICS_SECONDS)
        row = await self._database.fetchrow(_WRITTEN)
        assert row is not None
        return row["commits"], float(row["log"])

    async def latency(self, size: int, count: int, pace: float) -> Latency:
        """Deliver a mail every `pace` seconds."""
        delivered = {}
        for _ in range(count):
            mail = sample_mail(self._mails, size)
            delivered[str(message_from_bytes(mail)["From"]).partition("<")[2][:-1]] = self._deliver(mail)
            await asyncio.sleep(pace)
        outcomes = await self._outcomes(list(delivered.values()))
        while await self._database.fetchval(_PLANNED):
            await asyncio.sleep(_POLL)
        to_outcome = [outcomes[mail.unique_name] - mail.at for mail in delivered.values()]
        to_customer = [self._confirmed[sender] - mail.at for sender, mail in delivered.items()]
        (p50, p99), (confirmed_p50, confirmed_p99) = _percentiles(to_outcome), _percentiles(to_customer)
        return Latency(size, count, p50, p99, confirmed_p50, confirmed_p99)

    async def _received(self, delivery: Delivery) -> None:
        self._confirmed[delivery.recipients[0]] = time.time()

    def _deliver(self, mail: bytes) -> Delivered:
        self._mails += 1
        return self._maildir.deliver(mail)

    async def _outcomes(self, delivered: Sequence[Delivered]) -> dict[str, float]:
        """When each mail got its outcome, once all have one."""
        while await self._database.fetchval(_ENDED) < self._mails:
            await asyncio.sleep(_POLL)
        names = [mail.unique_name for mail in delivered]
        return {row["item_key"]: row["outcome_at"].timestamp() for row in await self._database.fetch(_WHEN, names)}


def _percentiles(seconds: Sequence[float]) -> tuple[float, float]:
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    return cuts[49], cuts[98]


async def _processes(supervisor: Supervisor, database: asyncpg.Connection) -> dict[str, int]:
    """The processes of the services and of both servers, which run on this machine."""
    return {
        **{state.service: state.pid or 0 for state in supervisor.states.values()},
        "database": parent_of(await database.fetchval("SELECT pg_backend_pid()")),
        "broker": await _broker_process(),
    }


async def _broker_process() -> int:
    """RabbitMQ's process, once the node has gathered its first statistics, which hold it."""
    administration = BrokerAdministration.load()
    async with management(administration.management_dsn, vhost_of(administration.amqp_url)) as broker:
        while "os_pid" not in (node := (await broker.get("nodes"))[0]):
            await asyncio.sleep(_POLL)
    return int(node["os_pid"])


async def measure(console: Console, configuration: DemoConfiguration) -> tuple[list[Rate], Latency]:
    """Start everything, warm up, and measure."""
    mailboxes = FOLDER / "benchmark" / "mailboxes"
    shutil.rmtree(mailboxes.parent, ignore_errors=True)
    maildir = Maildir(mailboxes / "ict")
    Maildir(mailboxes / "facilitair")
    async with SmtpServer() as smtp:
        await load_organisation(configuration.as_role("console"), mailboxes=mailboxes, smtp_port=smtp.port)
        database = await asyncpg.connect(configuration.as_role("owner"))
        try:
            async with database.transaction():
                await database.execute(CUSTOMERS.read_text(encoding="utf-8"))
            async with running_services(os.environ, mailboxes.parent / "logs") as supervisor, asyncio.timeout(DEADLINE):
                bench = Bench(maildir, database, smtp, await _processes(supervisor, database))
                await bench.rate([mail_of_mix(number) for number in range(WARM_UP)])
                console.print("latency …")
                latency = await bench.latency(LATENCY_SIZE, LATENCY_MAILS, LATENCY_PACE)
                rates = []
                for run in range(1, ROUNDS + 1):
                    console.print(f"rate, round {run} of {ROUNDS} …")
                    rates.append(await bench.rate([mail_of_mix(number, run) for number in range(RATE_MAILS)]))
                return rates, latency
        finally:
            await database.close()


def show(console: Console, rates: Sequence[Rate], latency: Latency) -> None:
    """Print the tables."""
    table = Table(
        title=f"Rate: {RATE_MAILS} mails at once, in {ROUNDS} rounds; each column a round", title_justify="left"
    )
    table.add_column("")
    for run, _ in enumerate(rates, start=1):
        table.add_column(f"round {run}", justify="right")
    table.add_row("KB a mail", *(f"{rate.bytes_a_mail / 1000:.0f}" for rate in rates))
    table.add_row("outcomes/s", *(f"{rate.outcomes_a_second:.1f}" for rate in rates))
    table.add_row("notified/s", *(f"{rate.notified_a_second:.1f}" for rate in rates))
    for name in rates[0].processor_ms:
        table.add_row(f"{name}, ms of processor", *(f"{rate.processor_ms[name]:.1f}" for rate in rates))
    table.add_row("in all", *(f"{sum(rate.processor_ms.values()):.1f}" for rate in rates))
    table.add_row("commits a mail", *(f"{rate.commits:.1f}" for rate in rates))
    table.add_row("KB of log a mail", *(f"{rate.log_bytes / 1000:.0f}" for rate in rates))
    console.print(table)
    table = Table(title=f"Latency: {LATENCY_MAILS} mails, {1 / LATENCY_PACE:.0f} a second", title_justify="left")
    for column in ("from the delivery to", "p50 ms", "p99 ms"):
        table.add_column(column, justify="right")
    table.add_row("the outcome's commit", f"{latency.outcome_p50 * 1000:.0f}", f"{latency.outcome_p99 * 1000:.0f}")
    confirmed = (latency.confirmed_p50, latency.confirmed_p99)
    table.add_row("the confirmation received", *(f"{seconds * 1000:.0f}" for seconds in confirmed))
    console.print(table)


def main() -> int:
    """The exit code, as the manual above says."""
    console = Console(width=None if sys.stdout.isatty() else 160)
    try:
        rates, latency = asyncio.run(measure(console, DemoConfiguration.load()))
    except TimeoutError:
        console.print(f"After {DEADLINE:.0f} s mail still waits: see the logs in {FOLDER / 'benchmark' / 'logs'}.")
        return 1
    except ImporterError as error:
        console.print(str(error))
        return 1
    show(console, rates, latency)
    stages, peaks = classifier.measure()
    classifier.show(console, stages, peaks)
    costs = mailboxes.measure(console)
    mailboxes.show(console, costs)
    report = FOLDER / "benchmark.json"
    content = {
        "end_to_end": {"mails_per_s": statistics.median(rate.notified_a_second for rate in rates)},
        "cpu_ms": {
            name: statistics.median(rate.processor_ms[name] for rate in rates) for name in rates[0].processor_ms
        },
        "rates": [asdict(rate) for rate in rates],
        "latency": asdict(latency),
        "classifier": {"stages": [asdict(stage) for stage in stages], "peak_mb": peaks},
        "mailboxes": [asdict(cost) for cost in costs],
    }
    report.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    console.print(f"Written to {report}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
