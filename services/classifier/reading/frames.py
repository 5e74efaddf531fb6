"""What parent and child say to each other: JSON and bytes, each with its length, so that no code can travel.

request   mode (1 byte), seconds of processor time, length of JSON, length of mail, JSON (mail_id and settings), the
          raw mail
answer    verdict (1 byte), length of JSON, how many pictures, the bytes of all of them, JSON: the mail read, or the
          traceback of our own error; then each picture: its length and its bytes

A child says READY once, unasked, when its imports are done and it is confined: by layer, what that lacks here.
"""

from __future__ import annotations

import math
import struct
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from pydantic import TypeAdapter

from services.classifier.reading.confinement import Layer
from services.classifier.reading.values import ReadingSettings, ReadMail

REQUEST_HEADER: Final = struct.Struct("!BHIQ")
ANSWER_HEADER: Final = struct.Struct("!BQIQ")
PICTURE_HEADER: Final = struct.Struct("!Q")


class Mode(IntEnum):
    """How a mail is to be read."""

    WHOLE = 1
    HEAD = 2
    """Its headers and first text."""
    BEGINNING = 3
    """Whole, as far as it goes: more of the mail was not fetched (SPEC D17)."""
    HEADERS = 4
    """Its headers alone: what is left for a mail whose beginning cannot be read in time either."""


class Verdict(IntEnum):
    """What an answer is."""

    READY = 0
    READ = 1
    EXHAUSTED = 2
    """Memory or stack ran out: the mail is to blame."""
    FAILED = 3
    """Our own error: the answer is its traceback."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is said beside the raw mail."""

    mail_id: uuid.UUID
    settings: ReadingSettings


ORDER: Final = TypeAdapter(Order)
_READ_MAIL: Final = TypeAdapter(ReadMail)
LAYERS: Final = TypeAdapter(dict[Layer, str])


def request(mode: Mode, seconds: float, order: Order, size: int) -> bytes:
    """The request up to the raw mail of `size` bytes, written after it; `seconds` of processor time are allowed."""
    said = ORDER.dump_json(order)
    return REQUEST_HEADER.pack(mode, math.ceil(seconds), len(said), size) + said


@dataclass(frozen=True, slots=True)
class Answer:
    """What a child says: a verdict, JSON or a text, and the pictures behind it."""

    verdict: int
    content: bytes
    pictures: list[bytes] = field(default_factory=list)

    @classmethod
    def of(cls, read: ReadMail) -> Answer:
        """The mail that was read."""
        pictures: list[bytes] = []
        return cls(Verdict.READ, _READ_MAIL.dump_json(read, context=pictures), pictures)

    def mail(self) -> ReadMail:
        """The mail that was read. Raises ValidationError for an answer that tells of none."""
        return _READ_MAIL.validate_json(self.content, context=self.pictures)

    @property
    def size(self) -> int:
        """Bytes of all of it."""
        return len(self.content) + sum(map(len, self.pictures))

    def pieces(self) -> Iterator[bytes]:
        """What is written, in this order; no picture is copied for it."""
        head = ANSWER_HEADER.pack(self.verdict, len(self.content), len(self.pictures), sum(map(len, self.pictures)))
        yield head + self.content
        for picture in self.pictures:
            yield PICTURE_HEADER.pack(len(picture))
            yield picture
