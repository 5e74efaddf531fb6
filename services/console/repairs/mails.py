"""What became of mails, and the three things a person may do about one: force, replay, discard (SPEC D7, D13).

None of them touches a ticket: a forced import is a ledger row of its own, a replay lets the pipeline set the outcome
once more, and both are published by the fetcher's sweeper. What is discarded stays quarantined, its raw bytes kept.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import asyncpg

from services.console.fields import BadValue
from shared.database.pool import Connection
from shared.mail_identity import forced_mail_id
from shared.messages import ImportChoice, MailId, Reason, ReasonId
from shared.portal.reasons import explain, explanation_of

Row = dict[str, Any]

_LIST: Final = """
    SELECT mail.mail_id, helpdesk.name AS helpdesk, mail.received_at, mail.sender_address AS sender, mail.subject,
        mail.outcome, mail.awaits_outcome AS waiting, ticket.number AS ticket, mail.reasons
    FROM imported_mails AS mail
        JOIN helpdesks AS helpdesk ON helpdesk.id = mail.helpdesk_id
        LEFT JOIN tickets AS ticket ON ticket.id = mail.ticket_id
    WHERE ($1::bigint IS NULL OR mail.helpdesk_id = $1)
        AND ($2::text IS NULL OR mail.outcome = $2)
        AND ($3::timestamptz IS NULL OR mail.received_at >= $3)
        AND ($4::text IS NULL OR strpos(lower(mail.sender_address), lower($4)) > 0)
        AND ($5::text IS NULL OR strpos(lower(mail.subject), lower($5)) > 0)
        AND ($6::boolean IS NULL OR mail.awaits_outcome = $6)
        AND ($7::boolean IS NULL OR (mail.reasons @> $8) = $7)
    ORDER BY mail.received_at DESC, mail.mail_id LIMIT $9"""

_SHOW: Final = """
    SELECT mail.mail_id, helpdesk.name AS helpdesk, mail.outcome, mail.outcome_at, mail.awaits_outcome AS waiting,
        ticket.number AS ticket, mail.supplement_id, mail.duplicate_of, mail.forced_from, mail.choice,
        mail.replay_number AS replays, mail.sender_name, mail.sender_address, mail.subject,
        mail.message_id_header AS message_id, mail.sent_at, mail.received_at, mail.fetched_at, mail.published_at,
        mail.marked_read_at, mail.acted_at, mail.classified_at, mail.event_published_at, mail.republish_count,
        mail.folder, mail.item_key, mail.raw_size, mail.full_size, mail.complete, mail.reasons
    FROM imported_mails AS mail
        JOIN helpdesks AS helpdesk ON helpdesk.id = mail.helpdesk_id
        LEFT JOIN tickets AS ticket ON ticket.id = mail.ticket_id
    WHERE mail.mail_id = $1"""

_ABOUT: Final = {
    "notifications": """
        SELECT kind, recipient_address AS recipient, state, reason, tries, next_try_at, sent_at, server_reply
        FROM notifications WHERE mail_id = $1 ORDER BY kind""",
    "dead_letters": """
        SELECT queue, reason, recorded_at, resolved_at FROM dead_letters WHERE mail_id = $1 ORDER BY recorded_at, id""",
    "earlier_outcomes": """
        SELECT outcome, outcome_at, reasons, replaced_at FROM imported_mail_outcomes WHERE mail_id = $1 ORDER BY id""",
    "forced_imports": """
        SELECT mail_id, force_number, fetched_at, outcome FROM imported_mails WHERE forced_from = $1
        ORDER BY force_number""",
}

_LOCK: Final = """
    SELECT mail_id, coalesce(forced_from, mail_id) AS original, outcome, awaits_outcome,
        EXISTS (SELECT FROM dead_letters WHERE dead_letters.mail_id = mail.mail_id AND resolved_at IS NULL) AS dead
    FROM imported_mails AS mail WHERE mail_id = $1 FOR NO KEY UPDATE"""

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
    WHERE mail_id = $1 AND queue LIKE 'mail.%' AND resolved_at IS NULL"""

_DISCARD: Final = """
    UPDATE imported_mails SET reasons = reasons || $2::jsonb, outcome_at = now(), decided_replay = replay_number
    WHERE mail_id = $1 AND outcome = 'quarantine'"""

_RAW: Final = "SELECT raw_sha256, raw_size, full_size, complete FROM imported_mails WHERE mail_id = $1"

_DISCARDED: Final = [Reason(id=ReasonId.DISCARDED_BY_PERSON).model_dump(mode="json", exclude={"detail"})]


@dataclass(frozen=True, slots=True)
class MailFilter:
    """Which mails are listed; None takes all. `sender` and `subject` are parts of them, in any case."""

    helpdesk_id: int | None = None
    outcome: str | None = None
    since: datetime | None = None
    sender: str | None = None
    subject: str | None = None
    waiting: bool | None = None
    discarded: bool | None = None
    limit: int = 50


