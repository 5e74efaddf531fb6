"""Blobs: what was put in comes out, once, streamed, verified, and stays as long as somebody needs it."""

import asyncio
import hashlib
import io
import os
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from shared.blobs.claim_check import check_in, check_out, verified
from shared.blobs.postgres import PostgresBlobs
from shared.blobs.store import CHUNK_SIZE, BlobDamaged, BlobMissing, BlobTooLarge
from shared.database.pool import Connection, Pool, transaction
from shared.messages import INLINE_LIMIT, BlobReference, Bodies, Body, StoredBody

AT_ONCE = timedelta(0)


@pytest.fixture
async def owner(database: Any) -> AsyncIterator[Pool]:
    async with database.pool("owner") as pool:
        await pool.execute("INSERT INTO calendars (name) VALUES ('Kantoor')")
        await pool.execute("INSERT INTO helpdesks (name, calendar_id) SELECT 'Support', id FROM calendars")
        await pool.execute("INSERT INTO importer_settings (helpdesk_id) SELECT id FROM helpdesks")
        yield pool


@pytest.fixture
async def pool(database: Any, owner: Pool) -> AsyncIterator[Pool]:
    """As the fetcher, who stores most."""
    assert owner is not None  # the helpdesk is there first
    async with database.pool("fetcher") as pool:
        yield pool


@pytest.fixture
def blobs(pool: Pool) -> PostgresBlobs:
    return PostgresBlobs(pool)


async def take_in(connection: Connection, blobs: PostgresBlobs, raw: bytes | io.BufferedIOBase) -> Any:
    """A mail with these raw bytes: the blob first, the ledger's row after it, as the fetcher does."""
    mail_id = uuid.uuid4()
    reference = await blobs.put(connection, mail_id, raw)  # type: ignore[arg-type]  # any binary file will do
    await connection.execute(
        "INSERT INTO imported_mails (mail_id, helpdesk_id, generation, folder, item_key, raw_sha256, raw_size,"
        " full_size, received_at) SELECT $1, helpdesk_id, 1, 'INBOX', $2, $3, $4, $4, now() FROM importer_settings",
        mail_id, str(mail_id), bytes.fromhex(reference.sha256), reference.size,
    )  # fmt: skip
    return mail_id, reference


@pytest.fixture
def take(pool: Pool, blobs: PostgresBlobs) -> Callable[[Any], Awaitable[tuple[uuid.UUID, BlobReference]]]:
    async def taken(raw: Any) -> tuple[uuid.UUID, BlobReference]:
        async with transaction(pool) as connection:
            mail_id, reference = await take_in(connection, blobs, raw)
            return mail_id, reference

    return taken


@pytest.mark.parametrize(
    "size",
    [0, 1, INLINE_LIMIT + 1, CHUNK_SIZE, CHUNK_SIZE + 1, 3 * CHUNK_SIZE + 7],
    ids=["empty", "one byte", "above inline", "one chunk", "a byte more", "several chunks"],
)
async def test_what_is_put_in_comes_out(take: Any, blobs: PostgresBlobs, size: int) -> None:
    content = os.urandom(size)
    _, reference = await take(content)
    assert reference == BlobReference(sha256=hashlib.sha256(content).hexdigest(), size=size)
    assert await blobs.read(reference, limit=size) == content
    chunks = [chunk async for chunk in blobs.stream(reference)]
    assert b"".join(chunks) == content
    assert all(len(chunk) <= CHUNK_SIZE for chunk in chunks)


