"""A helpdesk with a Maildir on real servers, and what the tests ask of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, Self

import asyncpg
from aio_pika.abc import AbstractIncomingMessage
from pydantic import SecretStr

from services.fetcher.__main__ import FetcherConfiguration, main
from services.fetcher.concurrently import ByteBudget
from services.fetcher.flow import Check, Findings
from services.fetcher.mailboxes.protocol import Arrivals, ItemKey, Mailbox, MailboxHealth, MailReference
from services.fetcher.mailboxes.registry import open_mailbox
from services.fetcher.publishing import MailPublisher
from services.fetcher.repository.ledger import Ledger
from services.fetcher.repository.mailboxes import ClaimedMailbox, MailboxRepository
from shared.blobs.postgres import PostgresBlobs
from shared.broker.envelope import envelope_from_headers
from shared.broker.publish import Publisher
from shared.broker.topology import MAIL_RAW
from shared.database.pool import Pool
from shared.health import HealthServer
from shared.messages import RawMail
from shared.runtime import Process
from shared.sealing import Keyring, new_key
from tests.databases import Database
from tests.mailboxes.post_offices import MaildirPostOffice
from tests.shared.broker.harness import Queues
from tests.vhosts import Vhost

LEASE = timedelta(seconds=60)
ENCRYPTION_KEY = new_key()
ENCRYPTION = Keyring.from_secret(ENCRYPTION_KEY)
"""What the passwords of the tests' mailboxes are encrypted with."""
NOBODY = SecretStr("amqp://nobody:nothing@127.0.0.1:1/")
"""A broker that is away: nothing listens there."""


def mail(subject: str, body: str = "Goedemorgen,\r\n\r\nhet werkt niet.\r\n") -> bytes:
    """A small mail."""
    return f"From: Jan <jan@klant.example>\r\nSubject: {subject}\r\n\r\n{body}".encode()


def minutes_ago(minutes: float) -> datetime:
    """A recent moment, in whole seconds as a Maildir has them."""
    return datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=minutes)


@dataclass(frozen=True, slots=True)
class Desk:
    """A helpdesk whose importer is on, its Maildir, and the servers."""

    helpdesk_id: int
    post_office: MaildirPostOffice
    database: Database
    vhost: Vhost
    owner: Pool
    queues: Queues

    @classmethod
    async def make(
        cls, name: str, directory: Path, *, database: Database, vhost: Vhost, owner: Pool, queues: Queues
    ) -> Self:
        """Make the helpdesk and its mailbox; nothing in it is special."""
        post_office = MaildirPostOffice(directory / name)
        helpdesk_id = await owner.fetchval(
            """
            WITH calendar AS (INSERT INTO calendars (name) VALUES ($1) RETURNING id)
            INSERT INTO helpdesks (name, calendar_id) SELECT $1, id FROM calendar RETURNING id""",
            name,
        )
        await owner.execute(
            "INSERT INTO statuses (helpdesk_id, name, flag) VALUES ($1, 'E-mail', 'imported')", helpdesk_id
        )
        organisation = await owner.fetchval("INSERT INTO organisations (name) VALUES ('Onbekend') RETURNING id")
        await owner.execute("""
            WITH contact AS (INSERT INTO persons (organisation_id, name) VALUES ($2, 'Onbekend') RETURNING id),
                employee AS (INSERT INTO employees (name) VALUES ('Importer') RETURNING id)
            INSERT INTO importer_settings (helpdesk_id, enabled, kind, server, default_contact_id, default_employee_id)
            SELECT $1, true, 'maildir', $3, contact.id, employee.id FROM contact, employee""",
            helpdesk_id, organisation, str(post_office.root))  # fmt: skip
        return cls(helpdesk_id, post_office, database, vhost, owner, queues)

    async def set(self, **settings: Any) -> None:
        """Change the importer's settings, as the owner of the database."""
        for column, value in settings.items():
            statement = f"UPDATE importer_settings SET {column} = $2 WHERE helpdesk_id = $1"  # noqa: S608 - our names
            await self.owner.execute(statement, self.helpdesk_id, value)

    async def state(self) -> asyncpg.Record:
        """The mailbox's row in mailbox_states."""
        row = await self.owner.fetchrow("SELECT * FROM mailbox_states WHERE helpdesk_id = $1", self.helpdesk_id)
        assert row is not None
        return row

    async def login(self) -> asyncpg.Record:
        """The row in login_states of the login that opens the mailbox."""
        row = await self.owner.fetchrow(
            "SELECT login_states.* FROM login_states JOIN importer_settings USING (login_id) WHERE helpdesk_id = $1",
            self.helpdesk_id,
        )
        assert row is not None
        return row

    async def rows(self) -> list[asyncpg.Record]:
        """The mailbox's mails in the ledger, oldest first."""
        return await self.owner.fetch(
            "SELECT * FROM imported_mails WHERE helpdesk_id = $1 ORDER BY received_at, item_key", self.helpdesk_id
        )

    async def messages(self) -> list[tuple[RawMail, AbstractIncomingMessage]]:
        """Take all that is in the queue mail.raw, in its order."""
        queue = await self.queues.channel.get_queue(MAIL_RAW, ensure=False)
        taken = []
        while (message := await queue.get(no_ack=True, fail=False)) is not None:
            taken.append((envelope_from_headers(message.headers), message))
        return taken

    async def conclude(self, outcome: str, key: ItemKey) -> None:
        """Write a final outcome as ticket_writer does; a duplicate is one of another mail of the mailbox."""
        await self.owner.execute("""
            UPDATE imported_mails AS mail SET outcome = $3, outcome_at = now(),
                reasons = CASE WHEN $3 = 'quarantine' THEN '[{"id": "no-sender"}]'::jsonb ELSE '[]' END,
                duplicate_of = CASE WHEN $3 = 'duplicate' THEN (
                    SELECT mail_id FROM imported_mails WHERE mail_id <> mail.mail_id LIMIT 1) END
            WHERE helpdesk_id = $1 AND item_key = $2""", self.helpdesk_id, key, outcome)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fetching:
    """The fetcher's own parts, as its role in the database and its user at the broker, driven step by step."""

    mailboxes: MailboxRepository
    ledger: Ledger
    publisher: MailPublisher
    stop: asyncio.Event

    @classmethod
    @asynccontextmanager
    async def on(cls, desk: Desk, *, amqp: SecretStr | None = None, holder: str = "test") -> AsyncIterator[Self]:
        """The parts, connected; `amqp` names another broker."""
        async with (
            desk.database.pool("fetcher") as pool,
            Publisher(amqp or desk.vhost.dsn("fetcher"), "fetcher") as broker,
        ):
            blobs = PostgresBlobs(pool)
            ledger = Ledger(pool, blobs)
            yield cls(
                MailboxRepository(pool, holder, ENCRYPTION),
                ledger,
                MailPublisher(broker, ledger, blobs),
                asyncio.Event(),
            )

    async def claim(self) -> ClaimedMailbox:
        """The one mailbox whose turn it is; it keeps its turn."""
        (claimed,) = await self.mailboxes.claim(LEASE, 10)
        await self.mailboxes.release([claimed.helpdesk_id])
        return claimed

    async def check(self, through: type["Faulty"] | None = None, *, claimed: ClaimedMailbox | None = None) -> Findings:
        """What one check of that mailbox finds, through an adapter with a fault if wanted."""
        return (await self.whole_check(through, claimed=claimed)).findings

    async def whole_check(
        self, through: type["Faulty"] | None = None, *, claimed: ClaimedMailbox | None = None
    ) -> Check:
        """One check of that mailbox, done."""
        claimed = claimed or await self.claim()
        mailbox: Mailbox = await open_mailbox(claimed.access)
        try:
            used = mailbox if through is None else through(mailbox)
            budget = ByteBudget(64 * 1024 * 1024)
            check = Check(claimed, used, ledger=self.ledger, publisher=self.publisher, budget=budget, stop=self.stop)
            await check.run()
            if check.findings.reached is not None or (claimed.following is None and claimed.was_followed):
                await self.mailboxes.claim(LEASE, 10)
                await self.mailboxes.record_reached(claimed, check.findings.reached)
                await self.mailboxes.release([claimed.helpdesk_id])
            return check
        finally:
            await mailbox.close()


