"""What became of mails, and what a person may do about one: force, replay, discard, release (SPEC D7, D13, D18).

None of them touches a ticket: a forced import is a ledger row of its own, a replay lets the pipeline set the outcome
once more, and both are published by the fetcher's sweeper. What is discarded stays quarantined, its raw bytes kept.
"""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import product
from typing import Any, Final, TypeAlias

import asyncpg

from services.console.audit import Kind, record
from services.console.repairs.resend import MAY_BE_RESENT
from shared.blobs.store import BlobDamaged, BlobMissing
from shared.broker.topology import MAIL_QUEUES
from shared.database.pool import Connection
from shared.errors import ImporterError
from shared.mail_identity import forced_mail_id
from shared.messages import BlobReference, ImportChoice, MailId, Outcome, Reason, ReasonId
from shared.portal.reasons import explain, explanation_of
from shared.standing.quarantine import WAITS_FOR_A_PERSON

_OF_SENDER: Final = {
    False: "($4::text IS NULL OR strpos(lower(mail.sender_address), lower($4)) > 0)",
    True: "lower(mail.sender_address) = lower($4::text)",
}
"""By a part of the address; or by the whole of it, which an index finds."""
_OF_WORK_LIST: Final = {
    False: "true",
    True: WAITS_FOR_A_PERSON,
}
_NEWEST: Final = {False: "mail.received_at", True: "(mail.received_at + interval '0')"}
"""The work list is short: it is sorted, rather than looked for in all that ever came, the newest first."""
_VARIANTS: Final = tuple(product((False, True), repeat=2))
"""Whether the sender is a whole address, and whether it is the work list."""

_FROM: Final = """
    FROM imported_mails AS mail
        JOIN helpdesks AS helpdesk ON helpdesk.id = mail.helpdesk_id
        LEFT JOIN tickets AS ticket ON ticket.id = mail.ticket_id
    WHERE ($1::bigint IS NULL OR mail.helpdesk_id = $1)
        AND ($2::text IS NULL OR mail.outcome = $2)
        AND ($3::timestamptz IS NULL OR mail.received_at >= $3)
        AND {of_sender} AND {of_work_list}
        AND ($5::text IS NULL OR strpos(lower(mail.subject), lower($5)) > 0)
        AND ($6::boolean IS NULL OR mail.awaits_outcome = $6)
        AND ($7::jsonb IS NULL OR mail.reasons @> $7)
        AND ($8::bigint[] IS NULL OR mail.helpdesk_id = ANY($8))
        AND ($9::timestamptz IS NULL OR mail.received_at <= $9
            AND (mail.received_at < $9 OR mail.mail_id > $10::uuid))"""

_LIST: Final = """
    SELECT mail.mail_id, helpdesk.name AS helpdesk, mail.received_at, mail.sender_address AS sender, mail.subject,
        mail.outcome, mail.awaits_outcome AS waiting, ticket.number AS ticket, mail.reasons
    {those}
    ORDER BY {newest} DESC, mail.mail_id LIMIT $11"""
_THOSE: Final = {
    (whole, work): _FROM.format(of_sender=_OF_SENDER[whole], of_work_list=_OF_WORK_LIST[work])
    for whole, work in _VARIANTS
}
_LISTS: Final = {
    (whole, work): _LIST.format(those=those, newest=_NEWEST[work]) for (whole, work), those in _THOSE.items()
}
_IDS: Final = {
    (whole, work): f"SELECT mail.mail_id {those} ORDER BY {_NEWEST[work]} DESC, mail.mail_id LIMIT $11"
    for (whole, work), those in _THOSE.items()
}
_COUNTS: Final = {
    variant: f"SELECT count(*) FROM (SELECT {those} LIMIT $11) AS those"  # noqa: S608 - of constants
    for variant, those in _THOSE.items()
}

_WROTE: Final = "SELECT EXISTS (SELECT FROM imported_mails WHERE lower(sender_address) = lower($1))"

_THAT_BEGIN_WITH: Final = """
    SELECT mail_id FROM imported_mails WHERE mail_id BETWEEN $1 AND $2 ORDER BY mail_id LIMIT 2"""

