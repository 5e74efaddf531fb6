"""The bytes of a body with its transfer encoding undone (RFC 2045 6): done once, where the part is parsed."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

from services.classifier.reading.mime.encoded_blocks import uudecoded

_NOT_BASE64: Final = re.compile(rb"[^A-Za-z0-9+/=]")
_WHITE_SPACE: Final = b" \t\r\n"
_QUOTED_PRINTABLE: Final = frozenset({"quoted-printable", "quotedprintable"})
_UUENCODE: Final = frozenset({"x-uuencode", "uuencode", "x-uue", "uue"})


def transfer_decoded(body: bytes, encoding: str) -> bytes:
    """`body` with the transfer encoding undone that a Content-Transfer-Encoding header names, in lower case.

    An unknown encoding counts as none, and so does uuencode of which no whole file can be decoded.
    """
    name = encoding.partition(";")[0].strip("\"' ")
    if name == "base64":
        return decode_base64(body)
    if name in _QUOTED_PRINTABLE:
        return binascii.a2b_qp(body)
    if name in _UUENCODE:
        decoded = uudecoded(body)
        return body if decoded is None else decoded
    return body


def decode_base64(content: bytes) -> bytes:
    """Bytes of base64 with anything in it that is none skipped, and with padding missing or in the middle."""
    try:
        return binascii.a2b_base64(content.translate(None, _WHITE_SPACE), strict_mode=True)
    except binascii.Error:
        alphabet = _NOT_BASE64.sub(b"", content)
    decoded = b""
    for run in re.split(rb"=+", alphabet):
        whole = run[: len(run) - 1] if len(run) % 4 == 1 else run
        decoded += base64.b64decode(whole + b"=" * (-len(whole) % 4))
    return decoded
