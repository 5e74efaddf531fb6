"""Stored bytes: whether all that is needed is there and is what was put in, and whether what nothing needs is gone.

The length of each blob is looked at every time, which reads no byte. Its hash is made anew of a part of all blobs, a
DAYS-th each day, so that each has its turn within four weeks; or of all of them, when a person asks.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import asyncpg

from services.console.nightly.retention import SETTLED_FOR
from services.console.reconcile.differences import Difference
from services.console.reconcile.kinds import Kind
from services.console.texts import N_
from shared.blobs.postgres import PostgresBlobs
from shared.database.pool import Pool, connection
from shared.sentences import Sentence

DAYS: Final = 28
"""Days within which each blob is hashed once."""
PAGE: Final = 1000
HASHED_BYTES: Final = 64 * 1024 * 1024
"""Bytes that one statement hashes, a single blob's excepted."""
KEPT_FOR: Final = SETTLED_FOR + timedelta(days=2)
"""When bytes that nothing needs have outlived two nights."""
_FIRST: Final = b""
_EVERYTHING: Final = b"\xff" * 33

_RAW: Final = N_("They are those of the raw mail.")
_RAW_SHORT: Final = N_("They are those of the raw mail. %(there)s of %(size)s bytes are there.")
_SHOWN: Final = N_("They are of a picture or a large body.")
_SHOWN_SHORT: Final = N_("They are of a picture or a large body. %(there)s of %(size)s bytes are there.")
_SHORT: Final = N_("%(there)s of %(size)s bytes are there.")

_PIECE: Final = "SELECT sha256, byte_size FROM blobs WHERE sha256 > $1 AND sha256 < $2 ORDER BY sha256 LIMIT $3"
_DAMAGED: Final = "SELECT sha256, byte_size, bytes_there FROM damaged_blobs($1, $2, $3)"
_NEEDED_BY: Final = """
-- $1 a digest, $2 a helpdesk or null: mails whose raw bytes they are, or that brought the picture; no more than ten
SELECT mail.mail_id, mail.helpdesk_id, mail.raw_sha256 = $1 AS is_raw, ticket.number AS ticket
FROM mail_blobs AS tie JOIN imported_mails AS mail USING (mail_id) LEFT JOIN tickets AS ticket ON ticket.id = ticket_id
WHERE tie.sha256 = $1 AND ($2::bigint IS NULL OR mail.helpdesk_id = $2) ORDER BY mail.received_at LIMIT 10
"""


@dataclass(frozen=True, slots=True)
class Hashed:
    """Whose hash is made: of digests from `first` to before `end`."""

    first: bytes
    end: bytes

    @classmethod
    def on(cls, day: date) -> Hashed:
        """The part of this day."""
        part = day.toordinal() % DAYS
        return cls(_digest_at(part), _digest_at(part + 1))

    @classmethod
    def all(cls) -> Hashed:
        """Of every blob."""
        return cls(_FIRST, _EVERYTHING)


def _digest_at(part: int) -> bytes:
    """Where this part of all digests begins."""
    return (part * 2**16 // DAYS).to_bytes(2, "big") if part < DAYS else _EVERYTHING


async def damaged(
    pool: Pool, hashed: Hashed, helpdesk_id: int | None
) -> AsyncIterator[tuple[int, int, Sequence[Difference]]]:
    """How many blobs were looked at, how many of them hashed, and which are missing or differ; piece by piece."""
    for first, end, is_hashed in ((_FIRST, hashed.first, False), (hashed.first, hashed.end, True),
                                  (hashed.end, _EVERYTHING, False)):  # fmt: skip
        after = first
        while after < end and (piece := await _piece(pool, after, end, is_hashed)):
            async with connection(pool) as acquired:
                rows = await acquired.fetch(_DAMAGED, piece[0], piece[-1], is_hashed)
            found = [each for row in rows for each in await _differences(pool, row, helpdesk_id)]
            yield len(piece), len(piece) * is_hashed, found
            after = piece[-1]


async def _piece(pool: Pool, after: bytes, end: bytes, is_hashed: bool) -> list[bytes]:  # noqa: FBT001 - how it is cut
    """The next digests: so many, or so many bytes of them."""
    async with connection(pool) as acquired:
        rows = await acquired.fetch(_PIECE, after, end, PAGE)
    piece: list[bytes] = []
    size = 0
    for row in rows:
        size += row["byte_size"]
        if is_hashed and piece and size > HASHED_BYTES:
            break
        piece.append(row["sha256"])
    return piece


async def _differences(pool: Pool, damaged: asyncpg.Record, helpdesk_id: int | None) -> Sequence[Difference]:
    """One for each mail that needs the bytes; one of no mail where none does any more."""
    digest, size, there = damaged
    async with connection(pool) as acquired:
        needed_by = await acquired.fetch(_NEEDED_BY, digest, helpdesk_id)
    kind = Kind.BYTES_MISSING if there < size else Kind.BYTES_DIFFER
    short = there != size
    measured = {"there": there, "size": size} if short else {}
    if not needed_by:
        detail = Sentence(_SHORT, **measured) if short else ""
        return [] if helpdesk_id is not None else [Difference(kind, thing=digest.hex(), detail=detail)]
    of_raw, of_shown = (
        Sentence(text, **measured) for text in ((_RAW_SHORT, _SHOWN_SHORT) if short else (_RAW, _SHOWN))
    )
    return [
        Difference(
            kind, row["helpdesk_id"], row["mail_id"], row["ticket"], thing=digest.hex(),
            detail=of_raw if row["is_raw"] else of_shown,
        )
        for row in needed_by
    ]  # fmt: skip


async def not_removed(pool: Pool) -> Sequence[Difference]:
    """Bytes that nothing needs any more, and that retention should have removed; as one."""
    count = await PostgresBlobs(pool).count_unneeded(settled_for=KEPT_FOR)
    return [Difference(Kind.NOT_REMOVED, count=count)] if count else []
