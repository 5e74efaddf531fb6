"""The mails out of some helpdesks, page after page: a walk of the index for each helpdesk and state."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.console.repairs.resend import MAY_BE_RESENT
from shared.database.pool import Connection
from shared.standing.recorded import IS_HELD

STATES: Final = ("planned", "sent", "not-sent", "failed")

_LIST: Final = f"""
WITH page AS MATERIALIZED (
    SELECT walked.* FROM unnest($1::bigint[]) AS of_helpdesk (id)
        CROSS JOIN unnest($2::text[]) AS of_state (name)
        CROSS JOIN LATERAL (
            SELECT id, mail_id, kind, helpdesk_id, ticket_id, recipient_address, subject, state, reason, tries,
                next_try_at, sent_at, created_at, server_reply, report_diagnostic, resend_of
            FROM notifications
            WHERE helpdesk_id = of_helpdesk.id AND state = of_state.name
                AND ($3::text IS NULL OR ticket_id = ANY(ARRAY(SELECT id FROM tickets WHERE number = $3)))
                AND ($4::timestamptz IS NULL OR created_at <= $4 AND (created_at, id) < ($4, $5::uuid))
            ORDER BY created_at DESC, id DESC LIMIT $6) AS walked
    ORDER BY created_at DESC, id DESC LIMIT $6)
SELECT notification.id, notification.mail_id, notification.kind, helpdesk.name AS helpdesk, ticket.number AS ticket,
    notification.recipient_address AS recipient, notification.subject, notification.state, notification.reason,
    notification.tries, notification.next_try_at, notification.sent_at, notification.created_at,
    coalesce(nullif(notification.report_diagnostic, ''), notification.server_reply) AS server_reply,
    notification.state = 'planned' AND {IS_HELD} AS held,
    notification.state = 'planned' AND coalesce(notification.next_try_at > now(), false) AS waiting,
    notification.resend_of IS NOT NULL AS resend, {MAY_BE_RESENT} AS may_be_resent
FROM page AS notification
JOIN helpdesks AS helpdesk ON helpdesk.id = notification.helpdesk_id
JOIN tickets AS ticket ON ticket.id = notification.ticket_id
ORDER BY notification.created_at DESC, notification.id DESC
"""  # noqa: S608 - nothing but our own columns


@dataclass(frozen=True, slots=True)
class MailOut:
    """A mail out; `waiting` until its next try, `held` until a person lets it go.

    `resend`: a person had an earlier one sent once more with it.
    """

    id: uuid.UUID
    mail_id: uuid.UUID
    kind: str
    helpdesk: str
    ticket: str
    recipient: str | None
    subject: str | None
    state: str
    reason: str | None
    tries: int
    next_try_at: datetime | None
    sent_at: datetime | None
    created_at: datetime
    server_reply: str | None
    held: bool
    waiting: bool
    resend: bool
    may_be_resent: bool


async def listed(
    connection: Connection,
    *,
    within: Sequence[int],
    states: Sequence[str],
    ticket: str | None,
    after: tuple[datetime, uuid.UUID] | None,
    limit: int,
) -> list[MailOut]:
    """At most `limit` of these helpdesks in these states, the newest first, beginning after a moment and an id."""
    moment, key = after or (None, None)
    rows = await connection.fetch(_LIST, within, states, ticket, moment, key, limit)
    return [MailOut(**row) for row in rows]
