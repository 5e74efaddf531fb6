"""Overwriting bytes in place: for formats in which everything is found by its place in the file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from services.classifier.reading.images.containers.errors import NotWhole

_EACH_TIME: Final = 12
"""Bytes that overwriting costs at least, so that a file cannot ask for it without end."""


@dataclass(slots=True)
class Blanking:
    """Bytes that are overwritten in place; not more of them than a file may sensibly ask for."""

    content: bytearray
    left: int

    @classmethod
    def of(cls, content: bytes) -> Blanking:
        """A copy of `content`, of which twice its size may be overwritten."""
        return cls(bytearray(content), 2 * len(content))

    def __call__(self, position: int, size: int) -> None:
        """Overwrite `size` bytes with zeros. Raises NotWhole when it becomes too much."""
        end = min(position + size, len(self.content))
        if position >= end:
            return
        self.left -= end - position + _EACH_TIME
        if self.left < 0:
            raise NotWhole
        self.content[position:end] = bytes(end - position)