class Faulty:
    """A real mailbox behind which a test puts a fault, by overriding a method."""

    def __init__(self, mailbox: Mailbox) -> None:
        self.mailbox = mailbox

    @property
    def notifies(self) -> bool:
        return self.mailbox.notifies

    @property
    def listed(self) -> int:
        return self.mailbox.listed

    def unread(self, page_size: int) -> AsyncIterator[tuple[MailReference, ...]]:
        return self.mailbox.unread(page_size)

    async def arrivals(self, state: str | None, since: datetime) -> Arrivals:
        return await self.mailbox.arrivals(state, since)

    async def fetch(self, mail: MailReference, into: BinaryIO, limit: int) -> int:
        return await self.mailbox.fetch(mail, into, limit)

    async def fetch_head(self, mail: MailReference, into: BinaryIO, limit: int) -> int:
        return await self.mailbox.fetch_head(mail, into, limit)

    async def mark_read(self, mail: MailReference) -> None:
        await self.mailbox.mark_read(mail)

    async def move(self, mail: MailReference, folder: str) -> None:
        await self.mailbox.move(mail, folder)

    async def delete(self, mail: MailReference) -> None:
        await self.mailbox.delete(mail)

    async def health_check(self) -> MailboxHealth:
        return await self.mailbox.health_check()

    async def wait_for_change(self) -> None:
        await self.mailbox.wait_for_change()

    async def close(self) -> None:
        await self.mailbox.close()


@asynccontextmanager
async def fetcher(desk: Desk, *, amqp: SecretStr | None = None, lease_seconds: int = 60) -> AsyncIterator[None]:
    """The whole service, running in this process; drained afterwards."""
    secrets = desk.post_office.root.parent / "secrets"
    secrets.mkdir(exist_ok=True)
    (secrets / "encryption_keys").write_text(ENCRYPTION_KEY.get_secret_value(), encoding="ascii")
    configuration = FetcherConfiguration(
        service="fetcher",
        secrets_dir=secrets,
        database_url=desk.database.dsn("fetcher"),
        amqp_url=amqp or desk.vhost.dsn("fetcher"),
        lease_seconds=lease_seconds,
    )
    process = Process(configuration, HealthServer("127.0.0.1", 0))
    running = asyncio.create_task(main(process))
    try:
        yield
    finally:
        process.stop.set()
        async with asyncio.timeout(30):
            await running
