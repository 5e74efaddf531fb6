"""What is written for a mail: the rows of one transaction, as values. The names are the columns'.

Times are aware; ids that the database gives (ticket, supplement, number) are not known yet and are left to it.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from services.ticket_writer.rules.delivery_report import DeliveryReport
from services.ticket_writer.rules.recipients import Notification
from shared.messages import Image, LeftOut, MailAddress, Outcome, Reason
from shared.portal.history import Entry


@dataclass(frozen=True, slots=True)
class SenderColumns:
    """The sender's real name and address, To and Cc, on every ticket and supplement (D10); '' when there is none."""

    sender_name: str
    sender_address: str
    sender_to: tuple[MailAddress, ...]
    sender_cc: tuple[MailAddress, ...]
    sender_person_id: int | None
    sender_employee_id: int | None


@dataclass(frozen=True, slots=True)
class BodyColumns:
    """The body in three columns: what is shown, and the whole as html and text."""

    body_html: str
    body_full_html: str
    body_full_text: str


@dataclass(frozen=True, slots=True)
class TicketColumns:
    """A new ticket (N2–N18). Columns that N11, N13, N14 and N16 leave empty are not named here: they stay empty."""

    helpdesk_id: int
    organisation_id: int
    contact_id: int
    created_by_employee_id: int
    created_at: datetime
    reported_at: datetime
    mail_subject: str
    title: str
    ticket_type_id: int | None
    priority_id: int | None
    environment_id: int | None
    ticket_manager_id: int | None
    executor_id: int | None
    status_id: int
    recalculate_deadline: bool
    changed_at: datetime
    changed_by_employee_id: int
    automatic: str | None
    verdict: dict[str, str | None]
    needs_review: bool


@dataclass(frozen=True, slots=True)
class SupplementColumns:
    """A supplement (A2–A12)."""

    ticket_id: int
    reported_at: datetime
    informant_person_id: int | None
    informant_employee_id: int | None
    mail_subject: str
    visible_to_customer: bool
    expanded: bool
    status_id: int
    priority_id: int | None
    executor_id: int | None
    planned_at: datetime | None
    deadline_at: datetime | None
    recalculate_deadline: bool
    time_needed_hours: Decimal | None
    created_at: datetime
    created_by_person_id: int | None
    created_by_employee_id: int | None
    changed_at: datetime
    changed_by_employee_id: int
    automatic: str | None
    verdict: dict[str, str | None]
    needs_review: bool
    held_for_review: bool
    by_employee: bool


@dataclass(frozen=True, slots=True)
class TicketChange:
    """What a supplement leaves in its ticket (A8–A10, D2)."""

    status_id: int
    deadline_at: datetime | None
    completed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Record:
    """Everything that a ticket or supplement brings with it."""

    mail_id: uuid.UUID
    outcome: Outcome
    columns: TicketColumns | SupplementColumns
    change: TicketChange | None
    sender: SenderColumns
    body: BodyColumns
    images: tuple[Image, ...]
    left_out: tuple[LeftOut, ...]
    history: tuple[Entry, ...]
    history_by_employee_id: int
    notifications: tuple[Notification, ...]
    reasons: tuple[Reason, ...]
    report: DeliveryReport | None = None
    """What the mail says of a notification that was sent before."""
