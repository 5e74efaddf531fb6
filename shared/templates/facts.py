"""What a template is filled with: frozen facts of a ticket and of the mail about it, whoever read them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.messages import NotificationKind
from shared.templates.kinds import TemplateKind


@dataclass(frozen=True, slots=True)
class OwnTemplate:
    """The helpdesk's own template of this kind; None: the default."""

    subject: str | None = None
    body_html: str | None = None
    body_text: str | None = None


@dataclass(frozen=True, slots=True)
class Body:
    """A body as it is stored, or the beginning of a very long one.

    `html` is what the ticket shows, `text` the whole mail; `shows_all` tells that both are of the whole mail.
    """

    html: str = ""
    text: str = ""
    shows_all: bool = True


@dataclass(frozen=True, slots=True)
class LeftOutAttachment:
    """An attachment that was not stored, and why, in words."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class TicketFacts:
    """The ticket, and its supplement where the mail was one. Times in UTC; '' is what the ticket does not have."""

    number: str
    title: str
    organisation: str
    contact: str
    status: str
    priority: str
    ticket_type: str
    environment: str
    manager: str
    executor: str
    reported_at: datetime
    deadline_at: datetime | None
    request: Body
    supplement: Body
    supplemented_at: datetime | None
    mail_subject: str
    mail_from_name: str
    mail_from_address: str
    images: tuple[str, ...]
    left_out: tuple[LeftOutAttachment, ...]
    time_zone: str
    url: str
    """The helpdesk's `ticket_url`, with `[ticketnummer]` where the number goes."""


@dataclass(frozen=True, slots=True)
class SummaryEntry:
    """One ticket or supplement that a summary tells of; '' is what it does not have."""

    kind: NotificationKind
    number: str
    title: str
    organisation: str
    status: str
    mail_from_name: str
    mail_from_address: str
    reported_at: datetime


@dataclass(frozen=True, slots=True)
class MailFacts:
    """All that the values of one mail follow from; `entries` of a summary alone, its own first."""

    kind: TemplateKind
    helpdesk: str
    recipient: str
    ticket: TicketFacts
    entries: tuple[SummaryEntry, ...] = ()
