"""The messages between the services, in one place (DESIGN 3).

    fetcher  ── RawMail ──▶ mail.raw ──▶ classifier ── ClassifiedMail ──▶ mail.classified ──▶ ticket_writer
    ticket_writer ── TicketEvent ──▶ ticket.events ──▶ notifier

Every message has a version. Unknown fields are kept (a newer sender may know more than we do); a field that goes away
makes a new version. A raw mail travels as its RFC 5322 bytes with this envelope in the AMQP headers, so that an
operator who opens the queue in the RabbitMQ console reads a mail. What is too large to travel goes by reference (claim
check): a `BlobReference`, resolved in `shared.blobs` alone. Times are aware and in UTC; sizes are in bytes.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, ClassVar, Final, Literal, NewType

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

MailId = NewType("MailId", uuid.UUID)
"""Identity of one item of one mailbox (DESIGN 2): a UUIDv5, so that each crash and each copy finds it again."""

INLINE_LIMIT: Final = 256 * 1024
"""Bytes up to which a payload travels in the message itself; larger ones go by claim check (DESIGN 3)."""


def _in_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


UtcDatetime = Annotated[AwareDatetime, AfterValidator(_in_utc)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

# Bounds of what a message may say: well above what the classifier's limits give (services.classifier.reading.limits),
# so that one beyond them was written by nobody of ours.
Line = Annotated[str, Field(max_length=64 * 1024)]
"""A header's value, a name, a reason."""
Text = Annotated[str, Field(max_length=16 * 1024 * 1024)]
"""A body, as html or text."""
MOST: Final = 2_000
"""Things of one kind that a mail names: addresses, images, references, reasons."""


class Value(BaseModel):
    """A frozen value inside a message; unknown fields are kept when it is read and written again.

    An error names the field that is wrong and never shows what stands in it, which may be a mail's text.
    """

    model_config = ConfigDict(frozen=True, extra="allow", hide_input_in_errors=True)


class Message(Value):
    """A message between services. `type` is the AMQP type, `version` the newest version this code writes and reads."""

    type: ClassVar[str]
    version: int = 1
    mail_id: uuid.UUID
    shadow: bool = False


class BlobReference(Value):
    """Claim check: bytes that lie in the blob store under their SHA-256 (hexadecimal), `size` in bytes."""

    sha256: Sha256
    size: int = Field(ge=0)


class ImportChoice(StrEnum):
    """What a person chose for a mail: of a backlog (SPEC D18), or when forcing a second import (SPEC D13)."""

    IMPORT = "import"
    """With mails, however old the mail is."""
    IMPORT_WITHOUT_MAILS = "import-without-mails"
    MARK_READ = "mark-read"
    """Set aside: quarantined with that reason, its raw bytes kept."""


class RawMail(Message):
    """A mail as it left the mailbox. Travels in AMQP headers; the payload is the raw mail, or empty when it is large.

    `raw` always names the stored bytes. `complete` is False when only the head of a mail that is too large was fetched
    (SPEC D17); `full_size` is then the size of the whole mail in the mailbox. `received_at` is the arrival (DESIGN 15).
    """

    type: ClassVar[str] = "mail.raw"
    helpdesk_id: int
    received_at: UtcDatetime
    fetched_at: UtcDatetime
    raw: BlobReference
    complete: bool = True
    full_size: int
    forced: bool = False
    choice: ImportChoice | None = None
    """None: nobody was asked."""
    replay: int = Field(default=0, ge=0)
    """Which replay of a quarantined mail this is (SPEC D7); 0: its first way through the pipeline."""