_SHOW: Final = """
    SELECT mail.mail_id, helpdesk.name AS helpdesk, mail.outcome, mail.outcome_at, mail.awaits_outcome AS waiting,
        ticket.number AS ticket, mail.supplement_id, mail.duplicate_of, mail.forced_from, mail.choice,
        mail.replay_number AS replays, mail.sender_name, mail.sender_address, mail.subject,
        mail.message_id_header AS message_id, mail.sent_at, mail.received_at, mail.fetched_at, mail.published_at,
        mail.marked_read_at, mail.acted_at, mail.classified_at, mail.event_published_at, mail.republish_count,
        mail.folder, mail.item_key, mail.raw_size, mail.full_size, mail.complete, mail.reasons,
        (SELECT held_until FROM held_mails AS held
         WHERE held.mail_id = mail.mail_id AND held_until > now()) AS waits_its_turn_until
    FROM imported_mails AS mail
        JOIN helpdesks AS helpdesk ON helpdesk.id = mail.helpdesk_id
        LEFT JOIN tickets AS ticket ON ticket.id = mail.ticket_id
    WHERE mail.mail_id = $1 AND ($2::bigint[] IS NULL OR mail.helpdesk_id = ANY($2))"""

_NOTIFICATIONS: Final = f"""
    SELECT id, kind, recipient_address AS recipient, state, reason, tries, next_try_at, sent_at, server_reply,
        (SELECT summary.state FROM notifications AS summary WHERE summary.id = notification.summary_id) AS summary,
        resend_of IS NOT NULL AS resend, {MAY_BE_RESENT} AS may_be_resent
    FROM notifications AS notification WHERE mail_id = $1 ORDER BY kind, created_at"""  # noqa: S608 - our own parts

_DEAD_LETTERS: Final = """
    SELECT queue, reason, recorded_at, resolved_at FROM dead_letters WHERE mail_id = $1 ORDER BY recorded_at, id"""

_EARLIER_OUTCOMES: Final = """
    SELECT outcome, outcome_at, reasons, replaced_at FROM imported_mail_outcomes WHERE mail_id = $1 ORDER BY id"""

_FORCED_IMPORTS: Final = """
    SELECT mail_id, force_number, fetched_at, outcome FROM imported_mails WHERE forced_from = $1
    ORDER BY force_number"""

_RELEASE: Final = "SELECT release_floods($1, $2)"

_LOCK: Final = """
    SELECT mail_id, coalesce(forced_from, mail_id) AS original, outcome, awaits_outcome,
        raw_removed_at IS NOT NULL AS removed,
        EXISTS (SELECT FROM dead_letters WHERE dead_letters.mail_id = mail.mail_id AND resolved_at IS NULL) AS dead
    FROM imported_mails AS mail WHERE mail_id = $1 AND ($2::bigint[] IS NULL OR helpdesk_id = ANY($2))
    FOR NO KEY UPDATE"""

_NEXT_FORCE_NUMBER: Final = "SELECT max(force_number) + 1 FROM imported_mails WHERE $1 IN (mail_id, forced_from)"

_FORCE: Final = """
    WITH forced AS (
        INSERT INTO imported_mails (mail_id, helpdesk_id, generation, folder, item_key, force_number, forced_from,
            choice, raw_sha256, raw_size, full_size, complete, received_at, fetched_at, marked_read_at)
        SELECT $2, helpdesk_id, generation, folder, item_key, $3, mail_id,
            $4, raw_sha256, raw_size, full_size, complete, received_at, now(), now()
        FROM imported_mails WHERE mail_id = $1
        RETURNING mail_id, raw_sha256)
    INSERT INTO mail_blobs (mail_id, sha256) SELECT mail_id, raw_sha256 FROM forced"""

_REPLAY: Final = """
    UPDATE imported_mails SET
        replay_number = replay_number + 1, published_at = NULL, next_republish_at = NULL, republish_count = 0,
        choice = CASE WHEN choice = 'mark-read' THEN NULL ELSE choice END
    WHERE mail_id = $1"""

_CLOSE_LETTERS: Final = """
    UPDATE dead_letters SET resolved_at = greatest(now(), recorded_at)
    WHERE mail_id = $1 AND queue = ANY($2) AND resolved_at IS NULL"""

_DISCARD: Final = """
    UPDATE imported_mails SET reasons = reasons || $2::jsonb, outcome_at = now(), decided_replay = replay_number
    WHERE mail_id = $1 AND outcome = 'quarantine'"""

_RAW: Final = (
    "SELECT raw_sha256, raw_size, full_size, complete FROM imported_mails "
    "WHERE mail_id = $1 AND ($2::bigint[] IS NULL OR helpdesk_id = ANY($2))"
)

_RAW_CHUNKS: Final = "SELECT content FROM raw_mail_chunks WHERE mail_id = $1 ORDER BY position"


Within: TypeAlias = Sequence[int] | None
"""The helpdesks, by id, of which whoever asks may see mails; None: of all. Others' mails are unknown to him."""


