"""TIFF (revision 6.0, Adobe 1992): directories of entries, all found by their place in the file."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from services.classifier.reading.images.containers.blanking import Blanking
from services.classifier.reading.images.containers.errors import NotWhole

_SIZES: Final = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_METADATA: Final = frozenset(
    {0x010D, 0x010E, 0x010F, 0x0110, 0x0131, 0x0132, 0x013B, 0x013C, 0x02BC, 0x8298, 0x83BB, 0x8649, 0x8769, 0x8825,
     0x9286, 0xA005, 0xC4A5, *range(0x9C9B, 0x9CA0)}
)  # fmt: skip
"""Names, texts, times, devices, XMP, IPTC, Photoshop, Exif and positions."""
_DIRECTORIES: Final = frozenset({0x8769, 0x8825, 0xA005})
_MOST_DIRECTORIES: Final = 1_000
_MOST_ENTRIES: Final = 50_000
_ENTRY_SIZE: Final = 12


def entries_of(tiff: bytes, number: int) -> Iterator[tuple[int, int, int, int, str]]:
    """Tag, type, place and size of the data, place of the value and byte order of the `number`th directory."""
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return
    (position,) = struct.unpack_from(f"{order}4xI", tiff)
    for _ in range(number):
        (count,) = struct.unpack_from(f"{order}H", tiff, position)
        (position,) = struct.unpack_from(f"{order}I", tiff, position + 2 + count * _ENTRY_SIZE)
        if not position:
            return
    (count,) = struct.unpack_from(f"{order}H", tiff, position)
    for entry in range(count):
        place = position + 2 + entry * _ENTRY_SIZE
        tag, kind, amount = struct.unpack_from(f"{order}HHI", tiff, place)
        yield tag, place, _SIZES.get(kind, 1) * amount, place + 8, order


def pieces(content: bytes, *, strip: bool) -> Iterator[bytes]:
    yield _without_metadata(content) if strip else content


def _without_metadata(content: bytes) -> bytes:
    """QUIRK: everything in a TIFF is found by its place, so metadata are overwritten where they stand."""
    blank = Blanking.of(content)
    seen = 0
    for number in range(_MOST_DIRECTORIES):
        entries = list(entries_of(content, number))
        if not entries:
            break
        seen += len(entries)
        if seen > _MOST_ENTRIES:
            raise NotWhole
        for tag, place, size, value, order in entries:
            if tag not in _METADATA:
                continue
            (elsewhere,) = struct.unpack_from(f"{order}I", content, value)
            if tag in _DIRECTORIES:
                _blank_directory(blank, content, elsewhere, order)
            elif size > 4:  # noqa: PLR2004 - shorter values stand in the entry itself
                blank(elsewhere, size)
            struct.pack_into(f"{order}HII", blank.content, place + 2, 1, 1, 0)
    return bytes(blank.content)


def _blank_directory(blank: Blanking, content: bytes, position: int, order: str) -> None:
    if position + 2 > len(content):
        return
    (count,) = struct.unpack_from(f"{order}H", content, position)
    for entry in range(count):
        place = position + 2 + entry * _ENTRY_SIZE
        if place + _ENTRY_SIZE > len(content):
            break
        _, kind, amount, elsewhere = struct.unpack_from(f"{order}HHII", content, place)
        size = _SIZES.get(kind, 1) * amount
        if size > 4:  # noqa: PLR2004 - as above
            blank(elsewhere, size)
    blank(position, 2 + count * _ENTRY_SIZE)
