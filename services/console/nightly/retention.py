"""Removes what nothing needs any more, in batches: raw mails, content keys, stored bytes, old checks of mailboxes.

The rule is the database's.

Until `retention set` says after how many days, raw mails and content keys stay. Safe to repeat, and beside services:
each batch is a transaction of its own, a row that somebody holds is passed over, and bytes go last, looked at twice.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from shared.blobs.postgres import PostgresBlobs
from shared.database.pool import Connection, Pool, transaction

AT_ONCE: Final = 1000
"""Mails, keys or blobs of one transaction: none of them holds up a service for long."""
SETTLED_FOR: Final = timedelta(days=7)
"""How long ago the mails of a blob were settled before it goes: a replay or a redelivery may still ask for it."""

_RAW_MAILS: Final = "SELECT * FROM remove_raw_mails($1, $2, $3)"
_IDENTITIES: Final = "SELECT remove_identities($1)"
_MAILBOX_CHECKS: Final = "SELECT remove_mailbox_checks($1)"
_RECORD_BLOBS: Final = (
    "SELECT record_audit('removal', 'removed', 'blobs', NULL, NULL, NULL, NULL, jsonb_build_object('blobs', $1::int))"
)
_KEPT_FOR: Final = "SELECT raw_mail_days, identity_days FROM retention"
_KEEP_FOR: Final = "UPDATE retention SET raw_mail_days = $1, identity_days = $2"
_BEGINNING: Final = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class KeptFor:
    """Days after which raw mails, and the memory of what was imported, go; None: never."""

    raw_mail_days: int | None
    identity_days: int | None


@dataclass(frozen=True, slots=True)
class Removed:
    """What one run removed; `bytes` is the size of the raw mails."""

    raw_mails: int
    bytes: int
    content_keys: int
    blobs: int
    mailbox_checks: int
    """Of the mailboxes' log, which is kept for 90 days."""


async def kept_for(connection: Connection) -> KeptFor:
    """How long what is kept."""
    row = await connection.fetchrow(_KEPT_FOR)
    return KeptFor(None, None) if row is None else KeptFor(**row)


async def keep_for(connection: Connection, wanted: KeptFor) -> None:
    """Keep it so long from now on. The database refuses memories that are shorter than raw mails."""
    await connection.execute(_KEEP_FOR, wanted.raw_mail_days, wanted.identity_days)


async def remove_unneeded(pool: Pool, settled_for: timedelta = SETTLED_FOR) -> Removed:
    """Remove all that nothing needs now; as importer_operator. Raises Outage or TryAgain, with what is done done."""
    mails, size = await _raw_mails(pool)
    keys, checks = await _all_of(pool, _IDENTITIES), await _all_of(pool, _MAILBOX_CHECKS)
    return Removed(mails, size, keys, await sweep_blobs(pool, settled_for), checks)


async def sweep_blobs(pool: Pool, settled_for: timedelta = SETTLED_FOR) -> int:
    """Remove stored bytes that nothing needs; how many blobs."""
    blobs, removed = PostgresBlobs(pool), 0
    while gone := await blobs.remove_unneeded(settled_for=settled_for, at_most=AT_ONCE):
        removed += gone
    if removed:
        async with transaction(pool) as connection:
            await connection.execute(_RECORD_BLOBS, removed)
    return removed


async def _raw_mails(pool: Pool) -> tuple[int, int]:
    removed = size = 0
    at, mail_id = _BEGINNING, uuid.UUID(int=0)
    while True:
        async with transaction(pool) as connection:
            page = await connection.fetchrow(_RAW_MAILS, AT_ONCE, at, mail_id)
        if page is None or not page["looked_at"]:
            return removed, size
        removed, size = removed + page["removed"], size + page["bytes"]
        at, mail_id = page["last_at"], page["last_id"]


async def _all_of(pool: Pool, remove: str) -> int:
    """Remove a page after the other until nothing is left; how many."""
    removed, gone = 0, AT_ONCE
    while gone:
        async with transaction(pool) as connection:
            gone = await connection.fetchval(remove, AT_ONCE)
        removed += gone
    return removed