class ReasonId(StrEnum):
    """Why a mail became what it became; the table of sentences and remedies is `shared.portal.reasons`."""

    # which outcome
    NO_TICKET_NUMBER = "no-ticket-number"
    TICKET_NUMBER = "ticket-number"
    TICKET_ALIAS = "ticket-alias"
    TICKET_MERGED = "ticket-merged"
    TICKET_OF_THREAD = "ticket-of-thread"
    THREAD_NOT_FOLLOWED = "thread-not-followed"
    TICKET_GONE = "ticket-gone"
    TICKET_CLOSED_TOO_LONG = "ticket-closed-too-long"
    OTHER_HELPDESK = "other-helpdesk"
    UNKNOWN_NUMBER = "unknown-number"
    OWN_MESSAGE_BOUNCED = "own-message-bounced"
    # who sent it
    CONTACT_KNOWN = "contact-known"
    CONTACT_INACTIVE = "contact-inactive"
    SEVERAL_CONTACTS = "several-contacts"
    EMPLOYEE = "employee"
    UNKNOWN_SENDER = "unknown-sender"
    REPLY_TO_IS_SENDER = "reply-to-is-sender"
    REPLY_TO_BY_SETTING = "reply-to-by-setting"
    FORWARDED_BY_EMPLOYEE = "forwarded-by-employee"
    ADDRESS_WITHOUT_TAG = "address-without-tag"
    ORGANISATION_BY_DOMAIN = "organisation-by-domain"
    FORGED_SENDER = "forged-sender"
    SENDER_ALLOWED = "sender-allowed"
    # what was read
    ABOVE_MARKER = "above-marker"
    NOTHING_ABOVE_MARKER = "nothing-above-marker"
    REPLY_TRIMMED = "reply-trimmed"
    NO_SUBJECT = "no-subject"
    ATTACHMENTS_LEFT_OUT = "attachments-left-out"
    AUTOMATIC = "automatic"
    AUTOMATIC_ALLOWED = "automatic-allowed"
    STRANGER = "stranger"
    SAME_MESSAGE_ID_DIFFERS = "same-message-id-differs"
    TOO_LARGE = "too-large"
    UNREADABLE = "unreadable"
    OUR_ERROR = "our-error"
    ENCRYPTED = "encrypted"
    TEXT_OF_ATTACHED_MESSAGE = "text-of-attached-message"
    VIRUS_FOUND = "virus-found"
    OLD_MAIL = "old-mail"
    FORCED = "forced"
    # duplicate
    DUPLICATE_CONTENT = "duplicate-content"
    TICKET_HAS_CONTENT = "ticket-has-content"
    # quarantine
    NO_SENDER = "no-sender"
    OWN_ADDRESS = "own-address"
    DEAD_LETTER = "dead-letter"
    MARKED_READ_BY_PERSON = "marked-read-by-person"
    DISCARDED_BY_PERSON = "discarded-by-person"
    SENDER_BLOCKED = "sender-blocked"
    LIST_BLOCKED = "list-blocked"


class Reason(Value):
    """One step of the explanation («waarom»): an id, and what its sentence says of this mail (never body text).

    An id that only a newer version knows stays as it came, so that services may be upgraded in any order.
    """

    id: Annotated[ReasonId | Line, Field(union_mode="left_to_right")]
    detail: Line = ""


class MailAddress(Value):
    """A mailbox as named in a header: `name` decoded ('' when absent), `address` as written."""

    name: Line = ""
    address: Line


class PersonMatch(Value):
    """A contact who has the sender's address; they come in the order of D12: active first, then the oldest."""

    person_id: int
    organisation_id: int
    active: bool


class EmployeeMatch(Value):
    """An employee who has the sender's address."""

    employee_id: int
    active: bool


class Sender(Value):
    """Who sent the mail, as found: all contacts with that address and the employee with it, if any (SPEC D12).

    `organisation_id` is that of an unknown sender's domain, where a helpdesk wants it known.
    """

    mailbox: MailAddress
    persons: tuple[PersonMatch, ...] = Field(default=(), max_length=MOST)
    employee: EmployeeMatch | None = None
    organisation_id: int | None = None


class NumberIntroduction(StrEnum):
    """How a ticket number stood in the subject; the first two win over the third (SPEC D1)."""

    INTRODUCED = "introduced"
    """Behind `Ticket` or `#`, or in brackets."""
    BARE = "bare"
    THREAD = "thread"
    """Not in the subject at all: the mail answers one that belongs to the ticket (SPEC D8)."""


class TicketCandidate(Value):
    """A ticket that the subject names by a known number, in the order in which they are tried (SPEC D1).

    Where the subject names none, the one whose conversation the mail goes on, if the helpdesk wants that (SPEC D8).
    """

    number: Line
    ticket_id: int
    helpdesk_id: int
    introduction: NumberIntroduction
    is_alias: bool = False


class Body(Value):
    """One reading of a mail's body, as sanitised html (images as `attachment:<id>`) and as plain text.

    Both are complete in themselves; `attachment_ids` are the images that this reading shows or carries, in order.
    """

    html: Text
    text: Text
    attachment_ids: tuple[uuid.UUID, ...] = Field(default=(), max_length=MOST)


class StoredBody(Value):
    """Bodies too large for the message: a claim check on their JSON (`Bodies`)."""

    reference: BlobReference


class Bodies(Value):
    """Both readings (SPEC S7, D16): `whole`, and `above_marker` when a marker was found with something above it.

    `trimmed` is what a supplement shows of them (`above_marker`, else `whole`) without quotes and signatures, for a
    helpdesk that wants that; None where nothing is trimmed. The whole text always stays behind it.
    """

    whole: Body
    above_marker: Body | None = None
    trimmed: Body | None = None


class Decoration(StrEnum):
    """What stands in a mail without being of its contents (SPEC D4)."""

    TRACKING = "tracking"
    """Nobody sees it: a point, a line, or nothing but transparency."""
    LOGO = "logo"
    """The same bytes came with mails of other tickets of the helpdesk."""


class ImageCopy(Value):
    """What browsers show in place of an image that they do not: PNG or JPEG, sizes in pixels (SPEC D4)."""

    media_type: Line
    width: int
    height: int
    blob: BlobReference


class Image(Value):
    """An image, known by decoding (SPEC D4). `id` is UUIDv5 of mail_id and part path (DESIGN 3)."""

    id: uuid.UUID
    name: Line
    media_type: Line
    width: int
    height: int
    blob: BlobReference
    inline: bool
    content_id: Line | None = None
    decoration: Decoration | None = None
    rendition: ImageCopy | None = None
    thumbnail: ImageCopy | None = None


