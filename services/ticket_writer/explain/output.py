"""What `explain` answers: one JSON object a mail for programs, sentences for people, in English or Dutch."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from services.ticket_writer.explain.deciding import Explained
from services.ticket_writer.explain.fields import facts_of, said
from shared.messages import MailAddress, Reason
from shared.portal.english import explanation_in_english
from shared.portal.reasons import explain as sentence_of
from shared.portal.reasons import explanation_of

LANGUAGES: Final = ("en", "nl")
_DUTCH: Final = {
    "supplement": "aanvulling",
    "duplicate": "dubbel",
    "quarantine": "quarantaine",
    "from": "van",
    "sender": "afzender",
    "subject": "onderwerp",
    "date": "datum",
    "ticket numbers": "ticketnummers",
    "automatic": "automatisch",
    "bounced": "niet bezorgd",
    "forwarded": "doorgestuurd",
    "crypto": "versleuteling",
    "images": "afbeeldingen",
    "%(kind)s, by %(sign)s": "%(kind)s, gezien aan %(sign)s",
    "left out: %(name)s (%(type)s, %(size)s bytes): %(reason)s": (
        "weggelaten: %(name)s (%(type)s, %(size)s bytes): %(reason)s"
    ),
}
_SHOWN_TEXT: Final = 600
"""Characters of what was said that people are shown."""


def as_json(explained: Explained) -> str:
    """One JSON object on one line; its fields are a contract with programs."""
    given, bodies = explained.given, explained.bodies
    answer = {
        "file": given.file,
        "outcome": explained.outcome.value,
        "reasons": [str(reason.id) for reason in explained.reasons],
        **facts_of(given, {"text": given.whole.text, "html": given.whole.html, "reply_text": said(bodies)}),
    }
    return json.dumps(answer, ensure_ascii=False)


def show(explained: Explained, console: Console, language: str) -> None:
    """The same for people: the outcome, each reason with its remedy, and what the mail says."""
    word = _in(language)
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in _rows(explained, word):
        if value:
            table.add_row(word(name), escape(value))
    console.rule(escape(explained.given.file), align="left")
    console.print(f"[bold]{word(explained.outcome.value)}[/bold]")
    for reason in explained.reasons:
        sentence, remedy = _explanation(reason, language)
        console.print(f"  • {escape(sentence)} [dim]{reason.id}[/dim]")
        if remedy:
            console.print(f"    → {escape(remedy)}")
    console.print(table)
    for part in explained.given.mail.left_out:
        told = word("left out: %(name)s (%(type)s, %(size)s bytes): %(reason)s") % {
            "name": part.name, "type": part.media_type, "size": part.size, "reason": part.reason
        }  # fmt: skip
        console.print(f"  {escape(told)}")
    text = said(explained.bodies)
    shown = text if len(text) <= _SHOWN_TEXT else text[:_SHOWN_TEXT] + "…"
    console.print(escape(shown), highlight=False)
    console.print()


def _in(language: str) -> Callable[[str], str]:
    """The words of this language, given the English."""
    return (lambda text: _DUTCH.get(text, text)) if language == "nl" else str


def _explanation(reason: Reason, language: str) -> tuple[str, str]:
    if language == "nl":
        return sentence_of(reason), explanation_of(reason).remedy
    explanation = explanation_in_english(reason)
    return explanation.sentence, explanation.remedy


def _rows(explained: Explained, word: Callable[[str], str]) -> list[tuple[str, str]]:
    given, mail = explained.given, explained.given.mail
    taken = None if mail.sender is None else mail.sender.mailbox
    return [
        ("from", _person(given.stated_sender)),
        ("sender", "" if taken is None or taken == given.stated_sender else _person(taken)),
        ("subject", mail.subject),
        ("date", "" if given.date is None else given.date.isoformat(sep=" ")),
        ("Message-ID", mail.message_id or ""),
        ("ticket numbers", ", ".join(given.numbers)),
        ("automatic", _automatic(explained, word)),
        ("bounced", "\n".join(f"{b.recipient} {b.status} {b.action} {b.diagnostic}".strip() for b in mail.bounced)),
        ("forwarded", _forwarded(explained)),
        ("crypto", "" if mail.crypto is None else mail.crypto.value),
        ("DMARC", mail.dmarc.value),
        (
            "images",
            "\n".join(
                f"{image.name} ({image.media_type}, {image.width}×{image.height}, {image.blob.size} bytes)"
                for image in mail.images
            ),
        ),
    ]


def _automatic(explained: Explained, word: Callable[[str], str]) -> str:
    kind = explained.given.mail.automatic
    if kind is None:
        return ""
    return word("%(kind)s, by %(sign)s") % {"kind": kind.value, "sign": explained.given.automatic_sign}


def _forwarded(explained: Explained) -> str:
    first = explained.given.forwarded
    if first is None:
        return ""
    return f"{_person(MailAddress(name=first.name, address=first.address))}, «{first.subject}» ({first.how})"


def _person(mailbox: MailAddress) -> str:
    return f"{mailbox.name} <{mailbox.address}>" if mailbox.name else mailbox.address
