"""A mail that lies in no mailbox: read in a child process, and told of as the fetcher and the classifier would.

One that cannot be read whole is read from its head, as the service does.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.classifier.reading.pool import MailExhausted, ReaderPool, ReadingFailed
from services.classifier.reading.values import ReadingSettings, ReadMail
from services.classifier.rules.facts import Asked
from services.classifier.rules.image import image_of
from shared.explaining import ForwardedMail, MailInFile
from shared.messages import BlobReference, ClassifiedMail, MailAddress, RawMail, Reason, ReasonId

LARGEST_MAIL: Final = 256 * 1024 * 1024
"""Bytes of a mail that is read whole; of a larger one the head is."""
_NOBODY: Final = MailAddress(address="")


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A file's name as it was given, its bytes' SHA-256 (hexadecimal) and size, and what was read of it."""

    name: str
    sha256: str
    size: int
    read: ReadMail
    more_reasons: tuple[Reason, ...] = ()


def mail_id_of(sha256: str) -> uuid.UUID:
    """An id for a mail that lies in no mailbox: always the same for the same bytes."""
    return uuid.uuid5(uuid.NAMESPACE_OID, sha256)


async def read_bytes(
    name: str, raw: bytes, readers: ReaderPool, settings: ReadingSettings, *, seconds: float
) -> ReadFile:
    """What can be read of it in so many seconds of processor time. Raises NoReader."""
    sha256 = hashlib.sha256(raw).hexdigest()
    mail_id = mail_id_of(sha256)
    if len(raw) > LARGEST_MAIL:
        return ReadFile(name, sha256, len(raw), await readers.read_head(raw, mail_id, settings))
    try:
        return ReadFile(name, sha256, len(raw), await readers.read(raw, mail_id, settings, seconds=seconds))
    except MailExhausted:
        return ReadFile(name, sha256, len(raw), await readers.read_head(raw, mail_id, settings))
    except ReadingFailed as failed:
        reason = Reason(id=ReasonId.OUR_ERROR, detail=type(failed).__name__)
        return ReadFile(name, sha256, len(raw), await readers.read_head(raw, mail_id, settings), (reason,))


def raw_mail(file: ReadFile, helpdesk_id: int, arrival: datetime) -> RawMail:
    """The message that the fetcher would send of it."""
    return RawMail(
        mail_id=mail_id_of(file.sha256),
        helpdesk_id=helpdesk_id,
        received_at=arrival,
        fetched_at=arrival,
        raw=BlobReference(sha256=file.sha256, size=file.size),
        full_size=file.size,
    )


def mail_in_file(file: ReadFile, mail: ClassifiedMail, asked: Asked) -> MailInFile:
    """The mail with its facts; its images are stored nowhere."""
    read = file.read
    images = tuple(image_of(image, _reference(image.content)) for image in read.images)
    return MailInFile(
        file=file.name,
        mail=mail.model_copy(update={"images": images}),
        stated_sender=_stated_sender(read, mail),
        whole=read.whole,
        date=read.sent_at,
        numbers=tuple(token.text for token in asked.numbers),
        forwarded=_forwarded(read),
        automatic_sign=None if read.automatic is None else read.automatic.sign,
    )


def _reference(content: bytes) -> BlobReference:
    return BlobReference(sha256=hashlib.sha256(content).hexdigest(), size=len(content))


def _stated_sender(read: ReadMail, mail: ClassifiedMail) -> MailAddress:
    stated = next((mailbox for mailbox in read.from_ if mailbox.address), None)
    return stated or (_NOBODY if mail.sender is None else mail.sender.mailbox)


def _forwarded(read: ReadMail) -> ForwardedMail | None:
    if read.forwarded is None:
        return None
    first = read.forwarded
    return ForwardedMail(name=first.name, address=first.address, subject=first.subject, how=first.how.value)
