"""The bytes of an image that are stored: the image alone, without what hangs on to it (SPEC D4, DESIGN 10).

A file can be an image and something else besides: an archive, a script or a document behind the image's end, or in
a comment. Nothing of that is stored: the image is put together again of the pieces that its format knows.
Real photographs have such tails too (motion photos, depth maps, previews), so a tail is cut off, not refused.
An image whose last bytes are missing gets the end that its format asks for; whether it is one, the decoder says.
Pixels are never encoded again. Metadata (positions, names, devices, texts) are left out where a helpdesk wants that;
the orientation and the colours are not metadata in this sense, and stay.

Sources: JPEG ITU T.81 annex B, Exif 2.32 4.5; PNG 3rd edition 5; GIF89a; WebP RFC 9649; BMP by its Windows headers;
TIFF 6.0; HEIF ISO/IEC 23008-12 with ISO/IEC 14496-12 8.11.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

_ACTIVE: Final = (b"<?php", b"<script", b"<html", b"<svg", b"%PDF-", b"PK\x03\x04", b"#!/", b"MZ\x90\x00")
"""Beginnings of what is run or opened as something else; a comment that holds one is never kept."""

_EXIF: Final = b"Exif\x00\x00"
_ORIENTATION: Final = 0x0112
_ORIENTATIONS: Final = range(2, 9)
"""1 is upright, and need not be said."""


class NotWhole(Exception):
    """The bytes are not put together as the format says."""


def image_alone(content: bytes, media_type: str, *, strip_metadata: bool) -> bytes:
    """The bytes of the image itself. Raises NotWhole for bytes that a lenient decoder took and this rule does not."""
    try:
        return b"".join(_PIECES[media_type](content, strip_metadata))
    except (struct.error, IndexError) as error:
        raise NotWhole from error


def _is_kept(data: bytes) -> bool:
    """Whether metadata may stay where a helpdesk keeps them."""
    lower = data.lower()
    return not any(active.lower() in lower for active in _ACTIVE)


# ── JPEG ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

_SOI, _EOI, _SOS, _COM, _APP0, _APP1, _APP2, _APP14, _APP15 = 0xD8, 0xD9, 0xDA, 0xFE, 0xE0, 0xE1, 0xE2, 0xEE, 0xEF
_RESTARTS: Final = range(0xD0, 0xD8)
_MOST_SEGMENTS: Final = 50_000
_ICC: Final = b"ICC_PROFILE\x00"


_MARKER_IN_SCAN: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
"""In coded data 0xFF is followed by 0, by a restart, or by itself (a fill byte)."""


def _jpeg(content: bytes, strip: bool) -> Iterator[bytes]:  # noqa: FBT001 - one of a table
    position = 2
    yield content[:2]
    for _ in range(_MOST_SEGMENTS):
        if position >= len(content):
            break
        if content[position] != 0xFF:  # noqa: PLR2004 - every marker begins so
            raise NotWhole
        while content[position] == 0xFF:  # noqa: PLR2004 - fill bytes may precede the marker
            position += 1
        marker = content[position]
        position += 1
        if marker == _EOI:
            break
        if marker in _RESTARTS or marker in {_SOI, 0x01}:
            continue
        (length,) = struct.unpack_from(">H", content, position)
        end = position + length
        if marker == _SOS:
            following = _MARKER_IN_SCAN.search(content, end)
            end = following.start() if following else len(content)
            yield bytes((0xFF, marker)) + content[position:end]
        elif (segment := _jpeg_segment(marker, content[position + 2 : end], strip=strip)) is not None:
            yield bytes((0xFF, marker)) + struct.pack(">H", len(segment) + 2) + segment
        position = end
    else:
        raise NotWhole
    yield b"\xff\xd9"


def _jpeg_segment(marker: int, data: bytes, *, strip: bool) -> bytes | None:
    """The segment as it is kept, None for one that is not; a directory of pictures in the tail goes with the tail."""
    is_metadata = marker == _COM or _APP0 <= marker <= _APP15
    if not is_metadata or (marker, data[:5]) == (_APP14, b"Adobe") or (marker, data[:12]) == (_APP2, _ICC):
        return data
    if (marker, data[:4]) == (_APP2, b"MPF\x00"):
        return None
    if not strip:
        return data if _is_kept(data) else None
    if (marker, data[:5]) == (_APP0, b"JFIF\x00"):
        return data[:12] + b"\x00\x00"  # without its thumbnail
    if marker == _APP1 and data.startswith(_EXIF):
        orientation = _orientation(data[len(_EXIF) :])
        return _EXIF + _tiff_of_orientation(orientation) if orientation in _ORIENTATIONS else None
    return None


def _orientation(tiff: bytes) -> int:
    """The orientation that an Exif block names; 1, upright, where it names none."""
    try:
        for tag, _, _, place, order in _tiff_entries(tiff, 0):
            if tag == _ORIENTATION:
                (value,) = struct.unpack_from(f"{order}H", tiff, place)
                return int(value)
    except struct.error:
        pass
    return 1


def _tiff_of_orientation(orientation: int) -> bytes:
    """An Exif block that says the orientation and nothing else."""
    return b"MM\x00*" + struct.pack(">IHHHIHHI", 8, 1, _ORIENTATION, 3, 1, orientation, 0, 0)


# ── PNG ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

_PNG_SIGNATURE_SIZE: Final = 8
_PNG_METADATA: Final = frozenset({b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"tIME"})
_PNG_KNOWN: Final = frozenset(
    {b"IHDR", b"PLTE", b"IDAT", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT", b"pHYs", b"bKGD",
     b"hIST", b"sPLT", b"cICP", b"mDCV", b"cLLI", b"acTL", b"fcTL", b"fdAT"}
)  # fmt: skip


_PNG_END: Final = bytes.fromhex("0000000049454e44ae426082")


def _png(content: bytes, strip: bool) -> Iterator[bytes]:  # noqa: FBT001 - one of a table
    yield content[:_PNG_SIGNATURE_SIZE]
    position = _PNG_SIGNATURE_SIZE
    while position < len(content):
        length, kind = struct.unpack_from(">I4s", content, position)
        end = position + 12 + length
        if kind == b"IEND":
            break
        if kind in _PNG_KNOWN or (kind in _PNG_METADATA and not strip and _is_kept(content[position:end])):
            yield content[position:end]
        position = end
    yield _PNG_END


# ── GIF ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

_GIF_TRAILER, _GIF_IMAGE, _GIF_EXTENSION = 0x3B, 0x2C, 0x21
_GIF_COMMENT, _GIF_TEXT, _GIF_APPLICATION = 0xFE, 0x01, 0xFF
_GIF_HAS_TABLE: Final = 0x80
_GIF_LOOPS: Final = frozenset({b"NETSCAPE2.0", b"ANIMEXTS1.0"})


def _gif(content: bytes, strip: bool) -> Iterator[bytes]:  # noqa: FBT001 - one of a table
    position = 13 + _gif_table(content[10])
    yield content[:position]
    while position < len(content):
        if content[position] == _GIF_IMAGE:
            start = position + 10 + _gif_table(content[position + 9]) + 1
            end = _gif_blocks_end(content, start)
            yield content[position:end]
        elif content[position] == _GIF_EXTENSION:
            label = content[position + 1]
            end = _gif_blocks_end(content, position + 2)
            is_metadata = label == _GIF_COMMENT or (
                label == _GIF_APPLICATION and content[position + 3 : position + 14] not in _GIF_LOOPS
            )
            if not is_metadata or (not strip and _is_kept(content[position:end])):
                yield content[position:end]
        else:
            break  # the trailer, or what a careless encoder put in its place
        position = end
    yield bytes((_GIF_TRAILER,))


def _gif_table(flags: int) -> int:
    """Bytes of a colour table."""
    return 3 << (flags & 7) + 1 if flags & _GIF_HAS_TABLE else 0


def _gif_blocks_end(content: bytes, position: int) -> int:
    while position < len(content) and content[position]:
        position += content[position] + 1
    return position + 1


# ── WebP ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

_WEBP_HEADER_SIZE: Final = 12
_WEBP_EXTENDED: Final = b"VP8X"
_WEBP_METADATA: Final = {b"EXIF": 0x08, b"XMP ": 0x04}
"""The flag in VP8X that announces each."""
_WEBP_KNOWN: Final = frozenset({_WEBP_EXTENDED, b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF", b"ICCP"})


def _webp(content: bytes, strip: bool) -> Iterator[bytes]:  # noqa: FBT001 - one of a table
    (size,) = struct.unpack_from("<I", content, 4)
    end = min(8 + size, len(content))
    chunks: dict[int, tuple[bytes, bytes]] = {}
    flags = 0
    position = _WEBP_HEADER_SIZE
    while position + 8 <= end:
        kind, length = struct.unpack_from("<4sI", content, position)
        data = content[position + 8 : position + 8 + length]
        if kind in _WEBP_METADATA:
            kept = _webp_metadata(kind, data, strip=strip)
            if kept is not None:
                chunks[position] = kind, kept
                flags |= _WEBP_METADATA[kind]
        elif kind in _WEBP_KNOWN:
            chunks[position] = kind, data
        position += 8 + length + length % 2
    yield _webp_of(chunks, flags)


def _webp_of(chunks: dict[int, tuple[bytes, bytes]], flags: int) -> bytes:
    body = b"WEBP"
    for kind, data in chunks.values():
        if kind == _WEBP_EXTENDED:
            announced = data[0] & ~sum(_WEBP_METADATA.values()) | flags
            body += kind + struct.pack("<I", len(data)) + bytes((announced,)) + data[1:] + bytes(len(data) % 2)
        else:
            body += kind + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _webp_metadata(kind: bytes, data: bytes, *, strip: bool) -> bytes | None:
    if not strip:
        return data if _is_kept(data) else None
    if kind != b"EXIF":
        return None
    orientation = _orientation(data.removeprefix(_EXIF))
    return _tiff_of_orientation(orientation) if orientation in _ORIENTATIONS else None


# ── BMP ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

_BMP_UNCOMPRESSED: Final = frozenset({0, 3, 6})


def _bmp(content: bytes, strip: bool) -> Iterator[bytes]:  # noqa: ARG001, FBT001 - one of a table; it has no metadata
    begin, header_size = struct.unpack_from("<10xII", content)
    if header_size < 40:  # noqa: PLR2004 - the header of OS/2 1.x has no sizes of data
        width, height, _, bits = struct.unpack_from("<18xHHHH", content)
        size = (width * bits + 31) // 32 * 4 * height
    else:
        width, height, _, bits, compression, size = struct.unpack_from("<18xiiHHII", content)
        if compression in _BMP_UNCOMPRESSED:
            size = (abs(width) * bits + 31) // 32 * 4 * abs(height)
    yield content[: begin + size] if size else content


# ── TIFF ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

_TIFF_SIZES: Final = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_TIFF_METADATA: Final = frozenset(
    {0x010D, 0x010E, 0x010F, 0x0110, 0x0131, 0x0132, 0x013B, 0x013C, 0x02BC, 0x8298, 0x83BB, 0x8649, 0x8769, 0x8825,
     0x9286, 0xA005, 0xC4A5, *range(0x9C9B, 0x9CA0)}
)  # fmt: skip
"""Names, texts, times, devices, XMP, IPTC, Photoshop, Exif and positions."""
_TIFF_DIRECTORIES: Final = frozenset({0x8769, 0x8825, 0xA005})
_MOST_DIRECTORIES: Final = 1_000
_MOST_ENTRIES: Final = 50_000
_ENTRY_SIZE: Final = 12


def _tiff_entries(tiff: bytes, number: int) -> Iterator[tuple[int, int, int, int, str]]:
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
        yield tag, place, _TIFF_SIZES.get(kind, 1) * amount, place + 8, order


@dataclass(slots=True)
class _Blanking:
    """Bytes that are overwritten in place; not more of them than a file may sensibly ask for."""

    content: bytearray
    left: int

    def __call__(self, position: int, size: int) -> None:
        end = min(position + size, len(self.content))
        if position >= end:
            return
        self.left -= end - position + _ENTRY_SIZE
        if self.left < 0:
            raise NotWhole
        self.content[position:end] = bytes(end - position)


def _blanking(content: bytes) -> _Blanking:
    return _Blanking(bytearray(content), 2 * len(content))


def _tiff(content: bytes, strip: bool) -> Iterator[bytes]:  # noqa: FBT001 - one of a table
    yield _without_tiff_metadata(content) if strip else content


def _without_tiff_metadata(content: bytes) -> bytes:
    """QUIRK: everything in a TIFF is found by its place, so metadata are overwritten where they stand."""
    blank = _blanking(content)
    seen = 0
    for number in range(_MOST_DIRECTORIES):
        entries = list(_tiff_entries(content, number))
        if not entries:
            break
        seen += len(entries)
        if seen > _MOST_ENTRIES:
            raise NotWhole
        for tag, place, size, value, order in entries:
            if tag not in _TIFF_METADATA:
                continue
            (elsewhere,) = struct.unpack_from(f"{order}I", content, value)
            if tag in _TIFF_DIRECTORIES:
                _blank_directory(blank, content, elsewhere, order)
            elif size > 4:  # noqa: PLR2004 - shorter values stand in the entry itself
                blank(elsewhere, size)
            struct.pack_into(f"{order}HII", blank.content, place + 2, 1, 1, 0)
    return bytes(blank.content)


def _blank_directory(blank: _Blanking, content: bytes, position: int, order: str) -> None:
    if position + 2 > len(content):
        return
    (count,) = struct.unpack_from(f"{order}H", content, position)
    for entry in range(count):
        place = position + 2 + entry * _ENTRY_SIZE
        if place + _ENTRY_SIZE > len(content):
            break
        _, kind, amount, elsewhere = struct.unpack_from(f"{order}HHII", content, place)
        size = _TIFF_SIZES.get(kind, 1) * amount
        if size > 4:  # noqa: PLR2004 - as above
            blank(elsewhere, size)
    blank(position, 2 + count * _ENTRY_SIZE)


# ── HEIF ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

_HEIF_BOXES: Final = frozenset({b"ftyp", b"meta", b"mdat", b"moov", b"free", b"skip", b"idat", b"uuid", b"mpvd"})
_METADATA_ITEMS: Final = frozenset({b"Exif", b"mime", b"uri "})


def _heif(content: bytes, strip: bool) -> Iterator[bytes]:  # noqa: FBT001 - one of a table
    """QUIRK: pixels are found by their place in the file, so metadata are overwritten where they stand."""
    end = 0
    blank = _blanking(content)
    for kind, start, box_end in _boxes(content, 0, len(content)):
        if kind not in _HEIF_BOXES:
            break
        end = box_end
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

    left = _MOST_ENTRIES
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


_PIECES: Final[Mapping[str, Callable[[bytes, bool], Iterator[bytes]]]] = {
    "image/jpeg": _jpeg,
    "image/png": _png,
    "image/gif": _gif,
    "image/webp": _webp,
    "image/bmp": _bmp,
    "image/tiff": _tiff,
    "image/heic": _heif,
}
