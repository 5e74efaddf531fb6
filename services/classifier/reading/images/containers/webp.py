"""WebP (RFC 9649): chunks of a RIFF file."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from services.classifier.reading.images.containers import exif
from services.classifier.reading.images.containers.metadata import may_stay

_HEADER_SIZE: Final = 12
_EXTENDED: Final = b"VP8X"
_METADATA: Final = {b"EXIF": 0x08, b"XMP ": 0x04}
"""The flag in VP8X that announces each."""
_KNOWN: Final = frozenset({_EXTENDED, b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF", b"ICCP"})


def pieces(content: bytes, *, strip: bool) -> Iterator[bytes]:
    (size,) = struct.unpack_from("<I", content, 4)
    end = min(8 + size, len(content))
    chunks: dict[int, tuple[bytes, bytes]] = {}
    flags = 0
    position = _HEADER_SIZE
    while position + 8 <= end:
        kind, length = struct.unpack_from("<4sI", content, position)
        data = content[position + 8 : position + 8 + length]
        if kind in _METADATA:
            kept = _metadata(kind, data, strip=strip)
            if kept is not None:
                chunks[position] = kind, kept
                flags |= _METADATA[kind]
        elif kind in _KNOWN:
            chunks[position] = kind, data
        position += 8 + length + length % 2
    yield _of(chunks, flags)


def _of(chunks: dict[int, tuple[bytes, bytes]], flags: int) -> bytes:
    body = b"WEBP"
    for kind, data in chunks.values():
        if kind == _EXTENDED:
            announced = data[0] & ~sum(_METADATA.values()) | flags
            body += kind + struct.pack("<I", len(data)) + bytes((announced,)) + data[1:] + bytes(len(data) % 2)
        else:
            body += kind + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _metadata(kind: bytes, data: bytes, *, strip: bool) -> bytes | None:
    if not strip:
        return data if may_stay(data) else None
    if kind != b"EXIF":
        return None
    return exif.orientation_alone(data.removeprefix(exif.HEADER))
