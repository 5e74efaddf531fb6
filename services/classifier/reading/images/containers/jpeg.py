"""JPEG (ITU T.81 annex B): segments, and coded data behind each start of a scan."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import Final

from services.classifier.reading.images.containers import exif
from services.classifier.reading.images.containers.errors import NotWhole
from services.classifier.reading.images.containers.metadata import may_stay

_SOI, _EOI, _SOS, _COM, _APP0, _APP1, _APP2, _APP14, _APP15 = 0xD8, 0xD9, 0xDA, 0xFE, 0xE0, 0xE1, 0xE2, 0xEE, 0xEF
_RESTARTS: Final = range(0xD0, 0xD8)
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SEQUENTIAL: Final = frozenset({0xC0, 0xC1})
"""Frames in Huffman codes, of which each scan holds all that its components are."""
_MOST_SEGMENTS: Final = 50_000
_END: Final = bytes((0xFF, _EOI))
_MORE_PICTURES: Final = b"MPF\x00"
_ICC: Final = b"ICC_PROFILE\x00"


_MARKER_IN_SCAN: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
"""In coded data 0xFF is followed by 0, by a restart, or by itself (a fill byte)."""


def pieces(content: bytes, *, strip: bool) -> Iterator[bytes]:
    yield content[:2]
    for marker, position, end in _segments(content):
        if marker == _SOS:
            yield bytes((0xFF, marker)) + content[position:end]
        elif (segment := _segment(marker, content[position + 2 : end], strip=strip)) is not None:
            yield bytes((0xFF, marker)) + struct.pack(">H", len(segment) + 2) + segment
    yield _END


def to_draw(content: bytes) -> bytes:
    """A file whose one scan nothing but the end follows without what stands in the scan; all of any other file.

    Whatever codes stand in such a scan, libjpeg draws them, with a warning at most: it refuses headers alone.
    """
    components = None
    try:
        for marker, position, end in _segments(content):
            if marker in _FRAMES:
                components = content[position + 7] if marker in _SEQUENTIAL else None
            elif (marker, content[position + 2 : position + 6]) == (_APP2, _MORE_PICTURES):
                return content
            elif marker == _SOS:
                (length,) = struct.unpack_from(">H", content, position)
                is_only = content[position + 2] == components and content[end : end + 2] == _END
                return content[: position + length] + _END if is_only else content
    except (NotWhole, struct.error, IndexError):
        pass
    return content


def _segments(content: bytes) -> Iterator[tuple[int, int, int]]:
    """Each segment's marker, where its length stands, and where it ends, behind what is coded in a scan.

    Raises NotWhole, struct.error, IndexError.
    """
    position = 2
    for _ in range(_MOST_SEGMENTS):
        if position >= len(content):
            return
        if content[position] != 0xFF:  # noqa: PLR2004 - every marker begins so
            raise NotWhole
        while content[position] == 0xFF:  # noqa: PLR2004 - fill bytes may precede the marker
            position += 1
        marker = content[position]
        position += 1
        if marker == _EOI:
            return
        if marker in _RESTARTS or marker in {_SOI, 0x01}:
            continue
        (length,) = struct.unpack_from(">H", content, position)
        end = position + length
        if marker == _SOS:
            following = _MARKER_IN_SCAN.search(content, end)
            end = following.start() if following else len(content)
        yield marker, position, end
        position = end
    raise NotWhole


def _segment(marker: int, data: bytes, *, strip: bool) -> bytes | None:
    """The segment as it is kept, None for one that is not; a directory of pictures in the tail goes with the tail."""
    is_metadata = marker == _COM or _APP0 <= marker <= _APP15
    if not is_metadata or (marker, data[:5]) == (_APP14, b"Adobe") or (marker, data[:12]) == (_APP2, _ICC):
        return data
    if (marker, data[:4]) == (_APP2, _MORE_PICTURES):
        return None
    if not strip:
        return data if may_stay(data) else None
    if (marker, data[:5]) == (_APP0, b"JFIF\x00"):
        return data[:12] + b"\x00\x00"  # without its thumbnail
    if marker == _APP1 and data.startswith(exif.HEADER):
        orientation = exif.orientation_alone(data[len(exif.HEADER) :])
        return exif.HEADER + orientation if orientation is not None else None
    return None