class Refusal(StrEnum):
    """Why a repair of a mail is refused."""

    UNKNOWN = "unknown"
    """There is no such mail."""
    ON_ITS_WAY = "on-its-way"
    """It has no outcome yet."""
    QUARANTINED = "quarantined"
    """A mail in quarantine is replayed, not forced."""
    NOT_QUARANTINED = "not-quarantined"
    BEING_REPLAYED = "being-replayed"
    """A replay awaits its outcome."""
    REMOVED = "removed"
    """Nothing needed its bytes any more, and they were removed."""


class NotRepaired(ImporterError):
    """Nothing was done, on account of this mail; `outcome` is what it became, None when it has none."""

    def __init__(self, mail_id: MailId, refusal: Refusal, outcome: str | None = None) -> None:
        super().__init__(f"mail {mail_id}: {refusal}")
        self.mail_id = mail_id
        self.refusal = refusal
        self.outcome = outcome


@dataclass(frozen=True, slots=True)
class ExplainedReason:
    """A step of the explanation («waarom») with its Dutch sentence, and what a person can do about it ('': nothing)."""

    id: str
    detail: str
    sentence: str
    remedy: str


@dataclass(frozen=True, slots=True)
class MailInList:
    """A mail with what became of it; `waiting`: it awaits its (next) outcome; `ticket` is the ticket's number."""

    mail_id: uuid.UUID
    helpdesk: str
    received_at: datetime
    sender: str | None
    subject: str | None
    outcome: str | None
    waiting: bool
    ticket: str | None
    reasons: tuple[ExplainedReason, ...]


@dataclass(frozen=True, slots=True)
class MailOut:
    """A notification about a mail; `summary` is the state of the mail that tells of it among others, if one does.

    `resend`: a person had an earlier one sent once more with it.
    """

    id: uuid.UUID
    kind: str
    recipient: str | None
    state: str
    reason: str | None
    tries: int
    next_try_at: datetime | None
    sent_at: datetime | None
    server_reply: str | None
    summary: str | None
    resend: bool
    may_be_resent: bool


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """What the ledger says of a message about a mail that was parked; open until `resolved_at`."""

    queue: str
    reason: str
    recorded_at: datetime
    resolved_at: datetime | None


@dataclass(frozen=True, slots=True)
class EarlierOutcome:
    """What a mail had become before a replay."""

    outcome: str
    outcome_at: datetime
    reasons: tuple[ExplainedReason, ...]
    replaced_at: datetime


@dataclass(frozen=True, slots=True)
class ForcedImport:
    """A later import of the same mail, as a mail of its own."""

    mail_id: uuid.UUID
    force_number: int
    fetched_at: datetime
    outcome: str | None


@dataclass(frozen=True, slots=True)
class MailInFull:
    """All that is known of a mail: its row in the ledger, and the lists of what hangs on it. Sizes in bytes."""

    mail_id: uuid.UUID
    helpdesk: str
    outcome: str | None
    outcome_at: datetime | None
    waiting: bool
    waits_its_turn_until: datetime | None
    """More mails of its sender came than his helpdesk takes in within an hour (D18); None: that is not so."""
    ticket: str | None
    supplement_id: int | None
    duplicate_of: uuid.UUID | None
    forced_from: uuid.UUID | None
    choice: str | None
    replays: int
    sender_name: str | None
    sender_address: str | None
    subject: str | None
    message_id: str | None
    sent_at: datetime | None
    received_at: datetime
    fetched_at: datetime
    published_at: datetime | None
    marked_read_at: datetime | None
    acted_at: datetime | None
    classified_at: datetime | None
    event_published_at: datetime | None
    republish_count: int
    folder: str
    item_key: str
    raw_size: int
    full_size: int
    complete: bool
    reasons: tuple[ExplainedReason, ...]
    notifications: tuple[MailOut, ...]
    dead_letters: tuple[DeadLetter, ...]
    earlier_outcomes: tuple[EarlierOutcome, ...]
    forced_imports: tuple[ForcedImport, ...]


@dataclass(frozen=True, slots=True)
class RawMail:
    """Which bytes they are; where they are not `complete`, they are the first of `full_size` bytes."""

    mail_id: MailId
    blob: BlobReference
    full_size: int
    complete: bool


