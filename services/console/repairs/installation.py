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

_SILENT: Final = "UPDATE mailbox_states SET read_again_silent = $1 WHERE read_again_from IS NOT NULL"
_READ_AGAIN: Final = """
    SELECT count(*) AS mailboxes, min(read_again_from) AS since FROM mailbox_states JOIN importer_settings AS settings
        USING (helpdesk_id) WHERE settings.enabled AND read_again_from IS NOT NULL"""
_BROUGHT_BACK: Final = "SELECT * FROM note_brought_back($1, $2)"
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
    read_again: int
    """Mailboxes of which mail is taken in once more that arrived since `read_again_from`, and is not known any more."""
    read_again_from: datetime | None


@dataclass(frozen=True, slots=True)
class BroughtBack:
    """What was prepared in a database that was brought back: the next number, and how much is read and published."""

    next_number: int
    mailboxes: int
    mails: int


async def consequences(connection: Connection) -> Consequences:
    """What would be read and sent."""
    (again,) = await connection.fetch(_READ_AGAIN)
    return Consequences(
        tuple(row["name"] for row in await connection.fetch(_MAILBOXES)),
        tuple(MailsWaiting(**row) for row in await connection.fetch(_MAILS)),
        again["mailboxes"],
        again["since"],
    )


async def brought_back(connection: Connection, moment: datetime, last_number: int | None) -> BroughtBack:
    """Prepare a database that was brought back to `moment`, while no service runs; it must be confirmed afterwards.

    `last_number` is the highest ticket number that was given since; None: it is judged, with a margin.
    """
    (row,) = await connection.fetch(_BROUGHT_BACK, moment, last_number)
    return BroughtBack(**row)


async def confirm(connection: Connection, presents: bytes | None, *, discard: bool, silent: bool = False) -> int:
    """Have it happen; `discard`: what waits is never sent. How many mails that was.

    `silent`: mail that is read again after a restore causes no mails.

    `presents` is what the services here present (shared.database.installation); None: what they presented last.
    """
    await connection.execute(_SILENT, silent)
    discarded: int = await connection.fetchval(_CONFIRM, presents, discard)
    return discarded
