"""What is stored of an image: its bytes alone, without what hangs on to them (SPEC D4, DESIGN 10), under a safe name.

A file can be an image and something else besides: an archive, a script or a document behind the image's end, or in
a comment. Nothing of that is stored: the image is put together again of the pieces that its format knows.
Real photographs have such tails too (motion photos, depth maps, previews), so a tail is cut off, not refused.
An image whose last bytes are missing gets the end that its format asks for; whether it is one, the decoder says.
Pixels are never encoded again. Metadata (positions, names, devices, texts) are left out where a helpdesk wants that;
the orientation and the colours are not metadata in this sense, and stay.
"""

from __future__ import annotations

import re
import struct
from typing import Final

from services.classifier.reading.images.containers.errors import NotWhole
from services.classifier.reading.images.formats import FORMATS, ImageFormat

_EXTENSIONS: Final = tuple(extension for row in FORMATS for extension in row.extensions)
_UNSAFE: Final = re.compile(r'[<>:"/\\|?*]')
_RESERVED: Final = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)


def image_alone(content: bytes, image_format: ImageFormat, *, strip_metadata: bool) -> bytes:
    """The bytes of the image itself. Raises NotWhole for bytes that a lenient decoder took and this rule does not."""
    try:
        return b"".join(image_format.pieces(content, strip=strip_metadata))
    except (struct.error, IndexError) as error:
        raise NotWhole from error


def stored_name(name: str, image_format: ImageFormat, number: int) -> str:
    """The name under which an image is stored: with an image's extension, so that nothing opens it as anything else.

    And such that every system takes it as a name: Windows knows characters and names that mean something else to it.
    """
    extension = image_format.extensions[0]
    name = _UNSAFE.sub("_", name).strip(" .")
    if not name:
        return f"afbeelding-{number}{extension}"
    if _RESERVED.fullmatch(name):
        name = f"_{name}"
    return name if name.lower().endswith(_EXTENSIONS) else f"{name}{extension}"
