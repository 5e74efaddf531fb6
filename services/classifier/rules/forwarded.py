"""Who first sent a mail that somebody forwarded (a setting decides whether that one counts as its sender).

An attached message tells it for certain, and goes before what the text says. Reports and digests carry messages that
nobody forwarded.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from services.classifier.rules.address import parse_addresses
from services.classifier.rules.limits import Limits
from services.classifier.rules.mime import Part, attached_header
from services.classifier.rules.safe_text import safe_line

_MESSAGES: Final = frozenset({"message/rfc822", "message/global"})
_NOT_FORWARDED_IN: Final = frozenset({"multipart/report", "multipart/digest"})


class How(StrEnum):
    """Where the original sender was found."""

    ATTACHED = "attached"
    QUOTED = "quoted"


@dataclass(frozen=True, slots=True)
class Forwarded:
    """The original sender of a forwarded mail, as found; `subject` '' where it is not told."""

    name: str
    address: str
    subject: str
    how: How


def find_forwarded(root: Part, limits: Limits) -> Forwarded | None:
    """The original sender; None for a mail that forwards nothing, or does not tell of whom."""
    if root.media_type in _NOT_FORWARDED_IN:
        return None
    return next((found for part in root.walk() if (found := _attached(part, limits)) is not None), None)


def _attached(part: Part, limits: Limits) -> Forwarded | None:
    if part.media_type not in _MESSAGES:
        return None
    headers = attached_header(part.content(), limits)
    sender = next((mailbox for mailbox in parse_addresses(headers.all("from"), limits) if mailbox.address), None)
    if sender is None:
        return None
    return Forwarded(sender.name, sender.address, safe_line(headers.text("subject"), limits.subject), How.ATTACHED)