def mail_id_of(typed: str) -> MailId:
    """The id that was typed; BadValue when it is none."""
    try:
        return MailId(uuid.UUID(typed.strip()))
    except ValueError:
        raise BadValue(f"{typed!r} is no id of a mail; `mails list` shows them.") from None


async def mails(connection: Connection, wanted: MailFilter) -> list[Row]:
    """The newest mails that answer to the filter, reasons explained."""
    found = await connection.fetch(
        _LIST, wanted.helpdesk_id, wanted.outcome, wanted.since, wanted.sender, wanted.subject, wanted.waiting,
        wanted.discarded, _DISCARDED, wanted.limit,
    )  # fmt: skip
    return [dict(row) | {"reasons": explained(row["reasons"])} for row in found]


async def mail(connection: Connection, mail_id: MailId) -> Row:
    """All that is known of a mail: its row, and under names of their own the lists of what hangs on it."""
    found = await connection.fetchrow(_SHOW, mail_id)
    if found is None:
        raise _unknown(mail_id)
    about = {name: [dict(row) for row in await connection.fetch(query, mail_id)] for name, query in _ABOUT.items()}
    for earlier in about["earlier_outcomes"]:
        earlier["reasons"] = explained(earlier["reasons"])
    return dict(found) | {"reasons": explained(found["reasons"])} | about


async def raw(connection: Connection, mail_id: MailId) -> asyncpg.Record:
    """Where the raw bytes lie (`raw_sha256`, `raw_size`), and whether they are the whole mail (`complete`)."""
    found = await connection.fetchrow(_RAW, mail_id)
    if found is None:
        raise _unknown(mail_id)
    return found


async def force(connection: Connection, mail_id: MailId, *, without_mails: bool) -> MailId:
    """Import a mail once more, as a mail of its own (SPEC D13); its id. With mails, it sends them however old it is."""
    locked = await _locked(connection, mail_id)
    if locked["outcome"] is None:
        raise BadValue(f"Mail {mail_id} is still on its way; force it once it has an outcome.")
    if locked["outcome"] == "quarantine":
        raise BadValue(f"Mail {mail_id} is quarantined: `quarantine replay` imports it, without making a second one.")
    original = MailId(locked["original"])
    if original != mail_id:
        await _locked(connection, original)
    number = await connection.fetchval(_NEXT_FORCE_NUMBER, original)
    forced = forced_mail_id(original, number)
    choice = ImportChoice.IMPORT_WITHOUT_MAILS if without_mails else ImportChoice.IMPORT
    await connection.execute(_FORCE, original, forced, number, choice)
    return forced


async def replay(connection: Connection, mail_id: MailId) -> None:
    """Send a quarantined mail through the pipeline again (SPEC D7)."""
    locked = await _quarantined(connection, mail_id)
    if locked["awaits_outcome"] and not locked["dead"]:
        raise BadValue(f"Mail {mail_id} is being replayed already.")
    await connection.execute(_REPLAY, mail_id)
    await connection.execute(_CLOSE_LETTERS, mail_id)


async def discard(connection: Connection, mail_id: MailId) -> None:
    """Record a person's decision that nothing needs to be done; it stays quarantined and can be replayed."""
    locked = await _quarantined(connection, mail_id)
    if locked["awaits_outcome"] and not locked["dead"]:
        raise BadValue(f"Mail {mail_id} is being replayed; wait for its outcome.")
    await note_discarded(connection, mail_id)


async def note_discarded(connection: Connection, mail_id: MailId) -> None:
    """Note that a person discarded this mail; nothing where it is not quarantined (any more)."""
    await connection.execute(_DISCARD, mail_id, _DISCARDED)


def explained(reasons: list[Any]) -> list[Row]:
    """Each reason with its sentence and its remedy («waarom»)."""
    return [_explained(reason) for reason in reasons]


def _explained(reason: Any) -> Row:
    known = Reason.model_validate(reason)
    return {**reason, "sentence": explain(known), "remedy": explanation_of(known).remedy}


async def _locked(connection: Connection, mail_id: MailId) -> asyncpg.Record:
    found = await connection.fetchrow(_LOCK, mail_id)
    if found is None:
        raise _unknown(mail_id)
    return found


async def _quarantined(connection: Connection, mail_id: MailId) -> asyncpg.Record:
    locked = await _locked(connection, mail_id)
    if locked["outcome"] != "quarantine":
        what = "has no outcome yet" if locked["outcome"] is None else f"ended as {locked['outcome']}"
        raise BadValue(f"Mail {mail_id} is not quarantined: it {what}.")
    return locked


def _unknown(mail_id: MailId) -> BadValue:
    return BadValue(f"There is no mail {mail_id}; `mails list` shows them.")
