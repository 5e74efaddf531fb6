"""What a mail became in words and pictures: the text and html of its ticket or supplement, and what came with it."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from shared.database.pool import Connection
from shared.messages import MailId

_BODY: Final = """
    SELECT body_full_text AS text, body_full_html AS html FROM tickets WHERE mail_id = $1
    UNION ALL SELECT body_full_text, body_full_html FROM supplements WHERE mail_id = $1"""

_ATTACHMENTS: Final = """
    SELECT attachment.id, attachment.name, attachment.media_type, attachment.byte_size, attachment.left_out_reason
    FROM attachments AS attachment JOIN imported_mails AS mail ON mail.mail_id = attachment.mail_id
    WHERE mail.mail_id = $1 AND attachment.ticket_id = mail.ticket_id
    ORDER BY attachment.position, attachment.id"""

_PICTURE: Final = """
    SELECT attachment.media_type
    FROM attachments AS attachment
        JOIN imported_mails AS mail ON mail.mail_id = attachment.mail_id AND mail.ticket_id = attachment.ticket_id
    WHERE mail.mail_id = $1 AND attachment.id = $2 AND mail.helpdesk_id = ANY($3)
        AND attachment.blob_sha256 IS NOT NULL"""

_CHUNKS: Final = "SELECT content FROM ui_v1.attachment_chunks WHERE attachment_id = $1 ORDER BY position"


@dataclass(frozen=True, slots=True)
class Body:
    """Text, and sanitised html, as the ticket or supplement has them."""

    text: str | None
    html: str | None


@dataclass(frozen=True, slots=True)
class Attachment:
    """What came with a mail, stored or left out; `byte_size` in bytes."""

    id: uuid.UUID
    name: str
    media_type: str
    byte_size: int
    left_out_reason: str | None


async def body(connection: Connection, mail_id: MailId) -> Body:
    """Both, or neither where it became no ticket or supplement."""
    row = await connection.fetchrow(_BODY, mail_id)
    return Body(None, None) if row is None else Body(**row)


async def attachments(connection: Connection, mail_id: MailId) -> list[Attachment]:
    """All, in their order."""
    return [Attachment(**row) for row in await connection.fetch(_ATTACHMENTS, mail_id)]


async def picture_type(
    connection: Connection, mail_id: MailId, attachment_id: uuid.UUID, within: list[int]
) -> str | None:
    """The media type of a stored picture of a mail of these helpdesks; None where there is no such picture."""
    media_type: str | None = await connection.fetchval(_PICTURE, mail_id, attachment_id, within)
    return media_type


async def picture_chunks(connection: Connection, attachment_id: uuid.UUID) -> AsyncIterator[bytes]:
    """Its bytes, chunk after chunk, in the transaction of the caller."""
    async for row in connection.cursor(_CHUNKS, attachment_id, prefetch=1):
        yield row["content"]
