"""What a person confirms: that mailboxes are read and mail is sent from this database, where it is now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shared.database.pool import Connection

_MAILBOXES: Final = """
    SELECT helpdesk.name FROM importer_settings AS settings JOIN helpdesks AS helpdesk ON helpdesk.id = helpdesk_id
    WHERE settings.enabled AND settings.paused_since IS NULL ORDER BY helpdesk.name"""

_MAILS: Final = """
    SELECT helpdesk.name AS helpdesk, count(*) AS mails, min(mail.created_at) AS since,
        EXISTS (SELECT FROM outgoing_holds AS hold
            WHERE hold.helpdesk_id IS NULL OR hold.helpdesk_id = helpdesk.id) AS held
    FROM notifications AS mail JOIN helpdesks AS helpdesk ON helpdesk.id = mail.helpdesk_id
    WHERE mail.state = 'planned' GROUP BY helpdesk.id ORDER BY helpdesk.name"""

_CONFIRM: Final = "SELECT confirm_installation($1, $2)"


@dataclass(frozen=True, slots=True)
class MailsWaiting:
    """Mails out of a helpdesk that are planned; `held`: a person holds them, so that they stay."""

    helpdesk: str
    mails: int
    since: datetime
    """When the oldest of them was decided."""
    held: bool


@dataclass(frozen=True, slots=True)
class Consequences:
    """What is read and sent once the database is confirmed."""

    mailboxes: tuple[str, ...]
    mails: tuple[MailsWaiting, ...]


async def consequences(connection: Connection) -> Consequences:
    """What would be read and sent."""
    return Consequences(
        tuple(row["name"] for row in await connection.fetch(_MAILBOXES)),
        tuple(MailsWaiting(**row) for row in await connection.fetch(_MAILS)),
    )


async def confirm(connection: Connection, presents: bytes | None, *, discard: bool) -> int:
    """Have it happen; `discard`: what waits is never sent. How many mails that was.

    `presents` is what the services here present (shared.database.installation); None: what they presented last.
    """
    discarded: int = await connection.fetchval(_CONFIRM, presents, discard)
    return discarded
