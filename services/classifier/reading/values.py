"""What goes into the child process that reads a mail, and what comes out of it."""

from __future__ import annotations

import traceback
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.classifier.reading.conclusions import Automatic, Copies, Forwarded
from services.classifier.reading.pictures import SetApart
from shared.messages import Body, BouncedRecipient, ContentKey, Crypto, DmarcResult, LeftOut, MailAddress

_INNERMOST_CALLS: Final = 8
_LONGEST_TRACEBACK: Final = 8_000


@dataclass(frozen=True, slots=True)
class ReadingSettings:
    """What of the helpdesks' settings a reader must know: markers (S7, D15), own lists (D6), trusted servers (D10)."""

    markers: tuple[str, ...] = ()
    own_list_ids: tuple[str, ...] = ()
    trusted_authserv_ids: tuple[str, ...] = ()
    fed_by_rule: bool = False
    """Whether a rule of another mailbox redirects its mail to this one, so that its marks say nothing (D6)."""
    strip_image_metadata: bool = False
    """Whether positions, names and devices leave the images that are stored (D4)."""
    make_copies: bool = False
    """Whether images that browsers do not show get copies that they do."""


@dataclass(frozen=True, slots=True)
class OurError:
    """A bug of ours that cost the mail a part of it, while the rest was read."""

    name: str
    """The type of what was raised."""
    traceback: str

    @classmethod
    def of(cls, error: BaseException) -> OurError:
        """The error with its innermost calls."""
        lines = traceback.format_exception(type(error), error, error.__traceback__, limit=-_INNERMOST_CALLS)
        return cls(type(error).__name__, "".join(lines)[-_LONGEST_TRACEBACK:])


@dataclass(frozen=True, slots=True)
class ReadImage:
    """An image of the mail, decoded once: its bytes and what they are."""

    id: uuid.UUID
    name: str
    media_type: str
    width: int
    height: int
    content: SetApart
    inline: bool
    content_id: str | None
    is_tracking: bool = False
    """The mail shows it, and nobody sees it."""
    copies: Copies | None = None


@dataclass(frozen=True, slots=True)
class AboveMarker:
    """The reading above `marker`; `body` is None when nothing stands above it (D16).

    `trimmed` is the same without signatures and what was quoted without a marker; None where nothing is trimmed.
    """

    marker: str
    body: Body | None
    trimmed: Body | None = None


@dataclass(frozen=True, slots=True)
class ReadMail:
    """Everything that the bytes of a mail tell, and nothing that a database would know."""

    message_id: str | None
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    subject: str
    sent_at: datetime | None
    """The Date header, with its own offset."""
    from_: tuple[MailAddress, ...]
    sender: tuple[MailAddress, ...]
    reply_to: tuple[MailAddress, ...]
    return_path: tuple[MailAddress, ...]
    return_path_empty: bool
    to: tuple[MailAddress, ...]
    cc: tuple[MailAddress, ...]
    dmarc: DmarcResult
    automatic: Automatic | None
    bounced: tuple[BouncedRecipient, ...]
    returned_message_ids: tuple[str, ...]
    whole: Body
    above: tuple[AboveMarker, ...]
    """A reading for each marker found, the topmost first."""
    images: tuple[ReadImage, ...]
    left_out: tuple[LeftOut, ...]
    content_key: ContentKey
    text_of: str = ""
    """The attached message whose text stands in for a mail that says nothing itself; '' for none."""
    list_id: str = ""
    """The mailing list that it came by (RFC 2919), in lower case; '' for none."""
    body_cut: bool = False
    """The body was longer than is kept: its end is missing."""
    damaged: bool = False
    """It breaks off within the header of a part: whatever followed did not arrive."""
    head_only: bool = False
    """Only headers and the first text were read: the whole mail could not be, within time and memory (D17)."""
    crypto: Crypto | None = None
    forwarded: Forwarded | None = None
    """The original sender of a mail that somebody forwarded, whether or not a setting takes him for the sender."""
    reply: Body | None = None
    """`whole` without what it quotes and without signatures (`rules.reply`); None where nothing is trimmed."""
    our_errors: tuple[OurError, ...] = ()
    """Errors of ours that kept images of the mail from being stored; these are among `left_out`."""
