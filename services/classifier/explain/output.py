"""What `explain` answers: one JSON object a mail for programs, sentences for people."""

from __future__ import annotations

import json
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from services.classifier.explain.outcome import Explained
from services.classifier.reading.text.forwarded import Forwarded
from shared.messages import MailAddress
from shared.portal.reasons import explain as sentence_of
from shared.portal.reasons import explanation_of

_NOBODY: Final = MailAddress(address="")
_SHOWN_TEXT: Final = 600
"""Characters of what was said that people are shown."""


def as_json(explained: Explained) -> str:
    """One JSON object on one line; its fields are a contract with programs."""
    read, mail = explained.given.read, explained.mail
    sender = _sender(explained)
    answer: dict[str, Any] = {
        "file": explained.given.file,
        "outcome": explained.outcome.value,
        "reasons": [str(reason.id) for reason in explained.reasons],
        "from": {"name": sender.name, "address": sender.address},
        "subject": read.subject,
        "message_id": read.message_id,
        "date": None if read.sent_at is None else read.sent_at.isoformat(),
        "text": read.whole.text,
        "html": read.whole.html,
        "reply_text": said(explained),
        "ticket_numbers": list(explained.candidates),
        "automatic": None if mail.automatic is None else mail.automatic.value,
        "bounce": [
            {
                "recipient": bounced.recipient,
                "status": bounced.status,
                "action": bounced.action,
                "diagnostic": bounced.diagnostic,
            }
            for bounced in read.bounced
        ],
        "forwarded": None if read.forwarded is None else _forwarded(read.forwarded),
        "images": [
            {
                "name": image.name,
                "type": image.media_type,
                "width": image.width,
                "height": image.height,
                "bytes": len(image.content),
                "inline": image.inline,
            }
            for image in read.images
        ],
        "left_out": [
            {"name": part.name, "type": part.media_type, "bytes": part.size, "reason": part.reason}
            for part in read.left_out
        ],
        "crypto": None if read.crypto is None else read.crypto.value,
    }
    return json.dumps(answer, ensure_ascii=False)


def show(explained: Explained, console: Console) -> None:
    """The same for people: the outcome, each reason with its remedy, and what was found."""
    read = explained.given.read
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in _rows(explained):
        if value:
            table.add_row(name, escape(value))
    console.rule(escape(explained.given.file), align="left")
    console.print(f"[bold]{explained.outcome.value}[/bold]")
    for reason in explained.reasons:
        remedy = explanation_of(reason).remedy
        console.print(f"  • {escape(sentence_of(reason))} [dim]{reason.id}[/dim]")
        if remedy:
            console.print(f"    → {escape(remedy)}")
    console.print(table)
    for part in read.left_out:
        console.print(f"  left out: {escape(part.name)} ({escape(part.media_type)}, {part.size} bytes): {part.reason}")
    text = said(explained)
    shown = text if len(text) <= _SHOWN_TEXT else text[:_SHOWN_TEXT] + "…"
    console.print(escape(shown), highlight=False)
    console.print()


def said(explained: Explained) -> str:
    """What the sender says himself: above the marker or the quote."""
    bodies = explained.bodies
    return (bodies.trimmed or bodies.above_marker or bodies.whole).text


def _rows(explained: Explained) -> list[tuple[str, str]]:
    read, mail = explained.given.read, explained.mail
    forwarded = read.forwarded
    return [
        ("from", _person(_sender(explained))),
        ("subject", read.subject),
        ("date", "" if read.sent_at is None else read.sent_at.isoformat(sep=" ")),
        ("Message-ID", read.message_id or ""),
        ("ticket numbers", ", ".join(explained.candidates)),
        ("automatic", _automatic(explained)),
        ("bounced", "\n".join(f"{b.recipient} {b.status} {b.action} {b.diagnostic}".strip() for b in read.bounced)),
        (
            "forwarded",
            ""
            if forwarded is None
            else f"{_person(MailAddress(name=forwarded.name, address=forwarded.address))}, "
            f"«{forwarded.subject}» ({forwarded.how.value})",
        ),
        ("crypto", "" if read.crypto is None else read.crypto.value),
        ("DMARC", mail.dmarc.value),
        (
            "images",
            "\n".join(
                f"{image.name} ({image.media_type}, {image.width}×{image.height}, {len(image.content)} bytes)"
                for image in read.images
            ),
        ),
    ]


def _automatic(explained: Explained) -> str:
    told = explained.given.read.automatic
    return "" if told is None else f"{told.kind.value}, told by {told.sign}"


def _sender(explained: Explained) -> MailAddress:
    """From as the mail says it; where that names nobody, who counts as its sender (N2)."""
    read, sender = explained.given.read, explained.mail.sender
    stated = next((mailbox for mailbox in read.from_ if mailbox.address), None)
    return stated or (_NOBODY if sender is None else sender.mailbox)


def _person(mailbox: MailAddress) -> str:
    return f"{mailbox.name} <{mailbox.address}>" if mailbox.name else mailbox.address


def _forwarded(forwarded: Forwarded) -> dict[str, str]:
    return {
        "name": forwarded.name,
        "address": forwarded.address,
        "subject": forwarded.subject,
        "how": forwarded.how.value,
    }