async def test_a_file_is_read_from_where_it_stands_a_chunk_at_a_time(take: Any, blobs: PostgresBlobs) -> None:
    largest = 0

    class Watched(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            nonlocal largest
            chunk = super().read(size)
            largest = max(largest, len(chunk))
            return chunk

    content = os.urandom(5 * CHUNK_SIZE)
    file = Watched(b"skipped" + content)
    file.seek(7)
    _, reference = await take(file)
    assert await blobs.read(reference, limit=len(content)) == content
    assert largest == CHUNK_SIZE


async def test_the_same_bytes_are_stored_once_and_tied_to_each_mail(take: Any, owner: Pool) -> None:
    content = os.urandom(2 * CHUNK_SIZE)
    references = [(await take(content))[1] for _ in range(3)]
    assert len(set(references)) == 1
    assert await owner.fetchval("SELECT count(*) FROM blobs") == 1
    assert await owner.fetchval("SELECT count(*) FROM blob_chunks") == 2
    assert await owner.fetchval("SELECT count(*) FROM mail_blobs") == 3


@pytest.mark.parametrize("size", [100, 2 * CHUNK_SIZE], ids=["small", "large"])
async def test_two_services_that_store_the_same_bytes_at_once_both_succeed(take: Any, owner: Pool, size: int) -> None:
    content = os.urandom(size)
    await asyncio.gather(*(take(content) for _ in range(5)))
    assert await owner.fetchval("SELECT count(*) FROM blobs") == 1
    assert await owner.fetchval("SELECT count(*) FROM mail_blobs") == 5


async def test_a_blob_is_rolled_back_with_its_transaction(pool: Pool, blobs: PostgresBlobs, owner: Pool) -> None:
    async def fail_late() -> None:
        async with transaction(pool) as connection:
            await take_in(connection, blobs, b"unwanted")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail_late()
    assert await owner.fetchval("SELECT count(*) FROM blobs") == 0


async def test_an_unknown_reference_is_missing(blobs: PostgresBlobs) -> None:
    with pytest.raises(BlobMissing):
        await blobs.read(BlobReference(sha256="0" * 64, size=3), limit=10)


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE blob_chunks SET content = set_byte(content, 5, 255 - get_byte(content, 5)) WHERE position = 1",
        "DELETE FROM blob_chunks WHERE position = 1",
        "UPDATE blobs SET byte_size = byte_size - 1",
    ],
    ids=["a flipped byte", "a lost chunk", "another size"],
)
async def test_damaged_bytes_are_told(take: Any, blobs: PostgresBlobs, owner: Pool, damage: str) -> None:
    _, reference = await take(os.urandom(2 * CHUNK_SIZE))
    await owner.execute(damage)
    with pytest.raises(BlobDamaged):
        await blobs.read(reference, limit=reference.size)


async def test_a_reader_bounds_what_it_holds(take: Any, blobs: PostgresBlobs) -> None:
    _, reference = await take(b"twelve bytes")
    with pytest.raises(BlobTooLarge):
        await blobs.read(reference, limit=11)


async def test_a_message_carries_the_bytes_of_its_reference(take: Any) -> None:
    raw = b"From: a@example.org\r\n\r\nHallo"
    _, reference = await take(raw)
    assert verified(reference, raw) == raw
    with pytest.raises(BlobDamaged):
        verified(reference, b"From: b@example.org\r\n\r\nHallo")


async def test_bodies_travel_themselves_until_they_are_too_large(take: Any, pool: Pool, blobs: PostgresBlobs) -> None:
    mail_id, _ = await take(b"raw")
    small = Bodies(whole=Body(html="<p>klein</p>", text="klein"))
    large = Bodies(whole=Body(html="<p>é</p>" * INLINE_LIMIT, text="groot"))
    async with transaction(pool) as connection:
        assert await check_in(blobs, connection, mail_id, small) is small
        stored = await check_in(blobs, connection, mail_id, large)
    assert isinstance(stored, StoredBody)
    assert await check_out(blobs, small) == small
    assert await check_out(blobs, stored) == large


@pytest.fixture
async def sweep(database: Any) -> AsyncIterator[PostgresBlobs]:
    """As the operator, who alone may remove."""
    async with database.pool("operator") as pool:
        yield PostgresBlobs(pool)


