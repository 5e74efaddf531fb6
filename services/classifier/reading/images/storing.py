"""What is stored of an image: its bytes alone, without what hangs on to them (SPEC D4, DESIGN 10), under a safe name.

A file can be an image and something else besides: an archive, a script or a document behind the image's end, or in
a comment. Nothing of that is stored: the image is put together again of the pieces that its format knows.
Real photographs have such tails too (motion photos, depth maps, previews), so a tail is cut off, not refused.
Where it cannot be, although a decoder shows it, a copy made of its pixels is stored in its place (`renditions`).
An image whose last bytes are missing gets the end that its format asks for; whether it is one, the decoder says.
Pixels are never encoded again. Metadata (positions, names, devices, texts) are left out where a helpdesk wants that;
the orientation and the colours are not metadata in this sense, and stay.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, replace
from typing import Final

from services.classifier.reading.conclusions import Copies
from services.classifier.reading.images.containers.errors import NotWhole
from services.classifier.reading.images.decoders import Undecodable
from services.classifier.reading.images.decoding import DecodedImage, NotStored, decode_image
from services.classifier.reading.images.formats import FORMATS, ImageFormat, format_named
from services.classifier.reading.images.renditions import copies_of
from services.classifier.reading.limits import Limits

_EXTENSIONS: Final = tuple(extension for row in FORMATS for extension in row.extensions)
_UNSAFE: Final = re.compile(r'[<>:"/\\|?*]')
_RESERVED: Final = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class StoredImage:
    """An image as it is stored."""

    decoded: DecodedImage
    content: bytes
    copies: Copies | None
    is_copy: bool = False
    """A copy of the pixels stands in for the file, in another format than its name says."""


def image_alone(content: bytes, image_format: ImageFormat, *, strip_metadata: bool) -> bytes:
    """The bytes of the image itself. Raises NotWhole for bytes that a lenient decoder took and this rule does not."""
    try:
        alone = b"".join(image_format.pieces(content, strip=strip_metadata))
    except (struct.error, IndexError) as error:
        raise NotWhole from error
    return content if alone == content else alone  # most are nothing else: no second copy of them is kept


def stored_image(
    content: bytes, limits: Limits, *, pixels_left: int, strip_metadata: bool, make_copies: bool
) -> StoredImage | NotStored:
    """What is stored of a file, or why nothing is. `pixels_left` may be spent on its frames."""
    decoded = decode_image(content, limits, pixels_left=pixels_left)
    if isinstance(decoded, NotStored):
        return decoded
    try:
        try:
            alone = image_alone(content, decoded.format, strip_metadata=strip_metadata)
        except NotWhole:
            return _copy_alone(content, decoded)
        needs_copies = make_copies and not decoded.format.is_shown_by_browsers
        return StoredImage(decoded, alone, copies_of(alone, decoded.format) if needs_copies else None)
    except MemoryError:
        return NotStored.TOO_MANY_PIXELS
    except Undecodable:
        return NotStored.DAMAGED


def _copy_alone(content: bytes, decoded: DecodedImage) -> StoredImage:
    """The copy that stands in for an image which its decoder shows, but which is not built as its format says."""
    copy = copies_of(content, decoded.format).rendition
    shown = replace(decoded, format=format_named(copy.media_type), width=copy.width, height=copy.height, frames=1)
    return StoredImage(shown, copy.content, None, is_copy=True)


def stored_name(name: str, image_format: ImageFormat, number: int, *, is_copy: bool = False) -> str:
    """The name under which an image is stored: with an image's extension, so that nothing opens it as anything else.

    A copy in another format than its file's gets the extension of its own.

    And such that every system takes it as a name: Windows knows characters and names that mean something else to it.
    """
    extension = image_format.extensions[0]
    name = _UNSAFE.sub("_", name).strip(" .")
    if not name:
        return f"afbeelding-{number}{extension}"
    if _RESERVED.fullmatch(name):
        name = f"_{name}"
    fitting = image_format.extensions if is_copy else _EXTENSIONS
    return name if name.lower().endswith(fitting) else f"{name}{extension}"
