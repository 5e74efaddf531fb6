"""All that a run stands on: servers, lines, the services twice, a mail server, mailboxes; and the power over them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Final
from urllib.parse import urlencode, urlsplit

import asyncpg

from deploy.demo.maildir import Maildir
from deploy.demo.organisation import load_organisation
from deploy.demo.running_services import running_services
from deploy.demo.smtp_server import Delivery, SmtpServer
from deploy.local import processes
from services.console.supervisor import Condition, ServiceState, Supervisor
from tests.acceptance.installation import Installation
from tests.chaos.clusters import Pair
from tests.chaos.comparison import Receipt
from tests.chaos.disks import Disk
from tests.chaos.lines import Line
from tests.chaos.plan import REPLICAS
from tests.chaos.records import receipt_of
from tests.faults.own_servers import PrivatePostgres, PrivateRabbitmq

MAILBOXES: Final = ("ict", "facilitair")
LARGEST_MAIL: Final = 1024 * 1024
"""Bytes above which a mail is too large here (D17)."""
CUSTOMERS: Final = Path(__file__).parents[1] / "benchmarks" / "customers.sql"
"""Contacts, and the tickets 1000001 to 1001000 that supplements answer."""
CUT_BEFORE: Final = 1.0
"""Seconds before the end of a connection in which an answer may have been on its way."""


@dataclass(slots=True)
class Post:
    """The mail server behind its line, and what it took; `cuts` are when answers may not have come through."""

    server: SmtpServer
    taken: list[tuple[Delivery, float, bool]] = field(default_factory=list)
    cuts: list[tuple[float, float]] = field(default_factory=list)
    deaths: list[float] = field(default_factory=list)
    """When a notifier died."""
    _stalls: list[float] = field(default_factory=list)
    """When those began that last: what was answered since then may not have come through yet."""

    async def take(self, delivery: Delivery) -> None:
        """Note what was taken, and whether its answer is about to be kept back."""
        self.taken.append((delivery, time.time(), self.server.break_after_data > 0))

    @contextmanager
    def cutting(self) -> Iterator[None]:
        """Connections end within this block: answers to what was taken just before, or in a stall, get lost."""
        begin = min([time.time(), *self._stalls]) - CUT_BEFORE
        try:
            yield
        finally:
            self.cuts.append((begin, time.time()))

    @contextmanager
    def stalling(self) -> Iterator[None]:
        """Answers come late within this block."""
        began = time.time()
        self._stalls.append(began)
        try:
            yield
        finally:
            self._stalls.remove(began)

    def receipts(self) -> list[Receipt]:
        """What was taken, in its order."""
        return [
            receipt_of(delivery, at, cut=broken or any(begin <= at <= end for begin, end in self.cuts))
            for delivery, at, broken in self.taken
        ]


@dataclass(frozen=True, slots=True)
class Servers:
    """Servers that are ours to kill."""

    brokers: Sequence[PrivateRabbitmq]
    alone: PrivatePostgres | None = None
    pair: Pair | None = None
    """In the place of one `alone`."""
    disk: Disk | None = None
    """Under the first PostgreSQL."""

    @property
    def database(self) -> PrivatePostgres:
        """The PostgreSQL that is written to."""
        database = self.alone if self.pair is None else self.pair.primary
        assert database is not None
        return database


@dataclass(slots=True)
class Stage:
    """A running importer. `own` is None where the servers are not ours; `spool` where no disk could be made."""

    installation: Installation
    mailboxes: Path
    post: Post
    lines: Mapping[str, Sequence[Line]]
    """By server: «RabbitMQ», «PostgreSQL» (one for each of a pair), «mail server»."""
    supervisors: Sequence[Supervisor]
    own: Servers | None = None
    spool: Disk | None = None

    def process_of(self, replica: str) -> int | None:
        """The process of «classifier 2», or of its twin when that one does not run at the moment."""
        service, _, number = replica.partition(" ")
        mine = int(number) - 1
        for supervisor in (self.supervisors[mine], *self.supervisors):
            state = supervisor.states[service]
            if state.pid is not None and state.condition in {Condition.READY, Condition.NOT_READY, Condition.STARTING}:
                return state.pid
        return None

    @asynccontextmanager
    async def look(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection of the superuser, past all lines."""
        database = self.installation.database
        server = database.server if self.own is None else self.own.database.server.endpoint
        connection = await asyncpg.connect(server.database(database.name), timeout=10)
        try:
            yield connection
        finally:
            with suppress(OSError, asyncpg.PostgresError, TimeoutError):
                await connection.close(timeout=5)


