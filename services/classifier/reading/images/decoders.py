"""The libraries that decode images, asked in one place: what they raise on damaged bytes has one name here.

Only their own work is in `asked`, so that an error of ours is never taken for a damaged image.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Final, TypeVar

import pi_heif  # type: ignore[import-untyped]  # its wheels carry no types
from PIL import Image as Pillow
from PIL import MpoImagePlugin, TiffImagePlugin, WebPImagePlugin

from services.classifier.reading.images.formats import ImageFormat
from services.classifier.reading.limits import DEFAULT_LIMITS

# Pillow loads all its forty formats when it first meets one that is not loaded
Pillow.preinit()
LOADED: Final = (MpoImagePlugin, TiffImagePlugin, WebPImagePlugin)
"""Beside BMP, GIF, JPEG and PNG."""
pi_heif.register_heif_opener()
# A later frame may be larger than what the header says, and a few bytes of it take gigabytes: Pillow looks at each
# before it makes room, and refuses what has more than twice as many.
Pillow.MAX_IMAGE_PIXELS = DEFAULT_LIMITS.image_pixels // 2

_Answer = TypeVar("_Answer")


class Undecodable(Exception):
    """The decoder refuses the bytes: they are damaged."""


def opened(content: bytes, image_format: ImageFormat) -> Pillow.Image:
    """The image, its header read by the format's own decoder. Raises Undecodable."""
    return asked(lambda: Pillow.open(io.BytesIO(content), formats=(image_format.decoder,)))


def asked(library: Callable[[], _Answer]) -> _Answer:
    """What the library answers. Raises MemoryError for what has no room, Undecodable for whatever else it raises."""
    try:
        return library()
    except MemoryError:
        raise
    except Pillow.DecompressionBombError as error:
        raise MemoryError from error
    except Exception as error:  # on damaged bytes decoders raise anything; each means the same here
        raise Undecodable from error


def has_frame(image: Pillow.Image, number: int) -> bool:
    """Whether the image has this frame (0 is the first), which is then the current one. Raises Undecodable."""

    def sought() -> bool:
        try:
            image.seek(number)
        except EOFError:
            return False
        return True

    return asked(sought)
