"""The bytes of a body with its transfer encoding undone (RFC 2045 6): done once, where the part is parsed."""

from __future__ import annotations

import binascii
import re
from typing import Final

from services.classifier.reading.mime.encoded_blocks import uudecoded

_NOT_BASE64: Final = re.compile(rb"[^A-Za-z0-9+/=]")
_TOO_FEW: Final = (0, 1, 0, 0)
"""Characters at the end of a run that are no byte, by what is left of its length when divided by four."""
_PADDING: Final = (b"", b"", b"==", b"=")
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
    # a mail may have hundreds of thousands of such runs: as little as possible is done for each
    return b"".join(
        [
            binascii.a2b_base64(run[: len(run) - _TOO_FEW[len(run) & 3]] + _PADDING[len(run) & 3])
            for run in re.split(rb"=+", alphabet)
        ]
    )
