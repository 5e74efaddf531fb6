"""Old mail that waits for a person's choice (SPEC D18): what the fetcher recorded, and the choice it carries out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.console.repairs.mails import Within
from shared.database.pool import Connection
from shared.messages import ImportChoice

_LIST: Final = """
    SELECT helpdesk.name AS helpdesk, backlog_waiting AS waiting, backlog_oldest_at AS oldest_at,
        backlog_newest_at AS newest_at, last_successful_check_at AS seen_at, backlog_choice AS choice,
        backlog_chosen_at AS chosen_at, backlog_chosen_until AS chosen_until
    FROM mailbox_states JOIN helpdesks AS helpdesk ON helpdesk.id = helpdesk_id
    WHERE (backlog_waiting > 0 OR backlog_choice IS NOT NULL)
        AND ($1::bigint[] IS NULL OR mailbox_states.helpdesk_id = ANY($1))
    ORDER BY helpdesk.name"""

_CHOOSE: Final = """
    UPDATE mailbox_states SET
        backlog_choice = $2, backlog_chosen_at = clock_timestamp(), backlog_chosen_until = backlog_newest_at,
        next_check_at = '-infinity'
    WHERE helpdesk_id = $1 AND backlog_waiting > 0
    RETURNING backlog_waiting"""


@dataclass(frozen=True, slots=True)
class Backlog:
    """Old mail of a mailbox, `waiting` mails as of `seen_at`; a choice is for what arrived until `chosen_until`."""

    helpdesk: str
    waiting: int
    oldest_at: datetime | None
    newest_at: datetime | None
    seen_at: datetime | None
    choice: str | None
    chosen_at: datetime | None
    chosen_until: datetime | None


async def waiting(connection: Connection, within: Within = None) -> list[Backlog]:
    """The mailboxes in which old mail waits, or for which a choice is being carried out."""
    return [Backlog(**row) for row in await connection.fetch(_LIST, within)]


async def choose(connection: Connection, helpdesk_id: int, choice: ImportChoice) -> int | None:
    """Choose for the mails that wait now, and have the mailbox checked; how many they are, None for none."""
    chosen: int | None = await connection.fetchval(_CHOOSE, helpdesk_id, choice)
    return chosen
