"""What Vandaag shows, of the helpdesks that the visitor may see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from services.console.repairs import backlog, mails, review
from services.console.repairs.mails import MailFilter
from shared.database.pool import Connection
from shared.standing import recorded
from shared.standing.importing import Import, imports
from shared.standing.needs import NEEDS_A_PERSON, Need, beside_the_work_lists
from shared.standing.recorded import InstallationStanding

MOST_COUNTED: Final = 1000
"""Of a work list: more are many."""
NOBODY_NAMED: Final = "…"
"""A sender, for who may not see whom."""

_MAILBOXES: Final = """
    SELECT helpdesk.id AS helpdesk_id, helpdesk.name AS helpdesk, settings.enabled, settings.paused_since,
        settings.paused_reason, state.last_successful_check_at, state.problem, state.problem_kind, state.problem_since
    FROM importer_settings AS settings
        JOIN helpdesks AS helpdesk ON helpdesk.id = settings.helpdesk_id
        JOIN mailbox_states AS state ON state.helpdesk_id = settings.helpdesk_id
    WHERE settings.helpdesk_id = ANY($1)
    ORDER BY helpdesk.name"""

_HOLDS: Final = """
    SELECT hold.helpdesk_id, helpdesk.name AS helpdesk, hold.held_since, hold.reason,
        (SELECT count(*) FROM (SELECT FROM notifications AS mail WHERE mail.state = 'planned'
            AND mail.helpdesk_id = ANY($1) AND (hold.helpdesk_id IS NULL OR mail.helpdesk_id = hold.helpdesk_id)
            LIMIT $2) AS held) AS waiting
    FROM outgoing_holds AS hold LEFT JOIN helpdesks AS helpdesk ON helpdesk.id = hold.helpdesk_id
    WHERE hold.helpdesk_id IS NULL OR hold.helpdesk_id = ANY($1)
    ORDER BY helpdesk.name NULLS FIRST"""

_HOURS: Final = """
    SELECT date_trunc('hour', received_at) AS hour, coalesce(outcome, 'on-its-way') AS outcome, count(*)
    FROM imported_mails
    WHERE helpdesk_id = ANY($1) AND received_at > date_trunc('hour', now()) - interval '23 hours'
    GROUP BY 1, 2"""

_SECONDS: Final = """
    SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY took) AS median,
        percentile_cont(0.95) WITHIN GROUP (ORDER BY took) AS slow, count(*)
    FROM (SELECT extract(epoch FROM outcome_at - fetched_at)::float AS took FROM imported_mails
        WHERE helpdesk_id = ANY($1) AND received_at > now() - interval '1 day'
            AND outcome IN ('ticket', 'supplement') AND replay_number = 0
        ORDER BY received_at DESC LIMIT 10000) AS times"""

_DEAD: Final = """
    SELECT count(*) FROM (SELECT FROM dead_letters JOIN imported_mails AS mail USING (mail_id)
        WHERE resolved_at IS NULL AND mail.helpdesk_id = ANY($1) LIMIT $2) AS open"""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """How a mailbox is (S8)."""

    helpdesk_id: int
    helpdesk: str
    enabled: bool
    paused_since: datetime | None
    paused_reason: str
    last_successful_check_at: datetime | None
    problem: str | None
    problem_kind: str | None
    problem_since: datetime | None


@dataclass(frozen=True, slots=True)
class Hold:
    """Mail out that a person holds: of a helpdesk, or of all (no name); at most MOST_COUNTED are counted."""

    helpdesk_id: int | None
    helpdesk: str | None
    held_since: datetime
    reason: str
    waiting: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """How much waits for a person, by work list; at most MOST_COUNTED each."""

    quarantine: int
    dead_letters: int
    review: int
    backlog: int
    undelivered: int


@dataclass(frozen=True, slots=True)
class HourOfOutcome:
    """How many mails that arrived in an hour became what."""

    hour: datetime
    outcome: str
    count: int


@dataclass(frozen=True, slots=True)
class Today:
    """All of it; `median` and `slow` (19 of 20 are faster) in seconds from fetching to outcome, of `timed` mails."""

    now: datetime
    installation: InstallationStanding
    mailboxes: tuple[Mailbox, ...]
    imports: Mapping[str, Import]
    """By helpdesk, where one goes on."""
    holds: tuple[Hold, ...]
    waiting: Waiting
    needs: tuple[Need, ...]
    """What needs a person and is in no work list."""
    hours: tuple[HourOfOutcome, ...]
    median: float | None
    slow: float | None
    timed: int


async def today(
    connection: Connection,
    helpdesks: Sequence[int],
    names: frozenset[str],
    without_senders: frozenset[str] = frozenset(),
) -> Today:
    """How it stands with these helpdesks (and their `names`, by which some lists know them).

    Of those that are `without_senders` no sender is named.
    """
    (times,) = await connection.fetch(_SECONDS, helpdesks)
    return Today(
        now=await recorded.now(connection),
        installation=await recorded.installation(connection),
        mailboxes=tuple(Mailbox(**row) for row in await connection.fetch(_MAILBOXES, helpdesks)),
        imports={each.helpdesk: each for each in await imports(connection) if each.helpdesk in names},
        holds=tuple(Hold(**row) for row in await connection.fetch(_HOLDS, helpdesks, MOST_COUNTED)),
        waiting=await _waiting(connection, helpdesks, names),
        needs=tuple(await _needs(connection, names, without_senders)),
        hours=tuple(HourOfOutcome(**row) for row in await connection.fetch(_HOURS, helpdesks)),
        median=times["median"],
        slow=times["slow"],
        timed=times["count"],
    )


async def _needs(connection: Connection, names: frozenset[str], without_senders: frozenset[str]) -> list[Need]:
    is_held = (await recorded.installation(connection)).is_held
    mailboxes = [] if is_held else await recorded.mailboxes(connection)
    floods = [
        replace(one, sender=NOBODY_NAMED) if one.helpdesk in without_senders else one
        for one in await recorded.floods(connection)
    ]
    return list(
        beside_the_work_lists(
            await recorded.now(connection),
            [one for one in mailboxes if one.helpdesk in names],
            [one for one in await recorded.undecided(connection) if one.helpdesk in names],
            [one for one in floods if one.helpdesk in names],
            [one for one in await recorded.unconfirmed(connection) if one.helpdesk in names],
        )
    )


async def _waiting(connection: Connection, helpdesks: Sequence[int], names: frozenset[str]) -> Waiting:
    quarantined = MailFilter(undecided=True, limit=MOST_COUNTED, within=helpdesks)
    undelivered = await recorded.undelivered(connection, [str(reason) for reason in NEEDS_A_PERSON])
    return Waiting(
        quarantine=await mails.count(connection, quarantined),
        dead_letters=await connection.fetchval(_DEAD, helpdesks, MOST_COUNTED),
        review=len(await review.waiting(connection, None, MOST_COUNTED, helpdesks)),
        backlog=sum(one.waiting for one in await backlog.waiting(connection, helpdesks) if one.choice is None),
        undelivered=sum(one.count for one in undelivered if one.helpdesk in names),
    )
