"""The importer as a contender: its services as processes, a Maildir with an inbox, and a mail server."""

from __future__ import annotations

import asyncio
import re
import shutil
import statistics
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import asyncpg

from deploy.demo.maildir import Delivered, Maildir
from deploy.demo.organisation import load_organisation
from deploy.demo.running_services import running_services
from deploy.demo.smtp_server import Delivery, SmtpServer
from services.console.supervisor import SERVICES, Supervisor
from tests.acceptance.installation import Installation
from tests.benchmarks.contender import NotDone, Taken
from tests.benchmarks.measured import OURS
from tests.benchmarks.stand import Stand

CUSTOMERS: Final = Path(__file__).with_name("customers.sql")
DEADLINE: Final = 1800.0
"""Seconds within which any number of mails is done."""

_POLL: Final = 0.25
"""Seconds between two looks: when something ended is known from the database and the mail server, not from them."""
_WAITING: Final = """
    SELECT (SELECT count(*) FROM helpdesk.imported_mails WHERE outcome IS NOT NULL) AS ended,
           (SELECT count(*) FROM helpdesk.notifications WHERE state = 'planned') AS planned"""
_OUTCOMES: Final = """
    SELECT item_key, outcome, outcome_at FROM helpdesk.imported_mails WHERE outcome_at >= $1 ORDER BY outcome_at"""
_A_DAY_LATER: Final = """
    UPDATE helpdesk.notifications SET created_at = created_at - interval '1 day'
    WHERE created_at > now() - interval '1 day'"""
_EXPECTED: Final = {"ticket", "supplement"}
_ANSWERS: Final = re.compile(rb"^In-Reply-To:\s*(\S+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Received:
    """A mail that the mail server took, when, for whom, and the Message-ID of what it answers."""

    at: float
    recipient: str
    answers: str


@dataclass(slots=True)
class Importer:
    """The installation, what of it runs, and what was delivered so far."""

    installation: Installation
    maildir: Maildir
    smtp: SmtpServer
    owner: asyncpg.Connection[Any]
    folder: Path
    supervisors: list[Supervisor] = field(default_factory=list)
    delivered: int = 0
    received: list[Received] = field(default_factory=list)
    """What the mail server took."""
    received_bytes: int = 0
    changes: list[float] = field(default_factory=list)
    """When a transaction that changed tickets was heard of, so was committed."""

    looks: int = 0
    name = OURS
    observers = frozenset({"importer_owner"})

    @property
    def database(self) -> str:
        """The importer's own."""
        return self.installation.database.name

    @property
    def processes(self) -> Mapping[str, Sequence[int]]:
        """Those of each service, over all replicas."""
        return {
            name: [pid for each in self.supervisors if (pid := each.states[name].pid) is not None] for name in SERVICES
        }

    @asynccontextmanager
    async def running(self, replicas: int = 1) -> AsyncIterator[None]:
        """The services, so many of each, ready."""
        async with AsyncExitStack() as stack:
            for number in range(replicas):
                logs = self.folder / "logs" / f"{number}"
                running = running_services(self.installation.environment, logs)
                self.supervisors.append(await stack.enter_async_context(running))
            yield
        self.supervisors.clear()

    def deliver(self, mail: bytes) -> Delivered:
        """Put a mail into the mailbox."""
        self.delivered += 1
        return self.maildir.deliver(mail)

    async def take(self, mails: Sequence[bytes]) -> Taken:
        """Until the mail server has the last notification."""
        before = len(self.received)
        began = time.time()
        for mail in mails:
            self.deliver(mail)
        ended = await self.done(began)
        return Taken(ended[-1] - began, len(self.received) - before)

    async def let_a_day_pass(self) -> None:
        """So that nobody meets the limits of mails in three hours (SPEC D10) because of an earlier turn."""
        await self.owner.execute(_A_DAY_LATER)

    async def done(self, since: float) -> list[float]:
        """When each mail's outcome came, in that order, and at last when the last notification was received.

        Raises NotDone for an outcome that no mail of the mix should have, and TimeoutError after `DEADLINE`.
        """
        async with asyncio.timeout(DEADLINE):
            while True:
                self.looks += 1
                row = await self.owner.fetchrow(_WAITING)
                assert row is not None
                if row["ended"] >= self.delivered and not row["planned"]:
                    break
                await asyncio.sleep(_POLL)
        outcomes = await self.outcomes(since)
        return [*outcomes.values(), max([*outcomes.values(), *(mail.at for mail in self.received)])]

    async def outcomes(self, since: float) -> dict[str, float]:
        """When each outcome since then was decided, by the name of the mail's file."""
        self.looks += 1
        rows = await self.owner.fetch(_OUTCOMES, datetime.fromtimestamp(since, UTC))
        if others := {row["outcome"] for row in rows} - _EXPECTED:
            raise NotDone(f"Some mails became {', '.join(others)}: see {self.folder / 'logs'}.")
        return {row["item_key"]: row["outcome_at"].timestamp() for row in rows}

    @property
    def bytes_of_mail_out(self) -> int:
        """The mean of what was sent."""
        return self.received_bytes // max(1, len(self.received))

    async def hear(self, delivery: Delivery) -> None:
        """Note a mail that the mail server took."""
        answers = _ANSWERS.search(delivery.content)
        self.received.append(Received(time.time(), delivery.recipients[0], answers[1].decode() if answers else ""))
        self.received_bytes += len(delivery.content)
        self.smtp.deliveries.clear()

    def hear_of_change(self, *_: object) -> None:
        """Note a transaction."""
        self.changes.append(time.time())


@asynccontextmanager
async def an_importer(stand: Stand) -> AsyncIterator[Importer]:
    """On a database and virtual host of its own, with the sample organisation and the customers; nothing runs yet."""
    folder = stand.folder / "importer"
    shutil.rmtree(folder, ignore_errors=True)
    maildir = Maildir(folder / "mailboxes" / "ict")
    Maildir(folder / "mailboxes" / "facilitair")
    async with stand.installation() as installation, SmtpServer() as smtp:
        console = installation.database.dsn("console").get_secret_value()
        await load_organisation(console, mailboxes=folder / "mailboxes", smtp_port=smtp.port)
        owner = await asyncpg.connect(installation.database.dsn("owner").get_secret_value())
        try:
            async with owner.transaction():
                await owner.execute(CUSTOMERS.read_text(encoding="utf-8"))
            importer = Importer(installation, maildir, smtp, owner, folder)
            smtp.on_delivery = importer.hear
            await owner.add_listener("helpdesk_changes", importer.hear_of_change)
            yield importer
        finally:
            await owner.close()


def percentiles(seconds: Sequence[float]) -> tuple[float, float]:
    """The 50th and the 99th, in milliseconds."""
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    return cuts[49] * 1000, cuts[98] * 1000
