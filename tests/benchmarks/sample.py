"""Mails of a given size, each different: text, the same in html, and a picture that makes up the rest."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from io import BytesIO

from PIL import Image

_TEXT = """
    de het een printer werkt niet meer sinds gisteren graag vandaag nog kijken naar onze kassa want klanten wachten
    foutmelding scherm blijft zwart netwerk traag opnieuw opstarten helpt niet bedankt alvast vriendelijke groet
"""
WORDS = _TEXT.split()
_BASE64 = 4 / 3 * 77 / 76


def sample_mail(number: int, size: int) -> bytes:
    """A mail of about `size` bytes, ready for a Maildir, from a sender with a domain of its own.

    Of one domain, only thirty senders whom nobody knows are answered within three hours (SPEC D10).
    """
    chance = random.Random(number)  # noqa: S311 - text to fill a mail with
    paragraphs = [" ".join(chance.choices(WORDS, k=60)) for _ in range(8)]
    cid = make_msgid(domain="bench.example")
    mail = EmailMessage(policy=SMTP.clone(linesep="\n"))
    mail["From"] = f"Klant {number} <bench@klant{number}.example>"
    mail["To"] = "servicedesk@oosterdam-services.example"
    mail["Subject"] = f"Melding {number}: {' '.join(chance.choices(WORDS, k=5))}"
    mail["Date"] = format_datetime(datetime.now(UTC))
    mail["Message-ID"] = f"<{number}.{size}@bench.example>"
    mail.set_content("\n\n".join(paragraphs))
    html = "".join(f"<p style='margin:0'>{paragraph}</p>" for paragraph in paragraphs)
    mail.add_alternative(f"<html><body>{html}<img src='cid:{cid[1:-1]}'></body></html>", subtype="html")
    picture = _picture(chance, int((size - len(mail.as_bytes())) / _BASE64))
    mail.get_payload()[1].add_related(picture, "image", "png", cid=cid, filename="scherm.png")  # type: ignore[index, union-attr]
    return mail.as_bytes()


def _picture(chance: random.Random, size: int) -> bytes:
    """A PNG of noise of about `size` bytes: three a pixel, which no compression makes smaller."""
    width = 64
    height = max(1, (size - 100) // (3 * width))
    out = BytesIO()
    Image.frombytes("RGB", (width, height), chance.randbytes(3 * width * height)).save(out, "PNG", compress_level=1)
    return out.getvalue()
