"""The classifier's facts of a mail as fields, for programs and pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.explaining import MailInFile
from shared.messages import Bodies


def facts_of(given: MailInFile, texts: Mapping[str, str]) -> dict[str, Any]:
    """What the mail says of itself, with what is told of its `texts` in their place, and what would be kept of it."""
    mail = given.mail
    return {
        "from": given.stated_sender.model_dump(),
        "sender": None if mail.sender is None else mail.sender.mailbox.model_dump(),
        "subject": mail.subject,
        "message_id": mail.message_id,
        "date": None if given.date is None else given.date.isoformat(),
        **texts,
        "ticket_numbers": list(given.numbers),
        "automatic": None if mail.automatic is None else mail.automatic.value,
        "bounce": [bounced.model_dump() for bounced in mail.bounced],
        "forwarded": None if given.forwarded is None else given.forwarded.model_dump(),
        "images": [
            {
                "name": image.name,
                "type": image.media_type,
                "width": image.width,
                "height": image.height,
                "bytes": image.blob.size,
                "inline": image.inline,
            }
            for image in mail.images
        ],
        "left_out": [
            {"name": part.name, "type": part.media_type, "bytes": part.size, "reason": part.reason}
            for part in mail.left_out
        ],
        "crypto": None if mail.crypto is None else mail.crypto.value,
    }


def said(bodies: Bodies) -> str:
    """What the sender says himself: above the marker or the quote."""
    return (bodies.trimmed or bodies.above_marker or bodies.whole).text
