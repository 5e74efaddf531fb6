"""What the checks of a mailbox were: a row for each that found something to do, or went otherwise than the one before.

The fetcher writes it at the end of a check; the checks between two rows went as the older of the two did, and are a
number.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import asyncpg

from shared.database.pool import Connection

_CHECKS: Final = """
    SELECT id, at, took_ms, unread, taken_in, filed, problem_kind, problem, problem_ended, alike, quiet_checks,
        quiet_ms, quiet_longest_ms
    FROM mailbox_checks
    WHERE helpdesk_id = $1 AND ($2::timestamptz IS NULL OR (at, id) < ($2, $3::bigint))
    ORDER BY at DESC, id DESC LIMIT $4"""

_DIALOGUE: Final = """
    SELECT failed_dialogue, failed_dialogue_at FROM mailbox_states
    WHERE helpdesk_id = $1 AND failed_dialogue IS NOT NULL"""

_STANDS: Final = """
    SELECT state.last_check_at, state.last_successful_check_at, state.problem, state.problem_kind, state.problem_since,
        state.quiet_checks, state.quiet_ms, state.quiet_longest_ms, settings.enabled, settings.paused_since,
        settings.paused_reason
    FROM mailbox_states AS state JOIN importer_settings AS settings USING (helpdesk_id)
    WHERE helpdesk_id = $1"""


@dataclass(frozen=True, slots=True)
class Quiet:
    """Checks in a row that went as the one before them and found nothing to do."""

    checks: int
    seconds: float
    """What one took, on average; 0 where there was none."""
    longest_seconds: float


@dataclass(frozen=True, slots=True)
class Check:
    """A check of a mailbox, and what lies between it and the one told before it."""

    id: int
    at: datetime
    seconds: float
    unread: int
    taken_in: int
    filed: int
    problem_kind: str | None
    problem: str | None
    problem_ended: datetime | None
    """Since when the problem had been there that ended with this check; None: none did."""
    alike: int
    """Checks of the hour after it that the same kind of problem kept from their mail: `problem` is the last's."""
    quiet_before: Quiet


@dataclass(frozen=True, slots=True)
class Stands:
    """How the mailbox is now; `quiet` are the checks since the newest that is told."""

    enabled: bool
    paused_since: datetime | None
    paused_reason: str
    last_check_at: datetime | None
    last_successful_check_at: datetime | None
    problem: str | None
    problem_kind: str | None
    problem_since: datetime | None
    quiet: Quiet


@dataclass(frozen=True, slots=True)
class Step:
    """Something that was asked of the mail server; it has no secrets, and nothing that the server wrote freely."""

    after_seconds: float
    """Since the check began."""
    asked: str
    came: str
    seconds: float | None
    """What the answer took; None: there was none."""


@dataclass(frozen=True, slots=True)
class Dialogue:
    """What was said in the last check that failed."""

    ended_at: datetime
    steps: tuple[Step, ...]


async def failed_dialogue(connection: Connection, helpdesk_id: int) -> Dialogue | None:
    """The last steps of the last check that failed, of this mailbox; None: none did, or it is older than this."""
    row = await connection.fetchrow(_DIALOGUE, helpdesk_id)
    if row is None:
        return None
    return Dialogue(
        row["failed_dialogue_at"],
        tuple(
            Step(step["at"] / 1000, step["asked"], step["came"], None if step["took"] is None else step["took"] / 1000)
            for step in row["failed_dialogue"]
        ),
    )


async def checks(
    connection: Connection, helpdesk_id: int, at_most: int, after: tuple[datetime, int] | None = None
) -> list[Check]:
    """Those of a helpdesk's mailbox, the newest first; `after` is the moment and id that the last page ended with."""
    rows = await connection.fetch(_CHECKS, helpdesk_id, *(after or (None, None)), at_most)
    return [
        Check(
            id=row["id"],
            at=row["at"],
            seconds=row["took_ms"] / 1000,
            unread=row["unread"],
            taken_in=row["taken_in"],
            filed=row["filed"],
            problem_kind=row["problem_kind"],
            problem=row["problem"],
            problem_ended=row["problem_ended"],
            alike=row["alike"],
            quiet_before=_quiet(row),
        )
        for row in rows
    ]


async def stands(connection: Connection, helpdesk_id: int) -> Stands | None:
    """How a helpdesk's mailbox is now; None where it has no settings yet."""
    row = await connection.fetchrow(_STANDS, helpdesk_id)
    if row is None:
        return None
    kept = {name: value for name, value in row.items() if not name.startswith("quiet_")}
    return Stands(**kept, quiet=_quiet(row))


def _quiet(row: asyncpg.Record) -> Quiet:
    count = row["quiet_checks"]
    return Quiet(count, row["quiet_ms"] / 1000 / count if count else 0, row["quiet_longest_ms"] / 1000)
