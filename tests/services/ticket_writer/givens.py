"""Classified mails and facts as the tests give them: an ordinary case, of which each test changes what it is about."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from services.ticket_writer.rules.facts import (
    Contact,
    Employee,
    Facts,
    MailboxFacts,
    MailPolicy,
    SenderFacts,
    TicketFacts,
)
from shared.messages import (
    BlobReference,
    Bodies,
    Body,
    ClassifiedMail,
    ContentKey,
    EmployeeMatch,
    Image,
    LeftOut,
    MailAddress,
    NumberIntroduction,
    PersonMatch,
    Sender,
    TicketCandidate,
)
from shared.portal.calendars import Calendar
from shared.portal.status import Status, StatusCategory

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
"""A Monday: noon in UTC, 13:00 in Amsterdam."""
ARRIVED = NOW - timedelta(minutes=5)

IMPORTED = Status(101, "E-mail Geïmporteerd", StatusCategory.OPEN, visible_to_customer=True, expanded=False)
REPLIED = Status(102, "Reactie van klant", StatusCategory.OPEN, visible_to_customer=True, expanded=True)
HIDDEN = Status(103, "Intern", StatusCategory.OPEN, visible_to_customer=False, expanded=False)
CLOSED = Status(104, "Gesloten", StatusCategory.CLOSED, visible_to_customer=True, expanded=False)

CUSTOMER = Contact(person_id=11, organisation_id=21)
COLLEAGUE = Contact(person_id=12, organisation_id=21)
OUTSIDER = Contact(person_id=13, organisation_id=22)
DEFAULT_CONTACT = Contact(person_id=19, organisation_id=29)
IMPORTER_ID = 31
MANAGER = Employee(32, "Marieke Manager", address="marieke@desk.example")
EXECUTOR = Employee(33, "Tom Uitvoerder", address="tom@desk.example")

WHOLE = Body(html="<p>Hele mail</p>", text="Hele mail")
ABOVE = Body(html="<p>Alleen dit</p>", text="Alleen dit")


def mail(**changes: Any) -> ClassifiedMail:
    """An ordinary mail of a known contact about something new."""
    mail_id = changes.pop("mail_id", None) or uuid.uuid4()
    given: dict[str, Any] = {
        "mail_id": mail_id,
        "helpdesk_id": 1,
        "received_at": ARRIVED,
        "raw": BlobReference(sha256=digest(f"raw {mail_id}"), size=100),
        "message_id": f"{mail_id}@klant.example",
        "subject": "De printer doet het niet",
        "sent_at": ARRIVED,
        "sender": sender(),
        "to": (MailAddress(name="Helpdesk", address="helpdesk@desk.example"),),
        "bodies": Bodies(whole=WHOLE),
        "content_key": ContentKey(key=digest(f"content {mail_id}"), text_digest=digest("Hele mail")),
    }
    return ClassifiedMail(**given | changes)


def sender(
    address: str = "jan@klant.example",
    *contacts: Contact,
    employee_id: int | None = None,
    name: str = "Jan Klant",
    known: bool = True,
) -> Sender:
    """Jan, a known contact, unless told otherwise."""
    found = contacts or ((CUSTOMER,) if known and employee_id is None else ())
    return Sender(
        mailbox=MailAddress(name=name, address=address),
        persons=tuple(
            PersonMatch(person_id=each.person_id, organisation_id=each.organisation_id, active=each.active)
            for each in found
        ),
        employee=None if employee_id is None else EmployeeMatch(employee_id=employee_id, active=True),
    )


def candidate(number: str = "1000001", *, bare: bool = False, alias: bool = False) -> TicketCandidate:
    """A ticket number that the classifier found in the subject."""
    return TicketCandidate(
        number=number,
        ticket_id=1,
        helpdesk_id=1,
        introduction=NumberIntroduction.BARE if bare else NumberIntroduction.INTRODUCED,
        is_alias=alias,
    )


def image(name: str = "foto.png", *, inline: bool = False, content: str = "pixels") -> Image:
    """An image of the mail."""
    return Image(
        id=uuid.uuid4(),
        name=name,
        media_type="image/png",
        width=8,
        height=6,
        blob=BlobReference(sha256=digest(content), size=len(content)),
        inline=inline,
    )


def left_out(name: str = "factuur.pdf") -> LeftOut:
    """An attachment that is no image."""
    return LeftOut(id=uuid.uuid4(), name=name, media_type="application/pdf", size=2048, reason="geen plaatje")


def mailbox(**changes: Any) -> MailboxFacts:
    """A helpdesk with every default filled in."""
    return replace(
        MailboxFacts(
            helpdesk_id=1,
            name="ICT",
            decided_at=NOW,
            default_contact=DEFAULT_CONTACT,
            default_employee_id=IMPORTER_ID,
            imported_status_id=IMPORTED.id,
            recalculate_deadline=True,
            mails=MailPolicy(),
            old_mail_days=7,
            ticket_type_id=41,
            priority_id=42,
            environment_id=43,
            ticket_manager=MANAGER,
            executor=EXECUTOR,
            own_addresses=frozenset({"helpdesk@desk.example"}),
        ),
        **changes,
    )


def ticket(**changes: Any) -> TicketFacts:
    """An imported ticket of Jan that is found by its number."""
    return replace(
        TicketFacts(
            ticket_id=51,
            number="1000001",
            helpdesk_id=1,
            helpdesk_name="ICT",
            contact_id=CUSTOMER.person_id,
            organisation_id=CUSTOMER.organisation_id,
            status=IMPORTED,
            portal_status=REPLIED,
            calendar=Calendar(),
            mails=MailPolicy(),
            recalculate_deadline=True,
            priority_id=42,
            resolution_minutes=120,
            executor=EXECUTOR,
            named_number="1000001",
            participants=frozenset({CUSTOMER.person_id}),
            sender_took_part=True,
        ),
        **changes,
    )


def facts(given: TicketFacts | None = None, **changes: Any) -> Facts:
    """What is known around a mail of Jan."""
    return replace(Facts(mailbox=mailbox(), sender=SenderFacts(contacts=(CUSTOMER,)), ticket=given), **changes)


def digest(text: str) -> str:
    """A SHA-256 in hexadecimal."""
    return sha256(text.encode()).hexdigest()
