"""Dead letters as the ledger has them, and who accepts what was reviewed."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shared.database.pool import Connection
from shared.messages import MailId

_DEAD: Final = """
    SELECT letter.mail_id, helpdesk.name AS helpdesk, letter.queue, letter.recorded_at, letter.reason, mail.subject
    FROM dead_letters AS letter
        JOIN imported_mails AS mail USING (mail_id)
        JOIN helpdesks AS helpdesk ON helpdesk.id = mail.helpdesk_id
    WHERE letter.resolved_at IS NULL AND mail.helpdesk_id = ANY($1)
    ORDER BY letter.recorded_at, letter.id LIMIT $2"""

_ACCEPT: Final = """
    SELECT ui_v1.accept_review(mail.mail_id, settings.default_employee_id)
    FROM imported_mails AS mail JOIN importer_settings AS settings USING (helpdesk_id)
    WHERE mail.mail_id = $1 AND mail.helpdesk_id = ANY($2) AND settings.default_employee_id IS NOT NULL"""


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


async def accept(connection: Connection, mail_id: MailId, within: Sequence[int]) -> bool:
    """Ask ticket_writer to accept it in the name of the helpdesk's S6; False where there is nothing of these helpdesks.

    The database refuses what does not wait (nothing_waits_for_review).
    """
    return await connection.fetchval(_ACCEPT, mail_id, within) is not None
