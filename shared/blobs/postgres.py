"""Blobs in PostgreSQL: tables `blobs`, `blob_chunks` (1 MiB each, stored uncompressed) and `mail_blobs`."""

from __future__ import annotations

import asyncio
import hashlib
import io
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from datetime import timedelta
from typing import BinaryIO, Final, ParamSpec, TypeVar

from shared.blobs.store import CHUNK_SIZE, BlobDamaged, BlobMissing, BlobTooLarge, Source
from shared.database.pool import Connection, Pool, connection, transaction
from shared.messages import INLINE_LIMIT, BlobReference

P = ParamSpec("P")
T = TypeVar("T")

_PUT_ALL: Final = """
    -- side by side, in the order of their digests, each blob once: $1 digest, $2 content, $3 a mail that needs it
    -- contents are taken from their array where they are stored: rows that carry them are copied at each step
    WITH given AS (
        SELECT * FROM unnest($1::bytea[], $3::uuid[]) WITH ORDINALITY AS given (sha256, mail_id, n)),
    stored AS (
        INSERT INTO blobs (sha256, byte_size) SELECT sha256, octet_length(($2::bytea[])[n]) FROM given ORDER BY n
        ON CONFLICT DO NOTHING RETURNING sha256),
    chunk AS (
        INSERT INTO blob_chunks (sha256, position, content)
        SELECT sha256, 0, ($2::bytea[])[n] FROM stored JOIN given USING (sha256)
        WHERE octet_length(($2::bytea[])[n]) > 0),
    tied AS (
        INSERT INTO mail_blobs (mail_id, sha256) SELECT mail_id, sha256 FROM stored JOIN given USING (sha256))
    SELECT sha256 FROM stored"""
"""One round trip for the usual case: new bytes, each of which fit into one chunk."""

_AT_ONCE: Final = 4 * INLINE_LIMIT
"""Bytes of the blobs that one statement stores."""

_COUNTED_AT_ONCE: Final = 2000
"""Blobs of one statement that only looks."""

_PUT: Final = "INSERT INTO blobs (sha256, byte_size) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING true"

_KEEP: Final = "SELECT true FROM blobs WHERE sha256 = $1 FOR KEY SHARE"
"""Keeps a blob that is there from being removed before our tie to it is committed."""

_TIE: Final = "INSERT INTO mail_blobs (mail_id, sha256) VALUES ($1, $2) ON CONFLICT DO NOTHING"

_CHUNK: Final = "SELECT content FROM blob_chunks WHERE sha256 = $1 AND position = $2"

_SIZE: Final = "SELECT byte_size FROM blobs WHERE sha256 = $1"

_UNNEEDED: Final = """
    NOT EXISTS (SELECT FROM imported_mails WHERE raw_sha256 = blobs.sha256)
    AND NOT EXISTS (SELECT FROM attachments WHERE blob_sha256 = blobs.sha256)
    AND NOT EXISTS (SELECT FROM attachment_copies WHERE blob_sha256 = blobs.sha256)
    AND NOT EXISTS (
        SELECT FROM mail_blobs AS tie JOIN imported_mails AS mail USING (mail_id)
        WHERE tie.sha256 = blobs.sha256 AND (
            mail.outcome IS NULL OR mail.outcome = 'quarantine' OR mail.outcome_at > now() - $2::interval
            OR EXISTS (SELECT FROM dead_letters WHERE dead_letters.mail_id = mail.mail_id AND resolved_at IS NULL)))"""

_LOCK_UNNEEDED: Final = f"""
    SELECT sha256 FROM blobs WHERE created_at < now() - $2::interval AND {_UNNEEDED}
    LIMIT $1 FOR UPDATE SKIP LOCKED"""  # noqa: S608 - both parts are constants of this module

_COUNT_UNNEEDED: Final = f"""
    -- of the blobs behind digest $1, $3 at most: the last of them, and how many nothing needs
    WITH page AS (SELECT sha256, created_at FROM blobs WHERE sha256 > $1 ORDER BY sha256 LIMIT $3)
    SELECT (SELECT sha256 FROM page ORDER BY sha256 DESC LIMIT 1) AS last,
        count(*) FILTER (WHERE created_at < now() - $2::interval AND {_UNNEEDED}) AS unneeded
    FROM page AS blobs"""  # noqa: S608 - as above

_STILL_UNNEEDED: Final = f"SELECT sha256 FROM blobs WHERE sha256 = ANY($1) AND {_UNNEEDED}"  # noqa: S608 - as above


