"""Dead letters as the ledger has them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shared.broker.topology import MAIL_QUEUES
from shared.database.pool import Connection
from shared.messages import MailId

_DEAD: Final = """
    SELECT letter.mail_id, helpdesk.name AS helpdesk, letter.queue, letter.recorded_at, letter.reason, mail.subject
    FROM dead_letters AS letter
        JOIN imported_mails AS mail USING (mail_id)
        JOIN helpdesks AS helpdesk ON helpdesk.id = mail.helpdesk_id
    WHERE letter.resolved_at IS NULL AND mail.helpdesk_id = ANY($1)
    ORDER BY letter.recorded_at, letter.id LIMIT $2"""

_IDS: Final = """
    SELECT letter.mail_id
    FROM dead_letters AS letter JOIN imported_mails AS mail USING (mail_id)
    WHERE letter.resolved_at IS NULL AND mail.helpdesk_id = ANY($1) AND letter.queue = ANY($2)
    GROUP BY letter.mail_id ORDER BY min(letter.recorded_at), letter.mail_id LIMIT $3"""


@dataclass(frozen=True, slots=True)
class OpenLetter:
    """A message about a mail that a service gave up."""

    mail_id: uuid.UUID
    helpdesk: str
    queue: str
    recorded_at: datetime
    reason: str
    subject: str | None


async def open_letters(connection: Connection, within: Sequence[int], at_most: int) -> list[OpenLetter]:
    """The oldest first."""
    return [OpenLetter(**row) for row in await connection.fetch(_DEAD, within, at_most)]


async def mails_of_letters(connection: Connection, within: Sequence[int], at_most: int) -> list[MailId]:
    """The mails that can be read again, of those about which a message was given up; the oldest first."""
    return [MailId(row["mail_id"]) for row in await connection.fetch(_IDS, within, MAIL_QUEUES, at_most)]
