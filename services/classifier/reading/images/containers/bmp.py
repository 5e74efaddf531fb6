"""BMP, by the headers of Windows (BITMAPINFOHEADER and its kin) and of OS/2, put together without gaps.

What may stand between header, palette and pixels, behind the pixels, and in the places of profiles, is not taken along.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from services.classifier.reading.images.containers.errors import NotWhole

_FILE_HEADER: Final = 14
_CORE_HEADER: Final = 12
"""OS/2 1.x: sizes of 16 bits, palettes of three bytes an entry."""
_HEADERS: Final = frozenset({_CORE_HEADER, 40, 52, 56, 64, 108, 124})
_NO_RUNS, _RUNS_OF_8, _RUNS_OF_4, _MASKS = 0, 1, 2, 3
_MASKS_SIZE: Final = 12
_MOST_PALETTE_BITS: Final = 8
_IMAGE_SIZE, _COLOURS, _COLOUR_SPACE = 20, 32, 56
"""Places in the header: how many bytes the pixels take, how many entries the palette has, the kind of colours."""
_PROFILE: Final = 112
_SRGB: Final = b"BGRs"
_PROFILES: Final = frozenset({b"DEBM", b"KNIL"})
"""Colours by a profile in the file, or in another file, which are not taken along."""
_END_OF_LINE, _END_OF_BITMAP, _MOVE = 0, 1, 2


def pieces(content: bytes, *, strip: bool) -> Iterator[bytes]:  # noqa: ARG001 - it has no metadata
    begin, header_size = struct.unpack_from("<10xII", content)
    if header_size not in _HEADERS:
        raise NotWhole
    header = bytearray(content[_FILE_HEADER : _FILE_HEADER + header_size])
    if header_size == _CORE_HEADER:
        width, height, _, bits = struct.unpack_from("<4xHHHH", header)
        compression, colours, entry = _NO_RUNS, 0, 3
    else:
        width, height, _, bits, compression = struct.unpack_from("<4xiiHHI", header)
        (colours,) = struct.unpack_from("<I", header, _COLOURS)
        entry = 4
    width, height = abs(width), abs(height)

    masks_at = _FILE_HEADER + header_size
    masks = content[masks_at : masks_at + _MASKS_SIZE] if compression == _MASKS and header_size == 40 else b""  # noqa: PLR2004
    palette_at = masks_at + len(masks)
    palette = b""
    if bits <= _MOST_PALETTE_BITS:
        said = colours or 1 << bits
        colours = min(said, 1 << bits)
        palette = content[palette_at : palette_at + entry * colours]
        # QUIRK: some writers leave the palette out of the place of the pixels; decoders add it
        begin = begin + entry * said if begin == masks_at else begin or palette_at + entry * said
    else:
        colours, begin = 0, begin or palette_at
    if compression in {_RUNS_OF_8, _RUNS_OF_4}:
        size = _runs_size(content, begin, width, height, halved=compression == _RUNS_OF_4)
    elif compression in {_NO_RUNS, _MASKS}:
        size = (width * bits + 31) // 32 * 4 * height
    else:
        raise NotWhole
    pixels = content[begin : begin + size]

    if header_size > _CORE_HEADER:
        struct.pack_into("<I", header, _IMAGE_SIZE, len(pixels))
        struct.pack_into("<I", header, _COLOURS, colours)
        _take_out_profile(header)
    place = palette_at + len(palette)
    gap = bytes((begin - place) % 2)  # runs are padded to words of the file
    yield struct.pack("<2sIII", b"BM", place + len(gap) + len(pixels), 0, place + len(gap))
    yield bytes(header) + masks + palette + gap + pixels


def _take_out_profile(header: bytearray) -> None:
    """The header says ordinary colours where it named a profile, whose place is not in the file any more."""
    if bytes(header[_COLOUR_SPACE : _COLOUR_SPACE + 4]) in _PROFILES:
        header[_COLOUR_SPACE : _COLOUR_SPACE + 4] = _SRGB
    header[_PROFILE : _PROFILE + 8] = bytes(len(header[_PROFILE : _PROFILE + 8]))


def _runs_size(content: bytes, begin: int, width: int, height: int, *, halved: bool) -> int:
    """Bytes that runs of equal pixels take, up to the end of the bitmap or its last pixel (BI_RLE8, BI_RLE4).

    Raises NotWhole for runs beyond the end of a line, which no pixel shows, struct.error where a move is cut off.
    """
    position, x, pixels = begin, 0, 0
    while pixels < width * height and position + 2 <= len(content):
        count, value = content[position : position + 2]
        position += 2
        if count:
            if x >= width:
                raise NotWhole
            pixels += min(count, width - x)
            x += min(count, width - x)
        elif value == _END_OF_LINE:
            pixels, x = -(-pixels // width) * width, 0
        elif value == _END_OF_BITMAP:
            break
        elif value == _MOVE:
            right, up = struct.unpack_from("BB", content, position)
            position += 2
            pixels += right + up * width
            x = pixels % width
        else:
            size = -(-value // 2) if halved else value
            position += size + size % 2
            pixels += value
            x += value
    return position - begin
