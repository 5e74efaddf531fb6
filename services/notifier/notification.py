"""What the notifier knows of one notification: frozen values, read by `repository`, used by the rules."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import SecretStr

from shared.logins import LoginStanding
from shared.messages import NotificationKind
from shared.templates.facts import MailFacts, OwnTemplate, SummaryEntry, TicketFacts
from shared.templates.kinds import TemplateKind


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

    @property
    def facts(self) -> MailFacts:
        """What its template is filled with."""
        return MailFacts(
            kind=TemplateKind.SUMMARY if self.is_summary else TemplateKind(self.kind),
            helpdesk=self.sender.name or self.sender.helpdesk,
            recipient=self.recipient_name or self.recipient_address,
            ticket=self.ticket,
            entries=self.entries,
        )
