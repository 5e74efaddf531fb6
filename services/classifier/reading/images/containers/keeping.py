"""Keeping bytes in place: for formats in which everything is found by its place in the file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from services.classifier.reading.images.containers.errors import NotWhole

_EACH_TIME: Final = 12
"""Bytes that keeping costs at least, so that a file cannot ask for it without end."""
_TIMES_ITS_SIZE: Final = 4
_AT_LEAST: Final = 64 * 1024


@dataclass(slots=True)
class Keeping:
    """A file of zeros as long as another, in which the bytes that belong to its image come to their own places."""

    source: bytes
    kept: bytearray
    end: int
    left: int

    @classmethod
    def of(cls, source: bytes) -> Keeping:
        """Nothing of `source` yet; some times its size may be kept, since parts of it may be named twice."""
        return cls(source, bytearray(len(source)), 0, _TIMES_ITS_SIZE * len(source) + _AT_LEAST)

    def keep(self, position: int, size: int) -> None:
        """Keep `size` bytes, as far as there are any. Raises NotWhole when it becomes too much."""
        self.put(position, self.source[position : position + size])

    def put(self, position: int, content: bytes) -> None:
        """Put `content` in place of as many bytes of the source. Raises NotWhole when it becomes too much."""
        self.spend(len(content))
        if not content:
            return
        end = position + len(content)
        self.kept[position:end] = content
        self.end = max(self.end, end)

    def spend(self, size: int) -> None:
        """Count `size` bytes that are looked at. Raises NotWhole when it becomes too much."""
        self.left -= size + _EACH_TIME
        if self.left < 0:
            raise NotWhole

    def whole(self) -> bytes:
        """The file, up to the last byte that was kept."""
        return bytes(self.kept[: self.end])
