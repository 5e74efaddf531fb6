"""How a notification reads: templates, values, marker line and headers become one mail, written once (DESIGN 9)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

from services.notifier.notification import Notification, Sender, Written
from services.notifier.rules.addresses import Address, UnusableAddress, parse_address
from services.notifier.rules.message_id import message_id
from services.notifier.rules.mime import Headers, Mailbox, write_mail
from services.notifier.rules.strangers import as_a_stranger_sees_it
from shared.errors import ImporterError
from shared.messages import NotificationKind
from shared.templates.render import Problem
from shared.templates.written import write

_KEPT_ADDRESSES: Final = 128
"""Helpdesks' own addresses that a process keeps parsed: each mail asks for them several times."""


class NoSender(ImporterError):
    """The helpdesk has no address that its mails can come from."""


@dataclass(frozen=True, slots=True)
class Composed:
    """A written mail, and what was wrong with the helpdesk's own template where the default stood in for it."""

    written: Written
    template_problems: tuple[Problem, ...] = ()


def compose(notification: Notification, *, key: bytes, now: datetime) -> Composed:
    """Write the mail. `key` is the secret `message_id_key`; `now` becomes its date.

    NoSender when the helpdesk has no usable address of its own, UnusableAddress when the recipient's is none.
    """
    notification = as_a_stranger_sees_it(notification)
    sender = from_address(notification.sender)
    recipient = Mailbox(notification.recipient_name, parse_address(notification.recipient_address))
    mail = write(notification.template, notification.facts, notification.marker)
    own_id = message_id(notification.id, sender.domain, key)
    headers = Headers(
        date=now,
        sender=Mailbox(notification.sender.name or notification.sender.helpdesk, sender),
        recipient=recipient,
        reply_to=_reply_to(notification.sender, sender),
        subject=mail.subject,
        message_id=own_id,
        references=() if notification.is_summary else notification.answers,
        answers_a_mail=notification.kind is NotificationKind.TICKET_ADDED_CUSTOMER,
    )
    mime = write_mail(headers, mail.text, mail.html)
    return Composed(Written(own_id, mail.subject, mime), mail.problems)


def from_address(sender: Sender) -> Address:
    """The address in From: the helpdesk's own, else the mailbox that is imported. NoSender without a usable one."""
    for text in (sender.address, sender.mailbox):
        if text and (address := _usable(text)):
            return address
    raise NoSender(
        f"Helpdesk {sender.helpdesk} has no address to send from: set its sender address, or its mailbox's address."
    )


def return_path(sender: Sender) -> Address:
    """Where a delivery failure goes: to the imported mailbox, since it becomes a supplement (SPEC D6), else to From."""
    return _usable(sender.mailbox or "") or from_address(sender)


def _reply_to(sender: Sender, sender_address: Address) -> Address | None:
    """Where answers go: the helpdesk's choice, else the imported mailbox; None when that is From already."""
    address = _usable(sender.reply_to or "") or _usable(sender.mailbox or "")
    return None if address == sender_address else address


@lru_cache(_KEPT_ADDRESSES)
def _usable(text: str) -> Address | None:
    """The address; None when it is none, or one that not every server takes (ours must be)."""
    try:
        address = parse_address(text)
    except UnusableAddress:
        return None
    return None if address.needs_smtputf8 else address
