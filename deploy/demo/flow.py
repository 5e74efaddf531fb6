"""The demonstration: deliver the sample mails as a mail server would, and watch until nothing waits any more."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Protocol

from deploy.demo.ledger import Ledger, MailRecord, NotificationRecord
from deploy.demo.mail_servers import Post
from deploy.demo.maildir import Delivered
from deploy.demo.sample_mails import SampleMail
from deploy.demo.smtp_server import SmtpServer
from shared.messages import NotificationKind, Outcome

BETWEEN_MAILS: Final = 0.05
"""Seconds between two deliveries: mail comes one by one."""
POLL: Final = 0.1


class Progress(Protocol):
    """Shows what happens while it happens."""

    def delivered(self, mail: SampleMail) -> None:
        """A mail lies in its mailbox."""
        ...

    def ended(self, mail: SampleMail, record: MailRecord, seconds: float) -> None:
        """A mail has its outcome, so many seconds after its delivery."""
        ...

    def notified(self, received: int) -> None:
        """The mail server holds so many notifications."""
        ...


@dataclass(slots=True)
class Demonstration:
    """One run over `mails`: what was delivered and what has become of it so far."""

    mails: Sequence[SampleMail]
    post: Post
    ledger: Ledger
    smtp: SmtpServer
    progress: Progress
    delivered: dict[str, Delivered] = field(default_factory=dict)
    """By file."""
    records: dict[str, MailRecord] = field(default_factory=dict)
    """By file: the mails that have an outcome."""
    notifications: tuple[NotificationRecord, ...] = ()
    date: datetime = field(default_factory=lambda: datetime.now(UTC).astimezone())
    """One date for all mails of a run: a copy has the date of its original."""

    async def run(self) -> None:
        """Deliver every mail as soon as what it answers is there; return when all of it has come to its end."""
        while not self._is_done():
            await self._deliver_what_can_be()
            await asyncio.sleep(POLL)
            await self._look()

    def seconds(self, file: str) -> float:
        """From the delivery of a mail to the commit of its outcome."""
        outcome_at = self.records[file].outcome_at
        return outcome_at.timestamp() - self.delivered[file].at if outcome_at else float("nan")

    def first_ticket_at(self) -> datetime | None:
        """When the first ticket was there."""
        tickets = (record for record in self.records.values() if record.outcome is Outcome.TICKET)
        return min((record.outcome_at for record in tickets if record.outcome_at), default=None)

    def waiting(self) -> list[str]:
        """What still waits, and where: a line each."""
        return [
            *(f"{mail.file}: not delivered, waits for {', '.join(sorted(mail.waits_for()))}" for mail in self._held()),
            *(f"{file}: no outcome" for file in self.delivered if file not in self.records),
            *(f"{planned.recipient_address}: {planned.kind} is not sent yet" for planned in self._planned()),
        ]

    def _is_done(self) -> bool:
        return len(self.records) == len(self.mails) and not self._planned()

    def _held(self) -> list[SampleMail]:
        return [mail for mail in self.mails if mail.file not in self.delivered]

    def _planned(self) -> list[NotificationRecord]:
        return [notification for notification in self.notifications if notification.state == "planned"]

    async def _deliver_what_can_be(self) -> None:
        confirmed = {file for file in self.records if self._confirmation(file)}
        for mail in self._held():
            if mail.waits_for() <= self.records.keys() and mail.needs_confirmation_of() <= confirmed:
                content = mail.content(self.date, self._blank)
                self.delivered[mail.file] = await self.post.deliver(mail.mailbox, content)
                self.progress.delivered(mail)
                await asyncio.sleep(BETWEEN_MAILS)

    async def _look(self) -> None:
        recorded = {
            (record.helpdesk, record.unique_name): record for record in await self.ledger.mails() if record.outcome
        }
        self.notifications = await self.ledger.notifications()
        for mail in self.mails:
            delivered = self.delivered.get(mail.file)
            if delivered is None or mail.file in self.records:
                continue
            if (record := recorded.get((mail.helpdesk, delivered.unique_name))) is not None:
                self.records[mail.file] = record
                self.progress.ended(mail, self.records[mail.file], self.seconds(mail.file))
        self.progress.notified(len(self.smtp.deliveries))

    def _blank(self, kind: str, file: str) -> str:
        value = self._confirmation(file) if kind == "confirmation-of" else self.records[file].ticket_number
        if value is None:
            raise ValueError(f"{kind} {file} has no value")
        return value

    def _confirmation(self, file: str) -> str | None:
        """The Message-ID of the mail that its sender got (M4), once it is sent."""
        mail_id = self.records[file].mail_id
        wanted = (mail_id, NotificationKind.TICKET_ADDED_CUSTOMER, "sent")
        return next(
            (sent.message_id for sent in self.notifications if (sent.mail_id, sent.kind, sent.state) == wanted), None
        )
