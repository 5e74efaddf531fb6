"""The formats of images that are stored (SPEC D4): one row each, of which everything else derives.

A new format is a row here, its `pieces` in `containers/`, a sample in the tests, and its media type in the constraint
of `attachments.media_type` (a migration). Every field must be given: a row that lacks one does not start.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from services.classifier.reading.images.containers import bmp, gif, heif, jpeg, png, tiff, webp


class Pieces(Protocol):
    """How a file is put together again of the pieces that its format knows, without what hangs on to it."""

    def __call__(self, content: bytes, *, strip: bool) -> Iterator[bytes]:
        """The pieces of a file, without metadata where `strip` says so. Raises NotWhole, struct.error, IndexError."""
        ...


class ToDraw(Protocol):
    """As much of a file as its decoder must draw for its verdict on the whole: a picture, or damaged."""

    def __call__(self, content: bytes) -> bytes | None:
        """`content` itself where nothing less tells; None where its header, which the decoder took, is enough."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFormat:
    """Everything that the importer knows of a format."""

    media_type: str
    extensions: tuple[str, ...]
    """Endings that a stored name may have; the first is given to a name without any."""
    begins: re.Pattern[bytes]
    """The first bytes of a file: by these alone a decoder is chosen, which then says whether it is one."""
    decoder: str
    """Pillow's name of it."""
    has_frames: bool
    """Whether a file may hold several pictures, each of which costs pixels. Of others the first is the image."""
    is_shown_by_browsers: bool
    """Copies that browsers show stand beside an image that they do not (HEIC: all but Safari)."""
    pieces: Pieces
    to_draw: ToDraw


def _all(content: bytes) -> bytes:
    return content


FORMATS: Final = (
    ImageFormat(
        media_type="image/png",
        extensions=(".png", ".apng"),
        begins=re.compile(rb"\x89PNG\r\n\x1a\n"),
        decoder="PNG",
        has_frames=True,
        is_shown_by_browsers=True,
        pieces=png.pieces,
        to_draw=png.to_draw,
    ),
    ImageFormat(
        media_type="image/jpeg",
        extensions=(".jpg", ".jpeg", ".jpe", ".jfif"),
        begins=re.compile(rb"\xff\xd8\xff"),
        decoder="JPEG",
        has_frames=False,
        is_shown_by_browsers=True,
        pieces=jpeg.pieces,
        to_draw=jpeg.to_draw,
    ),
    ImageFormat(
        media_type="image/gif",
        extensions=(".gif",),
        begins=re.compile(rb"GIF8[79]a"),
        decoder="GIF",
        has_frames=True,
        is_shown_by_browsers=True,
        pieces=gif.pieces,
        to_draw=_all,
    ),
    ImageFormat(
        media_type="image/webp",
        extensions=(".webp",),
        begins=re.compile(rb"RIFF.{4}WEBP", re.DOTALL),
        decoder="WEBP",
        has_frames=True,
        is_shown_by_browsers=True,
        pieces=webp.pieces,
        to_draw=_all,
    ),
    ImageFormat(
        media_type="image/bmp",
        extensions=(".bmp", ".dib"),
        begins=re.compile(rb"BM"),
        decoder="BMP",
        has_frames=False,
        is_shown_by_browsers=True,
        pieces=bmp.pieces,
        to_draw=_all,
    ),
    ImageFormat(
        media_type="image/tiff",
        extensions=(".tif", ".tiff"),
        begins=re.compile(rb"II\*\x00|MM\x00\*"),
        decoder="TIFF",
        has_frames=True,
        is_shown_by_browsers=False,
        pieces=tiff.pieces,
        to_draw=_all,
    ),
    ImageFormat(
        media_type="image/heic",
        extensions=(".heic", ".heif"),
        begins=re.compile(rb".{4}ftyp(?:hei[cxms]|hev[cx]|mif1|msf1)", re.DOTALL),
        decoder="HEIF",
        has_frames=False,
        is_shown_by_browsers=False,
        pieces=heif.pieces,
        to_draw=_all,
    ),
)

_BY_MEDIA_TYPE: Final = {row.media_type: row for row in FORMATS}


def format_named(media_type: str) -> ImageFormat:
    """The format with this media type. Raises KeyError."""
    return _BY_MEDIA_TYPE[media_type]


def format_of(content: bytes) -> ImageFormat | None:
    """The format that a file's first bytes say it has; None where they say none of these."""
    return next((row for row in FORMATS if row.begins.match(content)), None)