class PostgresBlobs:
    """The blob store in the importer's own database."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def put(self, connection: Connection, mail_id: uuid.UUID, source: Source) -> BlobReference:
        """Store and tie, within the caller's transaction (see `BlobStore.put`)."""
        small = isinstance(source, bytes) and len(source) <= INLINE_LIMIT
        run = _directly if small else asyncio.to_thread
        file = io.BytesIO(source) if isinstance(source, bytes) else source
        start = file.tell()
        digest, size = await run(_digest, file)
        await run(file.seek, start)
        if size <= CHUNK_SIZE:
            content = await run(file.read, CHUNK_SIZE)
            if await connection.fetch(_PUT_ALL, [digest], [content], [mail_id]):
                return BlobReference(sha256=digest.hex(), size=size)
            await run(file.seek, start)
        async with connection.transaction():
            # Somebody may remove the very same bytes between our finding them and our holding them: then store them.
            while not await connection.fetchval(_KEEP, digest):
                if await connection.fetchval(_PUT, digest, size):
                    await connection.copy_records_to_table(
                        "blob_chunks",
                        schema_name="helpdesk",
                        columns=("sha256", "position", "content"),
                        records=_records(digest, file),
                    )
            await connection.execute(_TIE, mail_id, digest)
        return BlobReference(sha256=digest.hex(), size=size)

    async def put_all(self, connection: Connection, contents: Sequence[tuple[uuid.UUID, bytes]]) -> list[BlobReference]:
        """What is small and new in few statements, the rest one by one (see `BlobStore.put_all`)."""
        run = _directly if sum(len(content) for _, content in contents) <= _AT_ONCE else asyncio.to_thread
        digests = await run(lambda: [hashlib.sha256(content).digest() for _, content in contents])
        by_digest = {digest: index for index, digest in reversed(list(enumerate(digests)))}
        stored: set[int] = set()
        for indexes in _statements(sorted(by_digest.items()), contents):
            rows = await connection.fetch(
                _PUT_ALL,
                [digests[index] for index in indexes],
                [contents[index][1] for index in indexes],
                [contents[index][0] for index in indexes],
            )
            stored.update(by_digest[row["sha256"]] for row in rows)
        references = []
        for index, (mail_id, content) in enumerate(contents):
            if index not in stored:  # too large for that, or there already: it needs its tie
                await self.put(connection, mail_id, content)
            references.append(BlobReference(sha256=digests[index].hex(), size=len(content)))
        return references

    async def stream(self, reference: BlobReference) -> AsyncGenerator[bytes]:
        """Chunk after chunk; no connection is held between two (see `BlobStore.stream`)."""
        key = bytes.fromhex(reference.sha256)
        async with connection(self._pool) as acquired:
            size = await acquired.fetchval(_SIZE, key)
        if size is None:
            raise BlobMissing(
                f"Blob {reference.sha256} is not stored (any more): restore it from a backup, then replay."
            )
        digest = hashlib.sha256()
        seen = position = 0
        while seen < size:
            async with connection(self._pool) as acquired:
                chunk: bytes | None = await acquired.fetchval(_CHUNK, key, position)
            if chunk is None:
                break
            await asyncio.to_thread(digest.update, chunk)
            seen += len(chunk)
            position += 1
            yield chunk
        if seen != reference.size or size != reference.size or digest.digest() != key:
            raise BlobDamaged(
                f"Blob {reference.sha256} is damaged: {seen} bytes are stored, {reference.size} were put in, "
                "or their SHA-256 differs. Restore it from a backup, then replay."
            )

    async def read(self, reference: BlobReference, *, limit: int) -> bytes:
        """The whole blob (see `BlobStore.read`)."""
        if reference.size > limit:
            raise BlobTooLarge(
                f"Blob {reference.sha256} has {reference.size} bytes, more than the {limit} that fit here."
            )
        whole = bytearray()
        async for chunk in self.stream(reference):
            whole += chunk
            if len(whole) > limit:
                raise BlobDamaged(
                    f"Blob {reference.sha256} is larger than the {reference.size} bytes that were put in."
                )
        return bytes(whole)

    async def remove_unneeded(self, *, settled_for: timedelta, at_most: int = 1000) -> int:
        """Lock candidates, look again, remove (see `BlobStore.remove_unneeded`)."""
        async with transaction(self._pool) as connection:
            locked = [row["sha256"] for row in await connection.fetch(_LOCK_UNNEEDED, at_most, settled_for)]
            # Ties that were committed while we waited for nobody are seen only by a second look.
            unneeded = [row["sha256"] for row in await connection.fetch(_STILL_UNNEEDED, locked, settled_for)]
            await connection.execute("DELETE FROM mail_blobs WHERE sha256 = ANY($1)", unneeded)
            await connection.execute("DELETE FROM blobs WHERE sha256 = ANY($1)", unneeded)
        return len(unneeded)

    async def count_unneeded(self, *, settled_for: timedelta) -> int:
        """How many blobs `remove_unneeded` would remove by now, if none of them is needed meanwhile."""
        after, count = b"", 0
        while after is not None:
            async with connection(self._pool) as acquired:
                (page,) = await acquired.fetch(_COUNT_UNNEEDED, after, settled_for, _COUNTED_AT_ONCE)
            after, count = page["last"], count + page["unneeded"]
        return count


def _statements(
    by_digest: Sequence[tuple[bytes, int]], contents: Sequence[tuple[uuid.UUID, bytes]]
) -> Iterator[list[int]]:
    """Indexes of the contents that one statement stores, in order; those that take more than a chunk are left out."""
    indexes: list[int] = []
    size = 0
    for _, index in by_digest:
        length = len(contents[index][1])
        if length > CHUNK_SIZE:
            continue
        if indexes and size + length > _AT_ONCE:
            yield indexes
            indexes, size = [], 0
        indexes.append(index)
        size += length
    if indexes:
        yield indexes


async def _directly(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """`asyncio.to_thread` for what is done faster than a thread is woken."""
    return function(*args, **kwargs)


def _digest(file: BinaryIO) -> tuple[bytes, int]:
    digest = hashlib.sha256()
    size = 0
    while chunk := file.read(CHUNK_SIZE):
        digest.update(chunk)
        size += len(chunk)
    return digest.digest(), size


async def _records(digest: bytes, file: BinaryIO) -> AsyncIterator[tuple[bytes, int, bytes]]:
    position = 0
    while chunk := await asyncio.to_thread(file.read, CHUNK_SIZE):
        yield digest, position, chunk
        position += 1
