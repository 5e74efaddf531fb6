"""The kinds of mail that take different ways through the importer."""

from __future__ import annotations

from enum import StrEnum
from io import BytesIO
from itertools import count

from PIL import Image

from tests.acceptance.pipeline import a_mail

_numbers = count(1)


class Kind(StrEnum):
    """What a mail is; each has a sender and a text of its own."""

    PLAIN = "a ticket"
    IMAGE = "a ticket with an image"
    SUPPLEMENT = "a supplement with an image"
    LARGE = "a mail that travels as a claim check, and so do its bodies"
    TOO_LARGE = "a mail of which only the head is fetched (D17)"


def a_mail_of(kind: Kind, ticket: str | None) -> bytes:
    """A mail of this kind that nobody sent before; `ticket` is the number that a supplement names."""
    return mail_of(kind, next(_numbers), ticket)


def mail_of(kind: Kind, number: int, ticket: str | None = None) -> bytes:
    """Mail `number`, which stands in its text («Bericht 12:») and in the colour of its picture (see `colour_of`)."""
    # a domain each: the mails out to unknown addresses of one domain are counted one after the other, and limited
    sender = f"afzender@elders{number}.example"
    subject = f"Re: [{ticket}] aanvulling" if kind is Kind.SUPPLEMENT else f"Storing in ruimte {chr(65 + number % 26)}"
    text = f"Bericht {number}: kunnen jullie hiernaar kijken?\n"
    if kind is Kind.LARGE:
        text += "".join(f"Regel {line} van bericht {number} uit het logboek.\n" for line in range(8000))
    mail = a_mail(subject=subject, sender=sender, text=text)
    if kind in {Kind.IMAGE, Kind.SUPPLEMENT}:
        mail.add_attachment(_a_picture(number), "image", "png", filename="scherm.png")
        mail.add_attachment(b"%PDF-1.4", "application", "pdf", filename="handleiding.pdf")
    if kind is Kind.TOO_LARGE:
        mail.add_attachment(bytes(1024 * 1024), "application", "zip", filename="alles.zip")
    return mail.as_bytes()


def _a_picture(number: int) -> bytes:
    out = BytesIO()
    Image.new("RGB", (64, 48), colour_of(number)).save(out, "PNG")
    return out.getvalue()


def colour_of(number: int) -> tuple[int, int, int]:
    """The colour of the picture in mail `number`, which no other of 65,536 mails has."""
    return number % 256, number // 256 % 256, 90
