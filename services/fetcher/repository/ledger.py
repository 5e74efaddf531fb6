"""What the ledger knows of mails, and what the way of a mail into the broker leaves in it.

A mail's row is inserted with its raw bytes, in one transaction; then `published_at`, `marked_read_at` and `acted_at`
are filled, each after the fact. The outcome is ticket_writer's to write and ours to read. Raises Outage and TryAgain
as `shared.database.pool` does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Final

import asyncpg

from services.fetcher.mailboxes.protocol import ItemKey, MailReference
from services.fetcher.repository.mailboxes import ClaimedMailbox
from services.fetcher.rules.known_mail import KnownMail
from services.fetcher.rules.republish import next_republish_after
from shared.batches import Batches
from shared.blobs.store import BlobStore, Source
from shared.broker.topology import MAIL_RAW
from shared.database.pool import Connection, Pool, confirm_found, connection, transaction
from shared.messages import INLINE_LIMIT, BlobReference, ImportChoice, MailId, RawMail

_KNOWN: Final = """
    SELECT mail_id, received_at, published_at, marked_read_at FROM imported_mails WHERE mail_id = ANY($1)"""

_INSERT: Final = """
    -- in the order of their ids: two fetchers that store the same mails never wait for each other
    INSERT INTO imported_mails (mail_id, helpdesk_id, generation, folder, item_key, raw_sha256, raw_size, full_size,
        complete, received_at, choice, fetched_at, next_republish_at)
    SELECT *, now(), now() + $12
    FROM unnest($1::uuid[], $2::bigint[], $3::integer[], $4::text[], $5::text[], $6::bytea[], $7::bigint[],
        $8::bigint[], $9::boolean[], $10::timestamptz[], $11::text[]) AS mail (mail_id)
    ORDER BY mail_id
    ON CONFLICT DO NOTHING
    RETURNING mail_id, fetched_at"""

_ENVELOPE_COLUMNS: Final = """
    mail_id, helpdesk_id, received_at, fetched_at, raw_sha256, raw_size, full_size, complete, choice,
    replay_number, force_number > 0 AS forced"""

_ENVELOPES: Final = f"SELECT {_ENVELOPE_COLUMNS} FROM imported_mails WHERE mail_id = ANY($1)"  # noqa: S608 - a constant

_PUBLISHED: Final = """
    -- a classifier may have met the mail by now: what it holds keeps its turn
    UPDATE imported_mails AS mail SET published_at = now(), next_republish_at = coalesce(
        (SELECT held_until FROM held_mails AS held WHERE held.mail_id = mail.mail_id AND held_until > now()),
        now() + $2)
    WHERE mail_id = ANY($1) AND published_at IS NULL"""

_MARKED_READ: Final = """
    UPDATE imported_mails SET marked_read_at = now(), acted_at = CASE WHEN $2 THEN now() ELSE acted_at END
    WHERE mail_id = ANY($1) AND marked_read_at IS NULL"""

_TO_MARK: Final = """
    SELECT mail_id, item_key, received_at, full_size FROM imported_mails
    WHERE helpdesk_id = $1 AND generation = $2 AND folder = $3 AND force_number = 0
        AND published_at IS NOT NULL AND marked_read_at IS NULL AND mail_id <> ALL($5)
    ORDER BY received_at LIMIT $4"""

_TO_ACT_ON: Final = """
    SELECT mail_id, item_key, received_at, full_size FROM imported_mails
    WHERE helpdesk_id = $1 AND generation = $2 AND folder = $3 AND force_number = 0
        AND acted_at IS NULL AND complete AND outcome IN ('ticket', 'supplement', 'duplicate')
        AND mail_id <> ALL($5)
    ORDER BY received_at LIMIT $4"""

_ACTED: Final = "UPDATE imported_mails SET acted_at = now() WHERE mail_id = ANY($1)"

_DUE_TO_REPUBLISH: Final = f"""
    SELECT {_ENVELOPE_COLUMNS}, republish_count, published_at IS NOT NULL AS confirmed
    FROM imported_mails AS mail
    WHERE awaits_outcome AND (next_republish_at IS NULL OR next_republish_at <= now())
        AND NOT EXISTS (
            SELECT FROM dead_letters WHERE dead_letters.mail_id = mail.mail_id AND resolved_at IS NULL)
    ORDER BY next_republish_at NULLS FIRST LIMIT $1
    FOR UPDATE SKIP LOCKED"""  # noqa: S608 - a constant

_REPUBLISHING: Final = """
    UPDATE imported_mails AS mail
    SET republish_count = mail.republish_count + 1, next_republish_at = now() + claimed.delay
    FROM unnest($1::uuid[], $2::interval[]) AS claimed (mail_id, delay) WHERE mail.mail_id = claimed.mail_id"""

_UNFINISHED: Final = """
    SELECT count(*) AS mails, min(mail.fetched_at) AS oldest_at,
        (SELECT count(*) FROM dead_letters WHERE resolved_at IS NULL) AS dead_letters
    FROM imported_mails AS mail
    WHERE mail.awaits_outcome AND NOT EXISTS (
        SELECT FROM dead_letters WHERE dead_letters.mail_id = mail.mail_id AND resolved_at IS NULL)
        AND NOT EXISTS (SELECT FROM held_mails held WHERE held.mail_id = mail.mail_id AND held_until > now())"""

_UNDECIDED: Final = """
    SELECT count(*) FROM (
        SELECT FROM imported_mails AS mail
        WHERE helpdesk_id = $1 AND outcome IS NULL AND NOT EXISTS (
            SELECT FROM dead_letters WHERE dead_letters.mail_id = mail.mail_id AND resolved_at IS NULL)
            AND NOT EXISTS (SELECT FROM held_mails held WHERE held.mail_id = mail.mail_id AND held_until > now())
        LIMIT $2) AS mails"""

_RECORD_LEFT: Final = """
    UPDATE mailbox_states AS state SET import_left = $3, import_left_at = now()
    FROM importer_settings AS settings
    WHERE state.helpdesk_id = $1 AND settings.helpdesk_id = $1 AND settings.generation = $2"""

_DEAD_LETTER: Final = "SELECT record_dead_letter($1, $2, $3)"


@dataclass(frozen=True, slots=True)
class NewMail:
    """A mail as it is about to be stored; sizes in bytes."""

    mail_id: MailId
    item_key: ItemKey
    received_at: datetime
    full_size: int
    complete: bool
    choice: ImportChoice | None = None
    """What a person chose for it, where it waited for one (SPEC D18)."""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """Mails of all mailboxes that await their outcome, since when the oldest was taken in; dead letters still open."""

    mails: int
    oldest_at: datetime | None
    dead_letters: int


PATIENCE_SECONDS: Final = 0.05
"""How long a mail that is fetched waits for those that are being fetched."""


class AlreadyTakenIn(Exception):
    """Another fetcher was faster: the ledger has this mail by now, and nothing was stored."""


@dataclass(frozen=True, slots=True)
class _Arrived:
    """A mail of `mailbox`, with its bytes."""

    mailbox: ClaimedMailbox
    mail: NewMail
    raw: bytes


class Ledger:
    """The ledger, as the fetcher writes and reads it."""

    def __init__(self, pool: Pool, blobs: BlobStore) -> None:
        self._pool = pool
        self._blobs = blobs
        self._small = Batches(self._take_in_all, what="mails taken in", patience_seconds=PATIENCE_SECONDS)

    async def known(self, mail_ids: Collection[MailId]) -> dict[MailId, KnownMail]:
        """What the ledger knows of these mails; those that it does not know are left out."""
        async with connection(self._pool) as acquired:
            rows = await acquired.fetch(_KNOWN, list(mail_ids))
            if rows:
                await confirm_found(acquired)
        return {row["mail_id"]: KnownMail(**row) for row in rows}

    def coming(self) -> AbstractContextManager[None]:
        """Around the fetching of a mail that is taken in next: others wait for it, a moment, to be stored with it."""
        return self._small.coming()

    async def take_in(self, mailbox: ClaimedMailbox, mail: NewMail, raw: Source) -> RawMail:
        """Store the raw bytes and the ledger's row in one transaction; the mail's envelope.

        Small mails that are taken in at once share a transaction. Raises AlreadyTakenIn when another fetcher has done
        so meanwhile.
        """
        content = raw if isinstance(raw, bytes) else await asyncio.to_thread(_small_content, raw)
        if content is not None and len(content) <= INLINE_LIMIT:
            return await self._small.of(_Arrived(mailbox, mail, content))
        async with transaction(self._pool) as acquired:
            stored = await self._blobs.put(acquired, mail.mail_id, raw)
            (envelope,) = await _insert(acquired, [(mailbox, mail, stored)])
        return envelope

    async def _take_in_all(self, arrived: Sequence[_Arrived]) -> Sequence[RawMail]:
        async with transaction(self._pool) as acquired:
            stored = await self._blobs.put_all(acquired, [(each.mail.mail_id, each.raw) for each in arrived])
            return await _insert(
                acquired,
                [(each.mailbox, each.mail, blob) for each, blob in zip(arrived, stored, strict=True)],
            )

    async def envelopes(self, mail_ids: Collection[MailId]) -> dict[MailId, RawMail]:
        """The envelopes of mails that are stored."""
        async with connection(self._pool) as acquired:
            rows = await acquired.fetch(_ENVELOPES, list(mail_ids))
        return {row["mail_id"]: _envelope(row) for row in rows}

    async def published(self, mail_ids: Sequence[MailId]) -> None:
        """The broker has confirmed these mails."""
        async with connection(self._pool) as acquired:
            status = await acquired.execute(_PUBLISHED, mail_ids, next_republish_after(0, confirmed=True))
            if status != f"UPDATE {len(mail_ids)}":
                await confirm_found(acquired)

    async def marked_read(self, mail_ids: Sequence[MailId], *, final: bool) -> None:
        """These mails are marked read; `final`: the settings want no more than that, so later ones do not either."""
        async with connection(self._pool) as acquired:
            await acquired.execute(_MARKED_READ, mail_ids, final)

    async def to_mark(
        self, mailbox: ClaimedMailbox, at_most: int, but: Collection[MailId] = ()
    ) -> dict[MailId, MailReference]:
        """Mails of this mailbox that the broker has and that are not recorded as marked read, oldest first."""
        return await self._references(_TO_MARK, mailbox, at_most, but)

    async def to_act_on(
        self, mailbox: ClaimedMailbox, at_most: int, but: Collection[MailId] = ()
    ) -> dict[MailId, MailReference]:
        """Mails of this mailbox with a final outcome that are still to be moved or deleted, oldest first.

        Never one in quarantine (a replay may need it), nor one of which only the head was fetched (SPEC D17).
        """
        return await self._references(_TO_ACT_ON, mailbox, at_most, but)

    async def acted(self, mail_ids: Sequence[MailId]) -> None:
        """These mails were moved or deleted."""
        async with connection(self._pool) as acquired:
            await acquired.execute(_ACTED, mail_ids)

    async def claim_to_republish(self, at_most: int) -> list[RawMail]:
        """Mails that await their outcome and are due to be published again; each is given to one fetcher at a time."""
        async with transaction(self._pool) as acquired:
            rows = await acquired.fetch(_DUE_TO_REPUBLISH, at_most)
            delays = [next_republish_after(row["republish_count"] + 1, confirmed=row["confirmed"]) for row in rows]
            await acquired.execute(_REPUBLISHING, [row["mail_id"] for row in rows], delays)
        return [_envelope(row) for row in rows]

    async def unfinished(self) -> Unfinished:
        """What all mails taken in still await, whatever the queues hold."""
        async with connection(self._pool) as acquired:
            (row,) = await acquired.fetch(_UNFINISHED)
        return Unfinished(**row)

    async def undecided(self, mailbox: ClaimedMailbox, at_most: int) -> int:
        """How many mails of this mailbox are on their way to an outcome; counted up to `at_most`."""
        async with connection(self._pool) as acquired:
            count: int = await acquired.fetchval(_UNDECIDED, mailbox.helpdesk_id, at_most)
        return count

    async def record_left(self, mailbox: ClaimedMailbox, mails: int) -> None:
        """Record how many mails the mailbox holds that are to be taken in, those that are taken in next included."""
        async with connection(self._pool) as acquired:
            await acquired.execute(_RECORD_LEFT, mailbox.helpdesk_id, mailbox.generation, mails)

    async def _references(
        self, query: str, mailbox: ClaimedMailbox, at_most: int, but: Collection[MailId]
    ) -> dict[MailId, MailReference]:
        async with connection(self._pool) as acquired:
            rows = await acquired.fetch(
                query, mailbox.helpdesk_id, mailbox.generation, mailbox.access.folder, at_most, list(but)
            )
            if rows:
                await confirm_found(acquired)
        return {
            row["mail_id"]: MailReference(ItemKey(row["item_key"]), row["received_at"], row["full_size"])
            for row in rows
        }

    async def dead_letter(self, mail_id: MailId, reason: str) -> None:
        """Record that this mail cannot be published, for a person to see (DESIGN 5)."""
        async with connection(self._pool) as acquired:
            await acquired.execute(_DEAD_LETTER, mail_id, MAIL_RAW, reason)


async def _insert(
    connection: Connection, mails: Sequence[tuple[ClaimedMailbox, NewMail, BlobReference]]
) -> list[RawMail]:
    """The rows of mails that are stored; their envelopes. Raises AlreadyTakenIn when one of them has its row."""
    columns = zip(
        *(
            (mail.mail_id, mailbox.helpdesk_id, mailbox.generation, mailbox.access.folder, mail.item_key,
             bytes.fromhex(stored.sha256), stored.size, mail.full_size, mail.complete, mail.received_at, mail.choice)
            for mailbox, mail, stored in mails
        ),
        strict=True,
    )  # fmt: skip
    rows = await connection.fetch(_INSERT, *map(list, columns), next_republish_after(0, confirmed=False))
    if len(rows) < len(mails):
        raise AlreadyTakenIn
    fetched_at = {row["mail_id"]: row["fetched_at"] for row in rows}
    return [
        RawMail(
            mail_id=mail.mail_id,
            helpdesk_id=mailbox.helpdesk_id,
            received_at=mail.received_at,
            fetched_at=fetched_at[mail.mail_id],
            raw=stored,
            complete=mail.complete,
            full_size=mail.full_size,
            choice=mail.choice,
        )
        for mailbox, mail, stored in mails
    ]


def _small_content(raw: BinaryIO) -> bytes | None:
    """What is left of the file, which is read again from where it is when that is more than is small."""
    start = raw.tell()
    content = raw.read(INLINE_LIMIT + 1)
    if len(content) <= INLINE_LIMIT:
        return content
    raw.seek(start)
    return None


def _envelope(row: asyncpg.Record) -> RawMail:
    return RawMail(
        mail_id=row["mail_id"],
        helpdesk_id=row["helpdesk_id"],
        received_at=row["received_at"],
        fetched_at=row["fetched_at"],
        raw=BlobReference(sha256=row["raw_sha256"].hex(), size=row["raw_size"]),
        complete=row["complete"],
        full_size=row["full_size"],
        forced=row["forced"],
        choice=row["choice"],
        replay=row["replay_number"],
    )