@dataclass(frozen=True, slots=True)
class MailFilter:
    """Which mails are listed; None takes all. Each of `reasons`, ids, is one of theirs.

    `sender` and `subject` are parts, in any case; a `sender` that is the whole address of somebody means him alone.

    `within` are the helpdesks that whoever asks may see; `after` is the last mail of the page before, by its time of
    arrival and its id.
    """

    helpdesk_id: int | None = None
    outcome: str | None = None
    since: datetime | None = None
    sender: str | None = None
    subject: str | None = None
    waiting: bool | None = None
    undecided: bool = False
    """Only those in quarantine that wait for a person."""
    limit: int = 50
    reasons: tuple[str, ...] = ()
    within: Within = None
    after: tuple[datetime, uuid.UUID] | None = None


async def mails(connection: Connection, wanted: MailFilter) -> list[MailInList]:
    """The newest mails that answer to the filter."""
    rows = await connection.fetch(_LISTS[await _variant(connection, wanted)], *_parameters(wanted))
    return [MailInList(**{**row, "reasons": explained(row["reasons"])}) for row in rows]


async def ids(connection: Connection, wanted: MailFilter) -> list[MailId]:
    """The ids of the newest mails that answer to the filter, the oldest of them first: so tickets are numbered."""
    sql = _IDS[await _variant(connection, wanted)]
    rows = await connection.fetch(sql, *_parameters(wanted))
    return [MailId(row["mail_id"]) for row in reversed(rows)]


async def count(connection: Connection, wanted: MailFilter) -> int:
    """How many answer to the filter; its limit is the most that are counted."""
    sql = _COUNTS[await _variant(connection, wanted)]
    counted: int = await connection.fetchval(sql, *_parameters(wanted))
    return counted


async def _variant(connection: Connection, wanted: MailFilter) -> tuple[bool, bool]:
    return await _is_whole_address(connection, wanted), wanted.undecided


async def _is_whole_address(connection: Connection, wanted: MailFilter) -> bool:
    """Whether the sender that is looked for is the whole address of one who wrote."""
    if wanted.sender is None or "@" not in wanted.sender:
        return False
    wrote: bool = await connection.fetchval(_WROTE, wanted.sender)
    return wrote


def _parameters(wanted: MailFilter) -> tuple[Any, ...]:
    after_time, after_id = wanted.after or (None, None)
    return (
        wanted.helpdesk_id, wanted.outcome, wanted.since, wanted.sender, wanted.subject, wanted.waiting,
        [{"id": reason} for reason in wanted.reasons] or None, wanted.within, after_time, after_id, wanted.limit,
    )  # fmt: skip


async def ids_that_begin_with(connection: Connection, digits: str) -> list[MailId]:
    """The first two ids of mails that begin with these hexadecimal digits, of which there are fewer than 32."""
    least, most = (uuid.UUID(digits.ljust(32, filler)) for filler in "0f")
    return [MailId(row["mail_id"]) for row in await connection.fetch(_THAT_BEGIN_WITH, least, most)]


async def mail(connection: Connection, mail_id: MailId, within: Within = None) -> MailInFull:
    """All that is known of a mail. Raises NotRepaired when there is none."""
    row = await connection.fetchrow(_SHOW, mail_id, within)
    if row is None:
        raise NotRepaired(mail_id, Refusal.UNKNOWN)
    earlier = await connection.fetch(_EARLIER_OUTCOMES, mail_id)
    return MailInFull(
        **{**row, "reasons": explained(row["reasons"])},
        notifications=tuple(MailOut(**one) for one in await connection.fetch(_NOTIFICATIONS, mail_id)),
        dead_letters=tuple(DeadLetter(**one) for one in await connection.fetch(_DEAD_LETTERS, mail_id)),
        earlier_outcomes=tuple(EarlierOutcome(**{**one, "reasons": explained(one["reasons"])}) for one in earlier),
        forced_imports=tuple(ForcedImport(**one) for one in await connection.fetch(_FORCED_IMPORTS, mail_id)),
    )


async def raw(connection: Connection, mail_id: MailId, within: Within = None) -> RawMail:
    """Which bytes a raw mail has. Raises NotRepaired when there is no such mail, or they were removed."""
    row = await connection.fetchrow(_RAW, mail_id, within)
    if row is None:
        raise NotRepaired(mail_id, Refusal.UNKNOWN)
    if row["raw_sha256"] is None:
        raise NotRepaired(mail_id, Refusal.REMOVED)
    blob = BlobReference(sha256=row["raw_sha256"].hex(), size=row["raw_size"])
    return RawMail(mail_id, blob, row["full_size"], row["complete"])


