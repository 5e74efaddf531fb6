"""HEIF (ISO/IEC 23008-12): boxes, and items found by their place in the file (ISO/IEC 14496-12 8.11)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from services.classifier.reading.images.containers.blanking import Blanking
from services.classifier.reading.images.containers.errors import NotWhole

_MOST_EXTENTS: Final = 50_000
_KNOWN: Final = frozenset({b"ftyp", b"meta", b"mdat", b"moov", b"free", b"skip", b"idat", b"uuid", b"mpvd"})
_ROOM: Final = frozenset({b"free", b"skip", b"uuid", b"mpvd"})
"""Boxes without a part in the picture: room that was left free, makers' own, a film beside a photograph."""
_METADATA_ITEMS: Final = frozenset({b"Exif", b"mime", b"uri "})


def pieces(content: bytes, *, strip: bool) -> Iterator[bytes]:
    """QUIRK: pixels are found by their place in the file, so what does not stay is overwritten where it stands."""
    end = 0
    blank = Blanking.of(content)
    for kind, start, box_end in _boxes(content, 0, len(content)):
        if kind not in _KNOWN:
            break
        end = box_end
        if kind in _ROOM:
            blank(start, box_end - start)
        if kind == b"meta" and strip:
            for position, size in _metadata_extents(content, start + 4, box_end):
                blank(position, size)
    yield bytes(blank.content[:end])


def _boxes(content: bytes, position: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, begin and end of the contents of each box (ISO/IEC 14496-12 4.2)."""
    while position + 8 <= end:
        size, kind = struct.unpack_from(">I4s", content, position)
        start = position + 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", content, start)
            start += 8
        box_end = end if size == 0 else position + size
        if box_end < start or box_end > end:
            return
        yield kind, start, box_end
        position = box_end


def _metadata_extents(content: bytes, position: int, end: int) -> Iterator[tuple[int, int]]:
    """Where Exif and XMP stand in the file."""
    items: set[int] = set()
    locations: list[tuple[int, int, int]] = []
    for kind, start, box_end in _boxes(content, position, end):
        if kind == b"iinf":
            items = set(_metadata_items(content, start, box_end))
        elif kind == b"iloc":
            locations = list(_locations(content, start))
    for item, place, size in locations:
        if item in items:
            yield place, size


def _metadata_items(content: bytes, start: int, end: int) -> Iterator[int]:
    first = start + (6 if content[start] == 0 else 8)
    for kind, entry, _ in _boxes(content, first, end):
        version = content[entry]
        if kind != b"infe" or version not in {2, 3}:
            continue
        item, item_type = struct.unpack_from(">H2x4s" if version == 2 else ">I2x4s", content, entry + 4)  # noqa: PLR2004
        if item_type in _METADATA_ITEMS:
            yield item


def _locations(content: bytes, start: int) -> Iterator[tuple[int, int, int]]:
    """Item, place and size of each extent that stands in the file itself (8.11.3)."""
    version, sizes = content[start], struct.unpack_from(">H", content, start + 4)[0]
    offset_size, length_size, base_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    index_size = sizes & 15 if version in {1, 2} else 0
    wide = 4 if version == 2 else 2  # noqa: PLR2004 - the version with wide item numbers
    cursor = start + 6

    def number(size: int) -> int:
        nonlocal cursor
        taken = content[cursor : cursor + size]
        if len(taken) < size:
            raise NotWhole
        cursor += size
        return int.from_bytes(taken, "big")

    left = _MOST_EXTENTS
    for _ in range(number(wide)):
        item = number(wide)
        method = number(2) & 15 if version in {1, 2} else 0
        number(2)
        base = number(base_size)
        extents = number(2)
        left -= extents + 1
        if left < 0:
            raise NotWhole
        for _ in range(extents):
            number(index_size)
            place, size = base + number(offset_size), number(length_size)
            if method == 0:
                yield item, place, size
