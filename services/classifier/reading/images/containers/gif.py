"""GIF (89a): blocks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from services.classifier.reading.images.containers.metadata import may_stay

_TRAILER, _IMAGE, _EXTENSION = 0x3B, 0x2C, 0x21
_CONTROL, _COMMENT, _TEXT, _APPLICATION = 0xF9, 0xFE, 0x01, 0xFF
_METADATA: Final = frozenset({_COMMENT, _TEXT, _APPLICATION})
_HAS_TABLE: Final = 0x80
_LOOPS: Final = frozenset({b"NETSCAPE2.0", b"ANIMEXTS1.0"})


def pieces(content: bytes, *, strip: bool) -> Iterator[bytes]:
    position = 13 + _table(content[10])
    yield content[:position]
    while position < len(content):
        if content[position] == _IMAGE:
            start = position + 10 + _table(content[position + 9]) + 1
            end = _blocks_end(content, start)
            yield content[position:end]
        elif content[position] == _EXTENSION:
            label = content[position + 1]
            end = _blocks_end(content, position + 2)
            says_how = label == _CONTROL or (label == _APPLICATION and content[position + 3 : position + 14] in _LOOPS)
            if says_how or (label in _METADATA and not strip and may_stay(content[position:end])):
                yield content[position:end]
        else:
            break  # the trailer, or what a careless encoder put in its place
        position = end
    yield bytes((_TRAILER,))


def _table(flags: int) -> int:
    """Bytes of a colour table."""
    return 3 << (flags & 7) + 1 if flags & _HAS_TABLE else 0


def _blocks_end(content: bytes, position: int) -> int:
    while position < len(content) and content[position]:
        position += content[position] + 1
    return position + 1