async def end(owner: Pool, mail_id: uuid.UUID, outcome: str) -> None:
    original = await owner.fetchval("SELECT mail_id FROM imported_mails WHERE mail_id <> $1 LIMIT 1", mail_id)
    await owner.execute(
        "UPDATE imported_mails SET outcome = $2, outcome_at = now(), reasons = '[{\"id\": \"our-error\"}]',"
        " duplicate_of = $3 WHERE mail_id = $1",
        mail_id, outcome, original if outcome == "duplicate" else None,
    )  # fmt: skip


@pytest.fixture
async def tied(take: Any, pool: Pool, blobs: PostgresBlobs) -> tuple[uuid.UUID, BlobReference]:
    """A mail, and a blob that is not its raw bytes, tied to it."""
    await take(b"another mail")
    mail_id, _ = await take(b"raw")
    async with transaction(pool) as connection:
        return mail_id, await blobs.put(connection, mail_id, os.urandom(CHUNK_SIZE + 1))


async def test_a_blob_goes_when_its_mails_have_ended(tied: Any, sweep: PostgresBlobs, owner: Pool) -> None:
    mail_id, reference = tied
    await end(owner, mail_id, "duplicate")
    assert await sweep.remove_unneeded(settled_for=timedelta(days=7)) == 0
    assert await sweep.remove_unneeded(settled_for=AT_ONCE) == 1
    with pytest.raises(BlobMissing):
        await sweep.read(reference, limit=reference.size)
    assert await owner.fetchval("SELECT count(*) FROM blobs") == 2  # the raw bytes of both mails stay


async def test_D7_a_mail_without_outcome_or_in_quarantine_keeps_its_blobs(
    tied: Any, sweep: PostgresBlobs, blobs: PostgresBlobs, owner: Pool
) -> None:
    mail_id, reference = tied
    assert await sweep.remove_unneeded(settled_for=AT_ONCE) == 0
    await end(owner, mail_id, "quarantine")
    assert await sweep.remove_unneeded(settled_for=AT_ONCE) == 0
    assert len(await blobs.read(reference, limit=reference.size)) == reference.size


async def test_a_mail_with_an_open_dead_letter_keeps_its_blobs(tied: Any, sweep: PostgresBlobs, owner: Pool) -> None:
    mail_id, _ = tied
    await end(owner, mail_id, "duplicate")
    assert await owner.fetchval("SELECT record_dead_letter($1, 'ticket.events', 'our bug')", mail_id)
    assert await sweep.remove_unneeded(settled_for=AT_ONCE) == 0
    await owner.execute("UPDATE dead_letters SET resolved_at = now()")
    assert await sweep.remove_unneeded(settled_for=AT_ONCE) == 1


async def test_a_blob_that_another_mail_needs_stays(
    tied: Any, take: Any, pool: Pool, sweep: PostgresBlobs, owner: Pool
) -> None:
    mail_id, reference = tied
    blobs = PostgresBlobs(pool)
    other, _ = await take(b"the other")
    content = await blobs.read(reference, limit=reference.size)
    async with transaction(pool) as connection:
        assert await blobs.put(connection, other, content) == reference
    await end(owner, mail_id, "duplicate")
    assert await sweep.remove_unneeded(settled_for=AT_ONCE) == 0
    await end(owner, other, "duplicate")
    assert await sweep.remove_unneeded(settled_for=AT_ONCE) == 1


async def test_a_blob_that_is_being_put_is_not_removed(
    tied: Any, take: Any, pool: Pool, sweep: PostgresBlobs, owner: Pool
) -> None:
    mail_id, reference = tied
    blobs = PostgresBlobs(pool)
    content = await blobs.read(reference, limit=reference.size)
    await end(owner, mail_id, "duplicate")
    other, _ = await take(b"the other")
    async with transaction(pool) as connection:
        await blobs.put(connection, other, content)
        assert await sweep.remove_unneeded(settled_for=AT_ONCE) == 0  # locked: passed over, not waited for
    assert await sweep.remove_unneeded(settled_for=AT_ONCE) == 0
    assert await blobs.read(reference, limit=reference.size) == content