@asynccontextmanager
async def staged(
    installation: Installation, folder: Path, *, own: Servers | None = None, spool: Disk | None = None
) -> AsyncIterator[Stage]:
    """The sample organisation with its customers, two mailboxes, and two of each service on lines, for a block."""
    mailboxes = folder / "mailboxes"
    for name in MAILBOXES:
        Maildir(mailboxes / name)
    database = installation.database
    async with AsyncExitStack() as stack:
        smtp = await stack.enter_async_context(SmtpServer())
        post = Post(smtp)
        smtp.on_delivery = post.take
        lines = {
            "mail server": [Line([(smtp.host, smtp.port)], owner="notifier")],
            "RabbitMQ": [Line(_brokers(installation, own))],
            "PostgreSQL": [Line([address]) for address in _databases(installation, own)],
        }
        for line in chain.from_iterable(lines.values()):
            await stack.enter_async_context(line)
        await load_organisation(
            database.dsn("console").get_secret_value(), mailboxes=mailboxes, smtp_port=lines["mail server"][0].port
        )
        await _load_customers(database.dsn("owner").get_secret_value())
        environment = _through(installation.environment, lines)
        if spool is not None:
            environment |= {"TMPDIR": str(spool.folder)}
        supervisors = [
            await stack.enter_async_context(running_services(environment, folder / "logs" / str(number)))
            for number in range(1, REPLICAS + 1)
        ]
        for supervisor in supervisors:
            supervisor.on_change = lambda state: _note_death(post, state)
        yield Stage(installation, mailboxes, post, lines, supervisors, own, spool)


async def _load_customers(owner: str) -> None:
    connection = await asyncpg.connect(owner)
    try:
        async with connection.transaction():
            await connection.execute(CUSTOMERS.read_text(encoding="utf-8"))
            await connection.execute("UPDATE helpdesk.importer_settings SET max_mail_bytes = $1", LARGEST_MAIL)
    finally:
        await connection.close()


def _through(environment: Mapping[str, str], lines: Mapping[str, Sequence[Line]]) -> dict[str, str]:
    """The environment of services that reach their servers over these lines."""
    changed = dict(environment)
    # as in production: whoever is killed soon after its start condemns no mail
    del changed["IMPORTER_SUSPECTS_AFTER_SECONDS"]
    [broker] = lines["RabbitMQ"]
    amqp = urlsplit(changed["IMPORTER_AMQP_URL"])._replace(netloc=f"127.0.0.1:{broker.port}")
    ports = [str(line.port) for line in lines["PostgreSQL"]]
    hosts = {"host": ",".join("127.0.0.1" for _ in ports), "port": ",".join(ports)}
    several = {"target_session_attrs": "primary"} if len(ports) > 1 else {}
    # without TLS: a line reads whose connection it is
    query = urlencode({**hosts, **several, "sslmode": "disable"}, safe=",")
    database = urlsplit(changed["IMPORTER_DATABASE_URL"]).path
    return changed | {"IMPORTER_AMQP_URL": amqp.geturl(), "IMPORTER_DATABASE_URL": f"postgresql://{database}?{query}"}


def _brokers(installation: Installation, own: Servers | None) -> list[tuple[str, int]]:
    if own is None:
        return [_address(installation.environment["IMPORTER_AMQP_URL"])]
    return [("127.0.0.1", broker.server.ports.amqp) for broker in own.brokers]


def _databases(installation: Installation, own: Servers | None) -> list[tuple[str, int]]:
    if own is None or own.pair is None:
        return [_address(installation.environment["IMPORTER_DATABASE_URL"])]
    return [("127.0.0.1", database.server.port) for database in (own.pair.primary, own.pair.standby)]


def _address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "127.0.0.1", parts.port or 0


def _note_death(post: Post, state: ServiceState) -> None:
    if state.service == "notifier" and state.condition is Condition.WAITING and state.last_exit != os.EX_OK:
        post.deaths.append(time.time())


def signal_all(process: int, number: signal.Signals) -> None:
    """Send a signal to a process and to all that it started."""
    for each in (process, *(child.pid for child in processes.descendants(process))):
        with suppress(ProcessLookupError):
            os.kill(each, number)
