"""A small world in a real database, and the service on it, as the service's own role."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from services.ticket_writer.flow import Writer
from services.ticket_writer.repository import Repository
from shared.blobs.postgres import PostgresBlobs
from shared.database.pool import Pool, transaction
from shared.messages import BlobReference, ClassifiedMail, Outcome
from tests.databases import Database

DESK = Path(__file__).with_name("desk.sql").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Desk:
    """The world: `pool` is the service's own, `owner` may look and change everything."""

    pool: Pool
    owner: Pool

    @property
    def repository(self) -> Repository:
        """The service's database."""
        return Repository(self.pool)

    @property
    def writer(self) -> Writer:
        """What the service does with a mail, without telling anybody."""
        return Writer(self.repository, PostgresBlobs(self.pool))

    async def fetch(self, mail: ClassifiedMail, *, forced_from: ClassifiedMail | None = None) -> ClassifiedMail:
        """Put the mail in the ledger and its images in the blob store, as fetcher and classifier do."""
        blobs = PostgresBlobs(self.owner)
        async with transaction(self.owner) as connection:
            raw = await blobs.put(connection, mail.mail_id, f"raw {mail.mail_id}".encode())
            await connection.execute(
                """INSERT INTO imported_mails (mail_id, helpdesk_id, generation, folder, item_key, force_number,
                       forced_from, raw_sha256, raw_size, full_size, received_at, published_at)
                   VALUES ($1, $2, 1, 'INBOX', $3, $4, $5, $6, $7, $7, $8, now())""",
                mail.mail_id,
                mail.helpdesk_id,
                str((forced_from or mail).mail_id),
                0 if forced_from is None else 1,
                None if forced_from is None else forced_from.mail_id,
                bytes.fromhex(raw.sha256),
                raw.size,
                mail.received_at,
            )
            images = [(image, image.rendition, image.thumbnail) for image in mail.images]
            for stored in (each for several in images for each in several if each is not None):
                await connection.execute(
                    "INSERT INTO blobs (sha256, byte_size) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                    bytes.fromhex(stored.blob.sha256),
                    stored.blob.size,
                )
                await connection.execute(
                    "INSERT INTO mail_blobs (mail_id, sha256) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                    mail.mail_id,
                    bytes.fromhex(stored.blob.sha256),
                )
        return mail

    async def store(self, mail: ClassifiedMail, content: bytes) -> BlobReference:
        """Bytes in the blob store for a mail that is in the ledger."""
        async with transaction(self.owner) as connection:
            return await PostgresBlobs(self.owner).put(connection, mail.mail_id, content)

    async def write(self, mail: ClassifiedMail) -> Outcome:
        """Let the service write a mail that is in the ledger."""
        return (await self.writer.write(mail, mail.received_at)).outcome

    async def take_in(self, mail: ClassifiedMail) -> Outcome:
        """Fetch and write a mail."""
        return await self.write(await self.fetch(mail))

    async def row(self, query: str, *parameters: Any) -> asyncpg.Record:
        """The one row of a query."""
        (only,) = await self.rows(query, *parameters)
        return only

    async def rows(self, query: str, *parameters: Any) -> Sequence[asyncpg.Record]:
        """The rows of a query."""
        rows: Sequence[asyncpg.Record] = await self.owner.fetch(query, *parameters)
        return rows

    async def value(self, query: str, *parameters: Any) -> Any:
        """The one value of a query."""
        return await self.owner.fetchval(query, *parameters)

    async def execute(self, query: str, *parameters: Any) -> None:
        """Change the world."""
        await self.owner.execute(query, *parameters)

    async def ticket_of(self, mail: ClassifiedMail) -> asyncpg.Record:
        """The ticket that a mail became."""
        return await self.row("SELECT * FROM tickets WHERE mail_id = $1", mail.mail_id)

    async def supplement_of(self, mail: ClassifiedMail) -> asyncpg.Record:
        """The supplement that a mail became."""
        return await self.row("SELECT * FROM supplements WHERE mail_id = $1", mail.mail_id)

    async def ledger_of(self, mail: ClassifiedMail) -> asyncpg.Record:
        """The ledger's row of a mail."""
        return await self.row("SELECT * FROM imported_mails WHERE mail_id = $1", mail.mail_id)

    async def everything(self) -> dict[str, int]:
        """How many rows the tables have that the service writes."""
        tables = ("tickets", "supplements", "ticket_history", "attachments", "content_keys", "notifications")
        return {table: await self.value(f"SELECT count(*) FROM {table}") for table in tables}  # noqa: S608


@pytest.fixture
async def desk(database: Database) -> AsyncIterator[Desk]:
    """The small world of `desk.sql`, with a pool of ten connections as importer_ticket_writer."""
    async with database.pool("owner") as owner, database.pool("ticket_writer", max_size=10) as pool:
        await owner.execute(DESK)
        yield Desk(pool, owner)
