"""PNG (3rd edition, sections 5, 9 and 10): chunks; the pixels are rows, each with its filter, in one zlib stream."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from zlib_ng import zlib_ng

from services.classifier.reading.images.containers.errors import NotWhole
from services.classifier.reading.images.containers.metadata import may_stay

_SIGNATURE_SIZE: Final = 8
_METADATA: Final = frozenset({b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"tIME"})
_KNOWN: Final = frozenset(
    {b"IHDR", b"PLTE", b"IDAT", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT", b"pHYs", b"bKGD",
     b"hIST", b"sPLT", b"cICP", b"mDCV", b"cLLI", b"acTL", b"fcTL", b"fdAT"}
)  # fmt: skip
_CHANNELS: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Samples a pixel, by colour type."""
_FILTERS: Final = bytes(range(5))
_PIECE: Final = 64 * 1024
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


def to_draw(content: bytes) -> bytes | None:
    """Nothing of a sound picture, which a decoder draws whatever its pixels are; all of any other.

    Sound is a file of one picture whose stream ends well and holds its rows, no byte more, each by a known filter.
    """
    try:
        return None if _is_sound(content) else content
    except (NotWhole, struct.error, KeyError, zlib_ng.error):  # type: ignore[misc] # its types say an instance
        return content


def _is_sound(content: bytes) -> bool:
    width, height, depth, colour, interlaced = struct.unpack_from(">IIBB2xB", content, 16)
    row = 1 + (width * depth * _CHANNELS[colour] + 7) // 8
    stream = zlib_ng.decompressobj()
    size = 0
    for chunk in _pixels(content):
        piece = stream.decompress(chunk, _PIECE)
        while piece:
            if size + len(piece) > row * height or piece[-size % row :: row].translate(None, _FILTERS):
                return False
            size += len(piece)
            piece = stream.decompress(stream.unconsumed_tail, _PIECE)
    return not interlaced and stream.eof and not stream.unused_data and size == row * height


def _pixels(content: bytes) -> Iterator[bytes]:
    """The chunks of the stream. Raises NotWhole where it is not all of a picture, struct.error where the end lacks."""
    position = _SIGNATURE_SIZE
    begun = False
    while True:
        length, kind = struct.unpack_from(">I4s", content, position)
        if kind == b"IDAT":
            begun = True
            yield content[position + 8 : position + 8 + length]
        elif begun and kind == b"IEND":
            return
        elif begun or kind == b"acTL":
            raise NotWhole
        position += 12 + length
