"""PNG (3rd edition, section 5): chunks."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from services.classifier.reading.images.containers.metadata import may_stay

_SIGNATURE_SIZE: Final = 8
_METADATA: Final = frozenset({b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"tIME"})
_KNOWN: Final = frozenset(
    {b"IHDR", b"PLTE", b"IDAT", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT", b"pHYs", b"bKGD",
     b"hIST", b"sPLT", b"cICP", b"mDCV", b"cLLI", b"acTL", b"fcTL", b"fdAT"}
)  # fmt: skip


_END: Final = bytes.fromhex("0000000049454e44ae426082")


def pieces(content: bytes, *, strip: bool) -> Iterator[bytes]:
    yield content[:_SIGNATURE_SIZE]
    position = _SIGNATURE_SIZE
    while position < len(content):
        length, kind = struct.unpack_from(">I4s", content, position)
        end = position + 12 + length
        if kind == b"IEND":
            break
        if kind in _KNOWN or (kind in _METADATA and not strip and may_stay(content[position:end])):
            yield content[position:end]
        position = end
    yield _END