async def chunks(connection: Connection, wanted: RawMail) -> AsyncIterator[bytes]:
    """The bytes of a raw mail, chunk after chunk, in the transaction of the caller, which records the look.

    What came is sound only once the iterator has ended by itself. Raises BlobMissing or BlobDamaged at the end.
    """
    digest, seen = hashlib.sha256(), 0
    async for row in connection.cursor(_RAW_CHUNKS, wanted.mail_id, prefetch=1):
        await asyncio.to_thread(digest.update, row["content"])
        seen += len(row["content"])
        yield row["content"]
    if seen == 0 and wanted.blob.size > 0:
        raise BlobMissing(f"The bytes of mail {wanted.mail_id} are not stored (any more).")
    if seen != wanted.blob.size or digest.hexdigest() != wanted.blob.sha256:
        raise BlobDamaged(f"The bytes of mail {wanted.mail_id} are damaged: restore them from a backup.")


async def force(connection: Connection, mail_id: MailId, *, without_mails: bool) -> MailId:
    """Import a mail once more, as a mail of its own (SPEC D13); its id.

    The mails about it are sent, however old it is, unless `without_mails`. Raises NotRepaired.
    """
    locked = await _locked(connection, mail_id)
    if locked["outcome"] is None:
        raise NotRepaired(mail_id, Refusal.ON_ITS_WAY)
    if locked["outcome"] == Outcome.QUARANTINE:
        raise NotRepaired(mail_id, Refusal.QUARANTINED, locked["outcome"])
    original = MailId(locked["original"])
    if original != mail_id:
        await _locked(connection, original)
    number = await connection.fetchval(_NEXT_FORCE_NUMBER, original)
    forced = forced_mail_id(original, number)
    choice = ImportChoice.IMPORT_WITHOUT_MAILS if without_mails else ImportChoice.IMPORT
    await connection.execute(_FORCE, original, forced, number, choice)
    return forced


async def release(connection: Connection, helpdesk_id: int | None, sender: str | None) -> int:
    """Let mails go on that wait for their sender's turn: of a helpdesk, of an address, or all (None); how many."""
    released: int = await connection.fetchval(_RELEASE, helpdesk_id, sender)
    if released:
        told = {"mails": released, "sender": sender}
        await record(connection, Kind.REPAIR, "released", "held_mails", helpdesk_id=helpdesk_id, told=told)
    return released


async def replay(connection: Connection, mail_id: MailId, within: Within = None) -> None:
    """Send a quarantined mail through the pipeline again (SPEC D7). Raises NotRepaired."""
    await _lock_quarantined(connection, mail_id, within)
    await connection.execute(_REPLAY, mail_id)
    await connection.execute(_CLOSE_LETTERS, mail_id, MAIL_QUEUES)


async def discard(connection: Connection, mail_id: MailId, within: Within = None, *, because: str = "") -> None:
    """Record a person's decision that nothing needs to be done; it stays quarantined and can be replayed.

    `because` is kept with it in the ledger («waarom»). Raises NotRepaired.
    """
    await _lock_quarantined(connection, mail_id, within)
    await note_discarded(connection, mail_id, because=because)


async def note_discarded(connection: Connection, mail_id: MailId, *, because: str = "") -> None:
    """Note that a person discarded this mail, and why; nothing where it is not quarantined (any more)."""
    decision = Reason(id=ReasonId.DISCARDED_BY_PERSON, detail=because)
    await connection.execute(_DISCARD, mail_id, [decision.model_dump(mode="json", exclude_defaults=True)])


def explained(reasons: Sequence[Any]) -> tuple[ExplainedReason, ...]:
    """Reasons as the database has them, with their sentences and remedies."""
    return tuple(_explained(Reason.model_validate(reason)) for reason in reasons)


def _explained(reason: Reason) -> ExplainedReason:
    return ExplainedReason(reason.id, reason.detail, explain(reason), explanation_of(reason).remedy)


async def _locked(connection: Connection, mail_id: MailId, within: Within = None) -> asyncpg.Record:
    row = await connection.fetchrow(_LOCK, mail_id, within)
    if row is None:
        raise NotRepaired(mail_id, Refusal.UNKNOWN)
    if row["removed"]:
        raise NotRepaired(mail_id, Refusal.REMOVED, row["outcome"])
    return row


async def _lock_quarantined(connection: Connection, mail_id: MailId, within: Within) -> None:
    """Hold the row of a mail in quarantine that awaits nothing but a person; NotRepaired for any other."""
    locked = await _locked(connection, mail_id, within)
    if locked["outcome"] != Outcome.QUARANTINE:
        raise NotRepaired(mail_id, Refusal.NOT_QUARANTINED, locked["outcome"])
    if locked["awaits_outcome"] and not locked["dead"]:
        raise NotRepaired(mail_id, Refusal.BEING_REPLAYED, locked["outcome"])
