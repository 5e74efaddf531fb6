"""The whole importer as a test sees it: drop a mail into a mailbox, await what becomes of it."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import asyncpg

from deploy.demo.maildir import Maildir
from deploy.demo.organisation import load_earlier_tickets, load_organisation
from deploy.demo.running_services import running_services
from deploy.demo.smtp_server import Delivery, SmtpServer
from services.console.supervisor import Supervisor
from tests.acceptance.installation import Installation

DEADLINE: Final = 60.0
"""Seconds within which a fact must hold, also on a machine that does much else; a mail takes a fraction of one."""
_POLL: Final = 0.05

Row = asyncpg.Record
T = TypeVar("T")

_numbers = itertools.count(1)


def a_mail(
    *,
    subject: str | None = None,
    sender: str = "Sanne Visser <sanne.visser@goudenaar.example>",
    text: str = "Goedemorgen, kunnen jullie hiernaar kijken?",
    **headers: str,
) -> EmailMessage:
    """A plain mail with a subject and Message-ID that no other test has; headers in snake case."""
    number = next(_numbers)
    mail = EmailMessage(policy=SMTP)
    mail["From"] = sender
    mail["To"] = "servicedesk@oosterdam-services.example"
    mail["Subject"] = f"Vraag {number}" if subject is None else subject
    mail["Date"] = format_datetime(datetime.now(UTC))
    mail["Message-ID"] = f"<{number}.{id(mail)}@test.example>"
    for name, value in headers.items():
        mail[name.replace("_", "-").title()] = value
    mail.set_content(text)
    return mail


@dataclass(frozen=True, slots=True)
class Pipeline:
    """An installation with the sample organisation, two mailboxes and a mail server, for the four services."""

    installation: Installation
    mailboxes: Path
    smtp: SmtpServer
    connection: asyncpg.Pool[Row]
    """As the owner, for looking."""

    def drop(self, mail: EmailMessage | bytes, mailbox: str = "ict", *, arrived: float | None = None) -> str:
        """Deliver a mail; its unique name, by which the ledger knows it."""
        content = mail if isinstance(mail, bytes) else mail.as_bytes()
        return Maildir(self.mailboxes / mailbox).deliver(content, arrived=arrived).unique_name

    async def outcome(self, name: str) -> Row:
        """The ledger's row of a mail, once it has an outcome."""
        return await self.row(
            "SELECT imported_mails.*, tickets.number AS ticket_number FROM helpdesk.imported_mails"
            " LEFT JOIN helpdesk.tickets ON tickets.id = ticket_id"
            " WHERE item_key = $1 AND outcome IS NOT NULL",
            name,
        )

    async def ticket(self, mail: EmailMessage | bytes, mailbox: str = "ict") -> Row:
        """Deliver a mail and await the ticket that it becomes."""
        outcome = await self.outcome(self.drop(mail, mailbox))
        assert outcome["outcome"] == "ticket", f"{outcome['outcome']}: {outcome['reasons']}"
        return await self.row("SELECT * FROM helpdesk.tickets WHERE id = $1", outcome["ticket_id"])

    async def supplement(self, mail: EmailMessage | bytes, mailbox: str = "ict") -> Row:
        """Deliver a mail and await the supplement that it becomes."""
        outcome = await self.outcome(self.drop(mail, mailbox))
        assert outcome["outcome"] == "supplement", f"{outcome['outcome']}: {outcome['reasons']}"
        return await self.row("SELECT * FROM helpdesk.supplements WHERE id = $1", outcome["supplement_id"])

    async def notifications(self, mail_id: Any) -> dict[str, Row]:
        """The notifications of a mail by kind, once none of them is planned any more."""

        async def settled() -> dict[str, Row] | None:
            rows = await self.connection.fetch("SELECT * FROM helpdesk.notifications WHERE mail_id = $1", mail_id)
            is_settled = bool(rows) and all(row["state"] != "planned" for row in rows)
            return {row["kind"]: row for row in rows} if is_settled else None

        return await eventually(settled, "notifications of the mail")

    def received(self, message_id: str) -> list[Delivery]:
        """What the mail server got with this Message-ID."""
        return [delivery for delivery in self.smtp.deliveries if message_id.encode() in delivery.content]

    async def reasons(self, name: str) -> list[str]:
        """The ids of the reasons that a mail's outcome has."""
        return [reason["id"] for reason in json.loads((await self.outcome(name))["reasons"])]

    async def row(self, query: str, *arguments: Any) -> Row:
        """The row that the query finds, once it finds one."""
        return await eventually(lambda: self.connection.fetchrow(query, *arguments), query)

    async def queues_empty(self) -> None:
        """Return once no queue holds a message, ready or in a service's hands."""

        async def empty() -> bool:
            queues = await self.installation.management.get(f"queues/{self.installation.management.vhost}")
            return all(queue.get("messages", 1) == 0 for queue in queues)

        await eventually(empty, "empty queues")


@dataclass(frozen=True, slots=True)
class SupervisedPipeline(Pipeline):
    """With the services running under their supervisor, as `helpdesk-importer run` does it."""

    supervisor: Supervisor


async def eventually(fact: Callable[[], Awaitable[T | None]], what: str, *, seconds: float = DEADLINE) -> T:
    """The first answer of `fact` that is true; fails with `what` at the deadline."""
    try:
        async with asyncio.timeout(seconds):
            while not (answer := await fact()):
                await asyncio.sleep(_POLL)
            return answer
    except TimeoutError:
        raise AssertionError(f"not within {seconds:.0f} s: {what}") from None


@asynccontextmanager
async def prepared_pipeline(installation: Installation, folder: Path) -> AsyncIterator[Pipeline]:
    """Load the sample organisation and open the mail server; no service runs."""
    mailboxes = folder / "mailboxes"
    for name in ("ict", "facilitair"):
        Maildir(mailboxes / name)
    database = installation.database
    owner = database.dsn("owner").get_secret_value()
    async with SmtpServer() as smtp:
        await load_organisation(database.dsn("console").get_secret_value(), mailboxes=mailboxes, smtp_port=smtp.port)
        await load_earlier_tickets(owner)
        async with asyncpg.create_pool(owner, min_size=1, max_size=2) as pool:
            yield Pipeline(installation, mailboxes, smtp, pool)


@asynccontextmanager
async def running_pipeline(installation: Installation, folder: Path) -> AsyncIterator[SupervisedPipeline]:
    """Prepare a pipeline, start everything, and stop it at the end; logs are in `folder`/logs."""
    async with (
        prepared_pipeline(installation, folder) as ready,
        running_services(installation.environment, folder / "logs") as supervisor,
    ):
        yield SupervisedPipeline(ready.installation, ready.mailboxes, ready.smtp, ready.connection, supervisor)
