"""Mailboxes that are in the middle of an import: what a check left in the mailbox comes with the next ones.

Until all of it was seen there is no good check (S8), for hours in a first import. What is told is how many mails came,
how fast, how far that is by their arrival, since the oldest come first, and of how many: each check of a mailbox with
many mails says how many it holds yet, so that those which come meanwhile are counted with the next.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.database.pool import Connection

RATE_OF: Final = timedelta(minutes=3)
"""The rate is that of so long."""

_IMPORTS: Final = """
-- $1 how long the rate is that of
WITH importing AS (
    SELECT settings.helpdesk_id, settings.generation, state.last_successful_check_at AS good_check_at,
        state.import_left, state.import_left_at
    FROM importer_settings settings JOIN mailbox_states state ON state.helpdesk_id = settings.helpdesk_id
    WHERE settings.enabled AND settings.paused_since IS NULL AND state.problem IS NULL AND state.failed_checks = 0
      AND CASE WHEN state.last_check_at IS NULL THEN state.lease_until > now()
          ELSE state.last_check_at > coalesce(state.last_successful_check_at, '-infinity') END)
SELECT helpdesk.name AS helpdesk, importing.good_check_at IS NULL AS first, min(mail.fetched_at) AS since,
    count(mail.mail_id) AS taken_in, count(mail.outcome) AS decided, max(mail.received_at) AS reached,
    count(mail.mail_id) FILTER (WHERE mail.fetched_at > now() - $1::interval)
        / extract(epoch FROM greatest(least(now() - min(mail.fetched_at), $1), interval '1 second'))::float
        AS per_second,
    CASE WHEN importing.import_left_at > coalesce(importing.good_check_at, '-infinity') THEN greatest(
        count(mail.mail_id),
        count(mail.mail_id) FILTER (WHERE mail.fetched_at < importing.import_left_at) + importing.import_left)
    END AS total
FROM importing JOIN helpdesks helpdesk ON helpdesk.id = importing.helpdesk_id
LEFT JOIN imported_mails mail ON mail.helpdesk_id = importing.helpdesk_id AND mail.generation = importing.generation
    AND mail.force_number = 0 AND mail.fetched_at > coalesce(importing.good_check_at, '-infinity')
GROUP BY helpdesk.id, importing.good_check_at, importing.import_left, importing.import_left_at ORDER BY helpdesk.name
"""


@dataclass(frozen=True, slots=True)
class Import:
    """How far the import of a helpdesk's mailbox is."""

    helpdesk: str
    first: bool
    """The mailbox never had a good check."""
    since: datetime | None
    """When the first of its mails was taken in; None: none was yet."""
    taken_in: int
    decided: int
    """Those that have their outcome."""
    reached: datetime | None
    """When the newest of them arrived."""
    per_second: float | None
    total: int | None = None
    """How many they are, those that came until the mailbox was last listed; None: it does not hold many."""

    @property
    def left(self) -> timedelta | None:
        """How long the rest takes at that rate; None where the total is not known, or nothing moves."""
        if self.total is None or not self.per_second:
            return None
        return timedelta(seconds=(self.total - self.taken_in) / self.per_second)


async def imports(connection: Connection) -> list[Import]:
    """Every mailbox of which a check left mail for the next one, or that is checked for the first time."""
    return [Import(**row) for row in await connection.fetch(_IMPORTS, RATE_OF)]
