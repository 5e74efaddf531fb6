"""Compares what became of the sample mails with what must become of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from deploy.demo.ledger import MailRecord, NotificationRecord
from deploy.demo.sample_mails import SampleMail
from shared.messages import Outcome
from shared.portal.delivery import DeliveryReason


def differences(mails: Sequence[SampleMail], records: Mapping[str, MailRecord]) -> list[str]:
    """A sentence for each mail, and each pair of them, that ended otherwise than it must; `records` is by file."""
    return [sentence for mail in mails for sentence in _of_mail(mail, records)] + _shared_tickets(records)


def undelivered(notifications: Sequence[NotificationRecord], received: Sequence[str]) -> list[str]:
    """A sentence for each notification that is recorded as sent and was not received, or the other way round.

    `received` are the Message-IDs that the mail server holds.
    """
    sent = {
        notification.message_id: notification
        for notification in notifications
        if notification.state == "sent" or notification.reason == DeliveryReason.BOUNCED  # the server took that one too
    }
    return [
        *(
            f"{notification.kind} to {notification.recipient_address} is recorded as sent but was not received"
            for message_id, notification in sent.items()
            if message_id not in received
        ),
        *(
            f"{message_id} was received but is not recorded as sent"
            for message_id in received
            if message_id not in sent
        ),
        *(f"{message_id} was received twice" for message_id in sorted({m for m in received if received.count(m) > 1})),
    ]


def _of_mail(mail: SampleMail, records: Mapping[str, MailRecord]) -> Iterator[str]:
    record = records.get(mail.file)
    if record is None:
        yield f"{mail.file}: no outcome, expected {mail.outcome}"
        return
    if record.outcome is not mail.outcome:
        yield f"{mail.file}: {record.outcome}, expected {mail.outcome}"
        return
    given = {reason.id for reason in record.reasons}
    if missing := [reason.value for reason in mail.reasons if reason not in given]:
        yield f"{mail.file}: expected the reason {', '.join(missing)}, given were {', '.join(sorted(given))}"
    if mail.follows is not None:
        original = records.get(mail.follows)
        expected = original.ticket_number if original else mail.follows
        if record.ticket_number != expected:
            yield f"{mail.file}: of ticket {record.ticket_number}, expected {expected}"


def _shared_tickets(records: Mapping[str, MailRecord]) -> list[str]:
    made: dict[str | None, str] = {}
    twice = []
    for file, record in records.items():
        if record.outcome is Outcome.TICKET:
            if record.ticket_number in made:
                twice.append(f"{file} and {made[record.ticket_number]} became one ticket, {record.ticket_number}")
            made[record.ticket_number] = file
    return twice
