"""What the rooms of reading conclude about a mail: values alone.

The parent takes them apart, and judges by them; it loads neither the code that comes to them nor the image libraries.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from services.classifier.reading.pictures import SetApart
from shared.messages import AutomaticKind

WEAKEST_SIGN: Final = "List-Unsubscribe"
"""Of a list, or of a person who writes by way of a CRM: alone it says nothing of a known contact (`facts`)."""
UNREADABLE: Final = "[Versleuteld bericht: de inhoud kan niet worden gelezen.]"
"""What stands in a body for what cannot be read."""


@dataclass(frozen=True, slots=True)
class Automatic:
    """The kind, and the sign that told it (a header's name or «subject»), for the explanation."""

    kind: AutomaticKind
    sign: str


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of an image: PNG or JPEG, sizes in pixels."""

    content: SetApart
    media_type: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Copies:
    """What is shown in place of an image, whole and small."""

    rendition: Copy
    thumbnail: Copy


class How(StrEnum):
    """Where the original sender was found."""

    ATTACHED = "attached"
    QUOTED = "quoted"


@dataclass(frozen=True, slots=True)
class Forwarded:
    """The original sender of a forwarded mail, as found; `subject` '' where it is not told.

    `alone` is False where the text holds header blocks of other senders too, so that it may be another's mail.
    """

    name: str
    address: str
    subject: str
    how: How
    alone: bool = True
