"""How a notification reads: templates, values, marker line and headers become one mail, written once (DESIGN 9)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final, TypeVar

from services.notifier.notification import Notification, Sender, Written
from services.notifier.rules.addresses import Address, UnusableAddress, parse_address
from services.notifier.rules.message_id import message_id
from services.notifier.rules.mime import Headers, Mailbox, write_mail
from services.notifier.rules.strangers import as_a_stranger_sees_it
from services.notifier.rules.summary import values_of_summary
from services.notifier.rules.values import values_of
from shared.errors import ImporterError
from shared.messages import NotificationKind
from shared.one_line import one_line
from shared.templates.defaults import TemplateTexts, default_texts
from shared.templates.kinds import TemplateKind
from shared.templates.plain_text import escaped, html_of, text_of
from shared.templates.render import (
    BadTemplate,
    Template,
    Value,
    html_body,
    parse_body,
    parse_subject,
    subject_line,
    text_body,
)

_PAGE: Final = """<!DOCTYPE html>
<html lang="nl">
<head><meta http-equiv="Content-Type" content="text/html; charset=utf-8"></head>
<body style="font-family: Arial, Helvetica, sans-serif; font-size: 14px">
{content}
</body>
</html>
"""

T = TypeVar("T")


class NoSender(ImporterError):
    """The helpdesk has no address that its mails can come from."""


@dataclass(frozen=True, slots=True)
class Composed:
    """A written mail, and what was wrong with the helpdesk's own template where the default stood in for it."""

    written: Written
    template_problems: tuple[str, ...] = ()


def compose(notification: Notification, *, key: bytes, now: datetime) -> Composed:
    """Write the mail. `key` is the secret `message_id_key`; `now` becomes its date.

    NoSender when the helpdesk has no usable address of its own, UnusableAddress when the recipient's is none.
    """
    notification = as_a_stranger_sees_it(notification)
    sender = from_address(notification.sender)
    recipient = Mailbox(notification.recipient_name, parse_address(notification.recipient_address))
    kind = TemplateKind.SUMMARY if notification.is_summary else TemplateKind(notification.kind)
    values = values_of_summary(notification) if notification.is_summary else values_of(notification)
    problems: list[str] = []
    subject = subject_line(_subject(notification, kind, problems), values)
    text, html = _readings(notification, kind, values, problems)
    marker = "" if notification.is_summary else one_line(notification.marker)  # an answer would find no ticket
    own_id = message_id(notification.id, sender.domain, key)
    headers = Headers(
        date=now,
        sender=Mailbox(notification.sender.name or notification.sender.helpdesk, sender),
        recipient=recipient,
        reply_to=_reply_to(notification.sender, sender),
        subject=subject,
        message_id=own_id,
        references=() if notification.is_summary else notification.answers,
        answers_a_mail=notification.kind is NotificationKind.TICKET_ADDED_CUSTOMER,
    )
    mime = write_mail(
        headers,
        f"{marker}\n\n{text}" if marker else text,
        _PAGE.format(content=f"<p>{escaped(marker)}</p>\n{html}" if marker else html),
    )
    return Composed(Written(own_id, subject, mime), tuple(problems))


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


def _usable(text: str) -> Address | None:
    """The address; None when it is none, or one that not every server takes (ours must be)."""
    try:
        address = parse_address(text)
    except UnusableAddress:
        return None
    return None if address.needs_smtputf8 else address


def _subject(notification: Notification, kind: TemplateKind, problems: list[str]) -> Template:
    parse = partial(parse_subject, of_ticket=kind.of_ticket)
    return _own_or_none(notification.template.subject, parse, problems) or parse(default_texts(kind).subject)


def _readings(
    notification: Notification, kind: TemplateKind, values: dict[str, Value], problems: list[str]
) -> tuple[str, str]:
    """The body as text and as html; with one template of the two, the other reading is made from it."""
    own, parse = notification.template, partial(parse_body, of_ticket=kind.of_ticket)
    in_text = _own_or_none(own.body_text, parse, problems)
    in_html = _own_or_none(own.body_html, parse, problems)
    if in_text is None and in_html is None:
        default: TemplateTexts = default_texts(kind)
        in_text, in_html = parse(default.body_text), parse(default.body_html)
    if in_html is None:
        text = text_body(in_text or Template(()), values)
        return text, html_of(text)
    html = html_body(in_html, values)
    return (text_of(html) if in_text is None else text_body(in_text, values)), html


def _own_or_none(source: str | None, parse: Callable[[str], T], problems: list[str]) -> T | None:
    """The helpdesk's own template, or None when it has none or it cannot be used (`problems` then says why)."""
    if source is None:
        return None
    try:
        return parse(source)
    except BadTemplate as bad:
        problems.extend(bad.problems)
        return None
