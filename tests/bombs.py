"""Mails that cost a reader more than others: by their pixels, the one kind whose cost is not bounded by its size."""

from __future__ import annotations

import io
from email.message import EmailMessage
from functools import cache
from typing import Final

import PIL.Image

_SIDE: Final = 5_000
_PICTURES: Final = 16
"""As many as may be decoded of one mail: 400 million pixels (`Limits.image_total_pixels`), some seconds of work."""


@cache
def _picture() -> bytes:
    content = io.BytesIO()
    PIL.Image.new("RGB", (_SIDE, _SIDE)).save(content, "WEBP", lossless=True, quality=0, method=0)
    return content.getvalue()


def with_many_pixels(mail: EmailMessage) -> EmailMessage:
    """The mail with attached pictures that take a reader several seconds; each is another file."""
    for number in range(_PICTURES):
        mail.add_attachment(
            _picture() + bytes([number]), maintype="image", subtype="webp", filename=f"vlak-{number}.webp"
        )
    return mail
