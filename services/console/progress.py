"""What only `run --until-idle` asks of the database: to give mailboxes their turn, and which mails out are due."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from shared.database.pool import Connection
from shared.standing.recorded import IS_HELD

_CHECK_SOON: Final = """
UPDATE mailbox_states state SET next_check_at = now()
FROM importer_settings settings
WHERE settings.helpdesk_id = state.helpdesk_id AND settings.enabled AND state.next_check_at > now()
  AND NOT EXISTS (SELECT FROM login_states WHERE login_id = settings.login_id AND probe_at > now())
"""
"""Every mailbox that is on. One whose login was refused rests nevertheless: asking again could lock the account
(services.fetcher.rules.backoff). It is asked when its login is changed."""

_MAILS_DUE: Final = f"""
SELECT notification.kind, notification.recipient_address, ticket.number AS ticket
FROM notifications notification JOIN tickets ticket ON ticket.id = notification.ticket_id
WHERE notification.state = 'planned'
  AND (notification.next_try_at > now() AND coalesce(notification.lease_until <= now(), true)) IS NOT TRUE
  AND NOT {IS_HELD}
ORDER BY notification.created_at LIMIT $1
"""  # noqa: S608 - nothing but our own columns


@dataclass(frozen=True, slots=True)
class MailDue:
    """A notification that is due, or in a notifier's hands, and not held."""

    kind: str
    recipient_address: str
    ticket: str


async def check_soon(connection: Connection) -> None:
    """Give every mailbox that is on its turn now, but none that rests since its login was refused."""
    await connection.execute(_CHECK_SOON)


async def mails_due(connection: Connection, at_most: int) -> list[MailDue]:
    """Notifications that are due, the oldest first."""
    return [MailDue(**row) for row in await connection.fetch(_MAILS_DUE, at_most)]
