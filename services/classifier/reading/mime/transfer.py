"""The bytes of a body with its transfer encoding undone (RFC 2045 6): done once, where the part is parsed."""

from __future__ import annotations

import binascii
import re
from io import BytesIO
from typing import Final

import pybase64

from services.classifier.reading.mime.encoded_blocks import uudecoded

_NOT_BASE64: Final = re.compile(rb"[^A-Za-z0-9+/=]")
_SENTENCE: Final = re.compile(rb"(?<![^\s])[A-Z]?[a-z\x80-\xff]+[,.:;]?[ \t]+[A-Z]?[a-z\x80-\xff]+[,.:;]?[ \t]+\S")
"""Words with spaces between them: base64 has none within a line, save what a gateway broke."""
_LOOKED_AT: Final = 8 * 1024
_MOST_LINES: Final = 40
_TOO_FEW: Final = (0, 1, 0, 0)
"""Characters at the end of a run that are no byte, by what is left of its length when divided by four."""
_PADDING: Final = (b"", b"", b"==", b"=")
_QUANTUM: Final = 4
"""Characters that are read together (RFC 2045 6.8)."""
_PIECE: Final = 1024 * 1024
_WHITE_SPACE: Final = b" \t\r\n"
_QUOTED_PRINTABLE: Final = frozenset({"quoted-printable", "quotedprintable"})
_UUENCODE: Final = frozenset({"x-uuencode", "uuencode", "x-uue", "uue"})


def transfer_decoded(raw: bytes, start: int, end: int, encoding: str) -> bytes:
    """The body from `start` to `end` with the transfer encoding undone that a Content-Transfer-Encoding header names.

    `encoding` is in lower case. An unknown one counts as none, and so does uuencode of which no whole file can be
    decoded.
    """
    name = encoding.partition(";")[0].strip("\"' ")
    if name == "base64" and (decoded := _in_pieces(raw, start, end)) is not None:
        return decoded
    if name in _QUOTED_PRINTABLE:
        return binascii.a2b_qp(memoryview(raw)[start:end])
    body = raw[start:end]
    if name == "base64":
        return body if _is_plain(body) else decode_base64(body)
    if name in _UUENCODE:
        decoded = uudecoded(body)
        return body if decoded is None else decoded
    return body


def _is_plain(body: bytes) -> bool:
    """QUIRK: gateways decode a body, or write text of their own, and leave the header that called it base64."""
    lines = [line for line in body[:_LOOKED_AT].splitlines()[:_MOST_LINES] if line.strip()]
    return sum(_SENTENCE.search(line) is not None for line in lines) * 2 > len(lines)


def _in_pieces(raw: bytes, start: int, end: int) -> bytes | None:
    """Sound base64, decoded without a copy of it: of a large file there would be two. None for any other."""
    decoded = BytesIO()
    rest = b""
    try:
        for position in range(start, end, _PIECE):
            piece = raw[position : min(position + _PIECE, end)].translate(None, _WHITE_SPACE)
            if len(rest) == _QUANTUM and piece:  # it was padded, and is not the end
                return None
            text = rest + piece
            whole = len(text) - len(text) % _QUANTUM
            whole -= _QUANTUM if whole and whole == len(text) and text.endswith(b"=") else 0
            decoded.write(pybase64.b64decode(text[:whole], validate=True))
            rest = text[whole:]
        decoded.write(pybase64.b64decode(rest, validate=True))
    except binascii.Error:
        return None
    return decoded.getvalue()


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