class LeftOut(Value):
    """A part of the mail that is not stored as attachment (SPEC W4, D4), and why, in words for the ticket's history."""

    id: uuid.UUID
    name: Line
    media_type: Line
    size: int
    reason: Line


class AutomaticKind(StrEnum):
    """Kinds of automatic mail, in the order in which they are told (SPEC D6, DESIGN 16)."""

    BOUNCE = "bounce"
    OWN = "own"
    CALENDAR = "calendar"
    OUT_OF_OFFICE = "out-of-office"
    AUTO_REPLY = "auto-reply"
    LIST = "list"


class BouncedRecipient(Value):
    """One recipient of a delivery report (RFC 3464): the one we wrote to, and where the mail went from there."""

    recipient: Line
    final_recipient: Line = ""
    """The recipient at the end, where that is another."""
    status: Line = ""
    action: Line = ""
    diagnostic: Line = ""


class Crypto(StrEnum):
    """Whether a mail was signed, which nobody checks here, or encrypted, so that it cannot be read (S/MIME, PGP)."""

    SIGNED = "signed"
    ENCRYPTED = "encrypted"


class DmarcResult(StrEnum):
    """DMARC according to a trusted Authentication-Results header (RFC 8601); NONE where nothing trusted says so."""

    PASS = "pass"  # noqa: S105 - a DMARC result, no password
    FAIL = "fail"
    NONE = "none"


class ContentKey(Value):
    """Identity of the content (SPEC D13): digest of Message-ID, sender, date and subject; `text_digest` of the text.

    Both are SHA-256 in hexadecimal; `version` says how they were computed.
    """

    version: int = 1
    key: Sha256
    text_digest: Sha256


class ClassifiedMail(Message):
    """The facts of a mail (DESIGN 7): no decision of the ticket is taken yet.

    `sender` is None for a mail without any usable sender (quarantine, D17). `own_message_id` names the notification of
    ours that this mail reports on or that came back (D6). `raw` stays readable for the whole of the mail's life.
    """

    type: ClassVar[str] = "mail.classified"
    helpdesk_id: int
    received_at: UtcDatetime
    raw: BlobReference
    forced: bool = False
    choice: ImportChoice | None = None
    replay: int = Field(default=0, ge=0)
    """As in `RawMail`; ticket_writer lets each replay set the outcome once."""
    message_id: Line | None = None
    in_reply_to: tuple[Line, ...] = Field(default=(), max_length=MOST)
    references: tuple[Line, ...] = Field(default=(), max_length=MOST)
    subject: Line = ""
    sent_at: UtcDatetime | None = None
    sender: Sender | None = None
    forwarded_by: Sender | None = None
    """The employee who forwarded the mail, where `sender` is the one who first sent it."""
    to: tuple[MailAddress, ...] = Field(default=(), max_length=MOST)
    cc: tuple[MailAddress, ...] = Field(default=(), max_length=MOST)
    return_path_empty: bool = False
    from_own_address: bool = False
    """The mail bears the mailbox's own address as sender and is not a mail of ours (SPEC D19)."""
    dmarc: DmarcResult = DmarcResult.NONE
    crypto: Crypto | None = None
    candidates: tuple[TicketCandidate, ...] = Field(default=(), max_length=MOST)
    bodies: Bodies | StoredBody
    images: tuple[Image, ...] = Field(default=(), max_length=MOST)
    left_out: tuple[LeftOut, ...] = Field(default=(), max_length=MOST)
    automatic: AutomaticKind | None = None
    bounced: tuple[BouncedRecipient, ...] = Field(default=(), max_length=MOST)
    own_message_id: Line | None = None
    content_key: ContentKey
    reasons: tuple[Reason, ...] = Field(default=(), max_length=MOST)


class Outcome(StrEnum):
    """What became of a mail; each mail ends in exactly one (SPEC D7)."""

    TICKET = "ticket"
    SUPPLEMENT = "supplement"
    DUPLICATE = "duplicate"
    QUARANTINE = "quarantine"


class NotificationKind(StrEnum):
    """The template mails (SPEC M2–M4)."""

    TICKET_ADDED_MANAGER = "ticket-added-manager"
    SUPPLEMENT_ADDED_EXECUTOR = "supplement-added-executor"
    TICKET_ADDED_CUSTOMER = "ticket-added-customer"


class TicketEvent(Message):
    """A ticket was added or supplemented from a mail. `event_id` is UUIDv5 of mail_id and outcome: a copy is known."""

    type: ClassVar[str] = "ticket.event"
    event_id: uuid.UUID
    outcome: Literal[Outcome.TICKET, Outcome.SUPPLEMENT]
    helpdesk_id: int
    ticket_id: int
    ticket_number: str
    supplement_id: int | None = None
    committed_at: UtcDatetime
    notification_ids: tuple[uuid.UUID, ...] = ()
