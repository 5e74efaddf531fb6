"""What the notifier knows of one notification: frozen values, read by `repository`, used by the rules."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from pydantic import SecretStr

from shared.logins import LoginStanding
from shared.messages import NotificationKind


class Security(StrEnum):
    """How an outgoing account is protected on the wire."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"


class Quoted(StrEnum):
    """What a confirmation repeats of the mail of a stranger, never with links (`helpdesks.quoted_to_strangers`)."""

    NOTHING = "nothing"
    SUBJECT = "subject"
    ALL = "all"
    """The beginning of the text too."""


@dataclass(frozen=True, slots=True)
class Account:
    """An outgoing account. `version` changes with every change of the row, so that old connections are known.

    With a `tenant` (of Microsoft Entra) the login is an app registration: `username` its client id, and
    `mailbox_address` the mailbox that sends. A `graph` account has no host (`""`) and port (0): its cloud has its own.
    """

    id: int
    version: int
    kind: str
    host: str
    port: int
    security: Security
    ca_file: str | None = None
    username: str | None = None
    password_encrypted: bytes | None = field(default=None, repr=False)
    certificate_encrypted: bytes | None = field(default=None, repr=False)
    tenant: str | None = None
    cloud: str = "global"
    mailbox_address: str | None = None
    login: LoginStanding | None = None
    """None: it sends without one."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """What opens an account, decrypted: a password (a client secret, with a tenant), or a PEM (key, certificate)."""

    password: SecretStr | None = None
    certificate: SecretStr | None = None


@dataclass(frozen=True, slots=True)
class Sender:
    """From whom the helpdesk's mails come, as settings say: each address may be missing.

    `mailbox` is the address of the mailbox that the importer reads.
    """

    helpdesk: str
    name: str
    address: str | None
    reply_to: str | None
    mailbox: str | None


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
class Written:
    """A notification as it was written once: the same bytes each time it is sent."""

    message_id: str
    subject: str
    mime: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Notification:
    """One claimed row, with all that writing and sending it takes. `tries` counts the one that has just begun.

    `doubtful_tries` counts those that a server may have taken without saying so.
    """

    id: uuid.UUID
    mail_id: uuid.UUID
    kind: NotificationKind
    tries: int
    doubtful_tries: int
    recipient_name: str
    recipient_address: str
    account: Account | None
    sender: Sender
    marker: str
    template: OwnTemplate
    ticket: TicketFacts
    answers: tuple[str, ...]
    """Message-IDs that this mail answers or goes with, without brackets, the nearest last."""
    written: Written | None
    draft_id: str | None = None
    """The draft that an earlier try made of it."""
    quoted: Quoted | None = None
    """To a stranger: what it repeats of his mail. None: to somebody who is known, or vouched for."""
    entries: tuple[SummaryEntry, ...] = ()
    """What it tells of, its own first, where it collected others to the same employee; `template` is a summary's."""

    @property
    def is_summary(self) -> bool:
        """Whether the mail is about several tickets or supplements."""
        return len(self.entries) > 1
