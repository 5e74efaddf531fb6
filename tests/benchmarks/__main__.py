"""`python -m tests.benchmarks`: the rate and the latency of mails through the whole importer. `make bench` starts it.

Reads     an empty, migrated database and a virtual host with the topology, by the services' variables `IMPORTER_…`
Measures  rate: 500 mails at once, of 20 KB and of 76 KB, from the first delivery to the last outcome and to the last
          notification received; latency: 100 mails, five a second, from the delivery to the commit and to the mail
          server; processor time a mail of each service, of the database and of the broker; the classifier's stages
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
from tests.benchmarks.processor_time import parent_of, processor_seconds
from tests.benchmarks.sample import sample_mail

FOLDER: Final = Path(__file__).parents[2] / ".run"
RATE_MAILS: Final = 500
RATE_SIZES: Final = (20_000, 76_000)
LATENCY_MAILS: Final = 100
LATENCY_SIZE: Final = 20_000
LATENCY_PACE: Final = 0.2
WARM_UP: Final = 20
DEADLINE: Final = 300.0
MAILS_OUT: Final = 2
"""For each new ticket: to the ticket manager and to the customer (M2, M4)."""

_POLL: Final = 0.1
_ENDED: Final = "SELECT count(*) FROM helpdesk.imported_mails WHERE outcome IS NOT NULL"
_WHEN: Final = "SELECT item_key, outcome_at FROM helpdesk.imported_mails WHERE item_key = ANY($1)"


@dataclass(frozen=True, slots=True)
class Rate:
    """Mails a second until the last outcome, and until the last notification; processor time in ms a mail."""

    bytes_a_mail: int
    mails: int
    outcomes_a_second: float
    notified_a_second: float
    processor_ms: Mapping[str, float]


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

    async def rate(self, size: int, count: int) -> Rate:
        """Deliver `count` mails at once and wait for all of them."""
        mails = [sample_mail(self._mails + number, size) for number in range(count)]
        before = processor_seconds(self._processes)
        delivered = [self._deliver(mail) for mail in mails]
        outcomes = await self._outcomes(delivered)
        await self._all_notified()
        notified = time.time()
        after = processor_seconds(self._processes)
        spent = {name: (after[name] - before[name]) * 1000 / count for name in self._processes}
        first = min(mail.at for mail in delivered)
        last = max(outcomes.values())
        average = sum(map(len, mails)) // count
        return Rate(average, count, count / (last - first), count / (notified - first), spent)

    async def latency(self, size: int, count: int, pace: float) -> Latency:
        """Deliver a mail every `pace` seconds."""
        delivered = {}
        for _ in range(count):
            mail = sample_mail(self._mails, size)
            delivered[str(message_from_bytes(mail)["From"]).partition("<")[2][:-1]] = self._deliver(mail)
            await asyncio.sleep(pace)
        outcomes = await self._outcomes(list(delivered.values()))
        await self._all_notified()
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

    async def _all_notified(self) -> None:
        await self._smtp.wait_for(MAILS_OUT * self._mails, seconds=DEADLINE)


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
            # every sender is unknown, and each gets his confirmation
            await database.execute("UPDATE helpdesk.helpdesks SET unknown_senders_per_hour = 100000")
            async with running_services(os.environ, mailboxes.parent / "logs") as supervisor, asyncio.timeout(DEADLINE):
                bench = Bench(maildir, database, smtp, await _processes(supervisor, database))
                await bench.rate(LATENCY_SIZE, WARM_UP)
                console.print("latency …")
                latency = await bench.latency(LATENCY_SIZE, LATENCY_MAILS, LATENCY_PACE)
                rates = []
                for size in RATE_SIZES:
                    console.print(f"rate with mails of {size // 1000} KB …")
                    rates.append(await bench.rate(size, RATE_MAILS))
                return rates, latency
        finally:
            await database.close()


def show(console: Console, rates: Sequence[Rate], latency: Latency) -> None:
    """Print the tables."""
    table = Table(title=f"Rate: {RATE_MAILS} mails at once", title_justify="left")
    for column in ("KB a mail", "outcomes/s", "notified/s"):
        table.add_column(column, justify="right")
    for rate in rates:
        figures = (rate.bytes_a_mail / 1000, rate.outcomes_a_second, rate.notified_a_second)
        table.add_row(*(f"{figure:.1f}" for figure in figures))
    console.print(table)
    table = Table(title="Processor time, ms a mail", title_justify="left")
    for column in ("KB a mail", *rates[0].processor_ms, "in all"):
        table.add_column(column, justify="right")
    for rate in rates:
        spent = (*rate.processor_ms.values(), sum(rate.processor_ms.values()))
        table.add_row(f"{rate.bytes_a_mail / 1000:.1f}", *(f"{milliseconds:.1f}" for milliseconds in spent))
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
