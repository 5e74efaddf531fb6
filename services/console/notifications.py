"""The SQL of the commands on notifications; every function takes a connection with the role `importer_console`."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.console.repairs.mails import Within
from shared.database.pool import Connection
from shared.standing.recorded import IS_HELD

_ROWS: Final = """
SELECT notification.id, helpdesk.name AS helpdesk, ticket.number AS ticket, notification.kind,
       notification.recipient_address AS recipient, notification.subject, notification.tries,
       notification.next_try_at, notification.reason,
       coalesce(nullif(notification.report_diagnostic, ''), notification.server_reply) AS server_reply,
       notification.report_action, notification.report_status, notification.reported_at, notification.sent_at,
       notification.mail_id, notification.created_at
-- the newest of each helpdesk, so that an index has them in this order however many there are
FROM helpdesks helpdesk CROSS JOIN LATERAL (
    SELECT id, mail_id, ticket_id, kind, recipient_address, subject, tries, next_try_at, reason, server_reply,
        report_action, report_status, report_diagnostic, reported_at, sent_at, created_at
    FROM notifications
    WHERE helpdesk_id = helpdesk.id AND state = CASE $1::text WHEN 'waiting' THEN 'planned' ELSE $1 END
      AND (state <> 'planned' OR coalesce(next_try_at > now(), false) = ($1 = 'waiting'))
    ORDER BY created_at DESC LIMIT $3) AS notification
JOIN tickets ticket ON ticket.id = notification.ticket_id
WHERE ($2::bigint IS NULL OR helpdesk.id = $2) AND ($4::bigint[] IS NULL OR helpdesk.id = ANY($4))
ORDER BY notification.created_at DESC LIMIT $3
"""

_DUE_NOW: Final = f"""
UPDATE notifications AS notification SET next_try_at = now()
WHERE state = 'planned' AND next_try_at > now() AND ($1::bigint IS NULL OR helpdesk_id = $1)
  AND ($2::bigint[] IS NULL OR helpdesk_id = ANY($2))
  AND ($3::uuid IS NULL OR id = $3)
  AND NOT {IS_HELD}
"""  # noqa: S608 - nothing but our own columns


@dataclass(frozen=True, slots=True)
class Notification:
    """A mail out, with the last word of the mail server and of a report that came back."""

    id: uuid.UUID
    helpdesk: str
    ticket: str
    kind: str
    recipient: str | None
    subject: str | None
    tries: int
    next_try_at: datetime | None
    reason: str | None
    server_reply: str | None
    report_action: str | None
    report_status: str | None
    reported_at: datetime | None
    sent_at: datetime | None
    mail_id: uuid.UUID
    created_at: datetime


async def rows(
    connection: Connection, *, state: str, helpdesk_id: int | None, at_most: int, within: Within = None
) -> list[Notification]:
    """Notifications in one state, the newest first; `waiting` are the planned ones that are tried again later."""
    return [Notification(**row) for row in await connection.fetch(_ROWS, state, helpdesk_id, at_most, within)]


async def due_now(
    connection: Connection, helpdesk_id: int | None, within: Within = None, alone: uuid.UUID | None = None
) -> int:
    """Make every notification due, or one `alone`, that waits for another try and is not held; how many."""
    status: str = await connection.execute(_DUE_NOW, helpdesk_id, within, alone)
    return int(status.removeprefix("UPDATE "))
