"""What the database knows of a mail's surroundings, as frozen values: the repository loads them, the rules read them.

All of it is read in the transaction that writes the outcome. The ticket's row is locked; settings are as of then.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from shared.portal.calendars import Calendar
from shared.portal.mail_limits import Sent
from shared.portal.status import Status


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact («contactpersoon») with his organisation."""

    person_id: int
    organisation_id: int
    active: bool = True


@dataclass(frozen=True, slots=True)
class Employee:
    """An employee («werknemer»); `address` is where he is mailed, None when he has no address."""

    employee_id: int
    name: str
    active: bool = True
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """A ticket that took the content of this mail before (D13): by which mail, from which helpdesk's mailbox.

    `same_text` is False when only the content key is the same. `ticket_id` is the ticket it now is, after merges.
    """

    mail_id: uuid.UUID
    helpdesk_id: int
    helpdesk_name: str
    ticket_id: int
    ticket_number: str
    same_text: bool


@dataclass(frozen=True, slots=True)
class MailPolicy:
    """What a helpdesk says about mails after an import: M1, and D11's address for what has no recipient.

    `summary_after`: so many mails to an employee within a short time, before the next become one; None: they never do.
    """

    send_import_mails: bool = True
    fallback_recipient: str | None = None
    summary_after: int | None = None


@dataclass(frozen=True, slots=True)
class MailboxFacts:
    """The helpdesk of the mailbox: it gives S5 and S6 (D15), and all that a new ticket gets."""

    helpdesk_id: int
    name: str
    decided_at: datetime
    default_contact: Contact | None
    default_employee_id: int | None
    imported_status_id: int | None
    recalculate_deadline: bool
    mails: MailPolicy
    old_mail_days: int
    confirm_to_employees: bool = False
    unknown_senders_per_hour: int = 100
    ticket_type_id: int | None = None
    priority_id: int | None = None
    environment_id: int | None = None
    ticket_manager: Employee | None = None
    executor: Employee | None = None
    own_addresses: frozenset[str] = frozenset()
    """Addresses (lower case) of all mailboxes and of what helpdesks send from: we never write to them."""


@dataclass(frozen=True, slots=True)
class SenderFacts:
    """Who has the sender's address now: contacts in the classifier's order, and the employee; what we sent him."""

    contacts: tuple[Contact, ...] = ()
    employee: Employee | None = None
    organisation_id: int | None = None
    """The organisation of his domain, where he is unknown and the helpdesk wants it known."""
    sent: Sent = field(default_factory=Sent)


@dataclass(frozen=True, slots=True)
class SentNotification:
    """The notification that a delivery report is about, its row locked; `has_failed`: a report said so before."""

    notification_id: uuid.UUID
    address: str
    has_failed: bool = False
    to_employee: bool = False
    """It told an employee of ours, or stood in for one (M2, M3, D11)."""


@dataclass(frozen=True, slots=True)
class TicketFacts:
    """The ticket that the mail leads to, its row locked, with the rules of its own helpdesk (D15).

    `named_number` is the number by which it was found; None when a mail of ours led to it. `merged` says that the
    named ticket was merged into this one. Minutes are working time.
    """

    ticket_id: int
    number: str
    helpdesk_id: int
    helpdesk_name: str
    contact_id: int
    organisation_id: int
    status: Status
    portal_status: Status | None
    calendar: Calendar
    mails: MailPolicy
    recalculate_deadline: bool
    deadline_at: datetime | None = None
    planned_at: datetime | None = None
    completed_at: datetime | None = None
    priority_id: int | None = None
    resolution_minutes: int | None = None
    time_needed_hours: Decimal | None = None
    executor: Employee | None = None
    named_number: str | None = None
    merged: bool = False
    closed_too_long: bool = False
    """It was closed longer before the mail's arrival than its helpdesk wants to go back (A8)."""
    participants: frozenset[int] = frozenset()
    """Of the sender's contacts, those who wrote on this ticket before or are its contact."""
    sender_took_part: bool = False
    """The sender's address wrote on this ticket before, or stands in To or Cc of its mails."""
    treat_employee_as_customer: bool = False
    hold_strangers: bool = False
    trim_replies: bool = False
    sent: Mapping[str, int] = field(default_factory=dict)
    """Mails out about this ticket within the limits' period, by what mails to an address are counted by."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that a decision stands on, beside the classified mail itself."""

    mailbox: MailboxFacts
    sender: SenderFacts = field(default_factory=SenderFacts)
    ticket: TicketFacts | None = None
    gone_numbers: tuple[str, ...] = ()
    """Numbers in the subject, tried before the ticket was found, that are of no ticket any more."""
    claims: tuple[Claim, ...] = ()
    same_message_id_differs: bool = False
    """Another mail of this mailbox had the same Message-ID but another sender, date, subject or text (D13)."""
    reported: SentNotification | None = None
    """The notification that this mail is a delivery report of (D6)."""
