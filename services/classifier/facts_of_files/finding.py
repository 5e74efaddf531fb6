"""The facts of a mail in a file, by the rules of the pipeline, on what a person says instead of a database.

read ──▶ ask ──▶ known (context) ──▶ classify ──▶ MailInFile
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from services.classifier.facts_of_files.context import Context, Person
from services.classifier.reading.mime.address import spellings
from services.classifier.reading.values import ReadMail
from services.classifier.rules.facts import Asked, Known, KnownTicket, Mailbox, ask, choose_bodies, classify
from services.classifier.rules.image import image_of
from services.classifier.rules.people import AskedAddress, People
from shared.explaining import ForwardedMail, MailInFile
from shared.messages import (
    BlobReference,
    ClassifiedMail,
    EmployeeMatch,
    MailAddress,
    PersonMatch,
    RawMail,
    Reason,
)

_HELPDESK: Final = 1
_ARRIVAL: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""No rule that is asked here looks at the arrival."""
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


class FactFinder:
    """Finds the facts of mails, on what the context says of people and tickets."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._mailbox = Mailbox(_HELPDESK, own_address=context.mailbox, marker=context.marker)
        self._tickets = {
            number: KnownTicket(number, ticket_id, _HELPDESK)
            for ticket_id, number in enumerate(dict.fromkeys(context.numbers), start=1)
        }

    def facts_of(self, file: ReadFile) -> MailInFile:
        """The facts of a mail that was read."""
        read = file.read
        asked = ask(read, self._mailbox, self._context.number_pattern)
        known = self._known(asked)
        bodies = choose_bodies(read, self._mailbox, asked, known)
        mail = classify(_raw(file), read, self._mailbox, asked, known, bodies=bodies, more_reasons=file.more_reasons)
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

    def _known(self, asked: Asked) -> Known:
        return Known(
            sender=self._people(asked.address),
            tickets={token.text: self._tickets[token.text] for token in asked.numbers if token.text in self._tickets},
        )

    def _people(self, asked: AskedAddress | None) -> People:
        """Who of the context has the address: as it stands, else without its tag."""
        for by_tag, addresses in ((False, asked.exact), (True, asked.without_tag)) if asked is not None else ():
            persons = _numbers_of(self._context.contacts, addresses)
            employees = _numbers_of(self._context.employees, addresses)
            if persons or employees:
                return People(
                    persons=tuple(PersonMatch(person_id=each, organisation_id=each, active=True) for each in persons),
                    employee=EmployeeMatch(employee_id=employees[0], active=True) if employees else None,
                    by_tag=by_tag,
                )
        return People()


def _numbers_of(people: Sequence[Person], addresses: Sequence[str]) -> list[int]:
    return [number for number, person in enumerate(people) if set(spellings(person.address)) & set(addresses)]


def _raw(file: ReadFile) -> RawMail:
    return RawMail(
        mail_id=mail_id_of(file.sha256),
        helpdesk_id=_HELPDESK,
        received_at=_ARRIVAL,
        fetched_at=_ARRIVAL,
        raw=BlobReference(sha256=file.sha256, size=file.size),
        full_size=file.size,
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
