"""Copies of images that browsers do not show, for those who look at a ticket (SPEC D4).

A copy of the first picture in the file, upright, as JPEG, or as PNG where it is transparent or of few colours (scans);
and a thumbnail. They are made of the pixels alone, so they carry no metadata, and their sides are bounded.
"""

from __future__ import annotations

import io
from typing import Final

from PIL import Image as Pillow
from PIL import ImageOps

from services.classifier.reading.conclusions import Copies, Copy
from services.classifier.reading.images.decoders import asked, opened
from services.classifier.reading.images.formats import ImageFormat

_LONGEST_SIDE: Final = 4_096
_THUMBNAIL_SIDE: Final = 320
_JPEG_QUALITY: Final = 88
_FEW_COLOURS: Final = frozenset({"1", "L", "P", "LA", "PA"})


def copies_of(content: bytes, image_format: ImageFormat) -> Copies:
    """The copies of an image that was decoded before within limits. Raises Undecodable on damaged bytes."""
    with opened(content, image_format) as image:
        asked(image.load)
        upright = _shown(asked(lambda: ImageOps.exif_transpose(image)))
        rendition = _bounded(upright, _LONGEST_SIDE)
        return Copies(_encoded(rendition), _encoded(_bounded(rendition, _THUMBNAIL_SIDE)))


def _shown(image: Pillow.Image) -> Pillow.Image:
    """Pixels of a kind that PNG and JPEG both know, or transparent ones, which PNG does."""
    if image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info:
        return image.convert("RGBA")
    if image.mode in _FEW_COLOURS:
        return image.convert("RGB") if image.mode == "P" else image
    if image.mode.startswith(("I", "F")):
        # 16 bits a point: the lightest becomes white
        return image.convert("F").point(lambda value: value * (1 / 257)).convert("L")
    return image.convert("RGB")


def _bounded(image: Pillow.Image, longest_side: int) -> Pillow.Image:
    if max(image.size) <= longest_side:
        return image
    bounded = image.convert("L") if image.mode == "1" else image.copy()
    bounded.thumbnail((longest_side, longest_side), Pillow.Resampling.LANCZOS)
    return bounded


def _encoded(image: Pillow.Image) -> Copy:
    file = io.BytesIO()
    if image.mode == "RGB":
        image.save(file, "JPEG", quality=_JPEG_QUALITY, exif=b"", icc_profile=None)
        return Copy(file.getvalue(), "image/jpeg", *image.size)
    image.save(file, "PNG", icc_profile=None)
    return Copy(file.getvalue(), "image/png", *image.size)
