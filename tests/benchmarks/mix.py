"""The mails of the benchmark: what a helpdesk gets, made anew from the same number each time.

55 %  text                                  40 % of all are follow-ups of tickets 1000001 to 1001000,
20 %  html that quotes the mails before it  from the contacts of `customers.sql`; of the others half come
15 %  html with a picture in it             from contacts, half from people with domains of their own
 7 %  text with a photo and a PDF
 3 %  automatic answers
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from io import BytesIO
from typing import Final

from PIL import Image

from tests.benchmarks.sample import WORDS

TICKETS: Final = 1_000
CONTACTS: Final = 250
STRANGERS: Final = 250
MAILBOX: Final = "servicedesk@oosterdam-services.example"
PEER_SLUG: Final = "ict"
"""Stands before the number of a ticket, since django-helpdesk finds no number without it; we find it either way."""

_POLICY = SMTP.clone(linesep="\n")


def mail_of_mix(number: int, run: int = 0) -> bytes:
    """Mail `number`, ready for a Maildir; of another `run` the same in kind and size, and another mail."""
    chance = random.Random(number)  # noqa: S311 - text to fill a mail with
    kind = chance.random()
    mail = EmailMessage(policy=_POLICY)
    follows = chance.random() < 0.4
    sender = chance.randrange(CONTACTS)
    if not follows and chance.random() < 0.5:
        stranger = chance.randrange(STRANGERS)
        mail["From"] = f"Klant {stranger} <bench@eigen{stranger}-{run}.example>"
    else:
        mail["From"] = f"Contact {sender} <contact{sender}@klant{sender % 50}.example>"
    mail["To"] = MAILBOX
    words = " ".join(chance.choices(WORDS, k=5))
    ticket = 1_000_001 + chance.randrange(TICKETS)
    mail["Subject"] = f"Re: [{PEER_SLUG}-{ticket}] Melding van eerder" if follows else f"Melding {number}: {words}"
    mail["Date"] = format_datetime(datetime.now(UTC))
    mail["Message-ID"] = f"<{number}.{run}@bench.example>"
    _fill(mail, kind, chance, f"Melding {number} van ronde {run}.")
    return mail.as_bytes()


def _fill(mail: EmailMessage, kind: float, chance: random.Random, first: str) -> None:
    bounds: tuple[tuple[float, Callable[[EmailMessage, random.Random, str], None]], ...] = (
        (0.55, _text), (0.75, _quoting_html), (0.90, _with_picture), (0.97, _with_photo_and_pdf), (1, _automatic),
    )  # fmt: skip
    next(fill for bound, fill in bounds if kind < bound)(mail, chance, first)


def _paragraphs(chance: random.Random, count: int) -> list[str]:
    return [" ".join(chance.choices(WORDS, k=chance.randint(20, 80))) for _ in range(count)]


def _text(mail: EmailMessage, chance: random.Random, first: str) -> None:
    mail.set_content("\n\n".join([first, *_paragraphs(chance, chance.randint(1, 8))]))


def _html(mail: EmailMessage, paragraphs: list[str], more: str = "") -> None:
    mail.set_content("\n\n".join(paragraphs))
    inner = "".join(f"<p class='MsoNormal' style='margin:0'>{paragraph}</p>" for paragraph in paragraphs)
    mail.add_alternative(f"<html><body>{inner}{more}</body></html>", subtype="html")


def _quoting_html(mail: EmailMessage, chance: random.Random, first: str) -> None:
    earlier = ""
    for _ in range(chance.randint(1, 4)):
        inner = "".join(f"<p>{paragraph}</p>" for paragraph in _paragraphs(chance, 6))
        earlier = f"<div>Op 1 mei schreef Tom:</div><blockquote type='cite'>{inner}{earlier}</blockquote>"
    _html(mail, [first, *_paragraphs(chance, 3)], earlier)


def _with_picture(mail: EmailMessage, chance: random.Random, first: str) -> None:
    _html(mail, [first, *_paragraphs(chance, 4)], "<img src='cid:scherm@bench.example'>")
    picture = _screenshot(chance)
    mail.get_payload()[1].add_related(  # type: ignore[index, union-attr]
        picture, "image", "png", cid="<scherm@bench.example>", filename="scherm.png"
    )


def _with_photo_and_pdf(mail: EmailMessage, chance: random.Random, first: str) -> None:
    _text(mail, chance, first)
    mail.add_attachment(_photo(chance), "image", "jpeg", filename="foto.jpg")
    mail.add_attachment(b"%PDF-1.7\n" + chance.randbytes(120_000), "application", "pdf", filename="bon.pdf")


def _automatic(mail: EmailMessage, chance: random.Random, first: str) -> None:
    mail["Auto-Submitted"] = "auto-replied"
    _text(mail, chance, first)


def _screenshot(chance: random.Random) -> bytes:
    """Blocks of colour with sharp edges, as windows and letters are."""
    blocks = Image.frombytes("RGB", (160, 100), chance.randbytes(3 * 160 * 100))
    out = BytesIO()
    blocks.resize((1280, 800), Image.Resampling.NEAREST).save(out, "PNG")
    return out.getvalue()


def _photo(chance: random.Random) -> bytes:
    """Noise without edges, which compresses as a photo does."""
    noise = Image.frombytes("RGB", (100, 75), chance.randbytes(3 * 100 * 75))
    out = BytesIO()
    noise.resize((1600, 1200), Image.Resampling.BICUBIC).save(out, "JPEG", quality=75)
    return out.getvalue()
