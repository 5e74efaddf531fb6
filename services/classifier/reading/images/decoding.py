"""Images, known by decoding (SPEC W4, D4), whatever the mail calls them; everything else is named and left out.

The first bytes tell the format, the decoder confirms it; size, pixels and frames are bounded before they cost memory.
SVG is a document that can hold scripts: never an image here.
"""

from __future__ import annotations

import io
import re
import warnings
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from typing import Final

import pi_heif  # type: ignore[import-untyped]  # its wheels carry no types
from PIL import Image as Pillow

from services.classifier.reading.limits import Limits

pi_heif.register_heif_opener()
Pillow.MAX_IMAGE_PIXELS = None  # Limits.image_pixels decides, before anything is decoded

_MEDIA_TYPES: Final = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",
    "GIF": "image/gif",
    "WEBP": "image/webp",
    "BMP": "image/bmp",
    "TIFF": "image/tiff",
    "HEIF": "image/heic",
}
_EXTENSIONS: Final = {
    "image/png": (".png", ".apng"),
    "image/jpeg": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "image/gif": (".gif",),
    "image/webp": (".webp",),
    "image/bmp": (".bmp", ".dib"),
    "image/tiff": (".tif", ".tiff"),
    "image/heic": (".heic", ".heif"),
}
_POINT: Final = 2
_MOST_UNSEEN: Final = 400_000
"""Pixels up to which transparency is looked at."""
_ANIMATED: Final = frozenset({"image/png", "image/gif", "image/webp", "image/tiff"})
_HEIC_BRANDS: Final = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
_UNSAFE: Final = re.compile(r'[<>:"/\\|?*]')
_RESERVED: Final = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)
_SVG: Final = re.compile(rb"<(?:\w{1,20}:)?svg[\s/>]|<!DOCTYPE\s+svg", re.IGNORECASE)


class NotStored(StrEnum):
    """Why a part is not stored, in the words that the ticket's history shows («Bijlagen niet opgeslagen»)."""

    NO_IMAGE = "geen afbeelding"
    SVG = "SVG wordt om veiligheidsredenen niet opgeslagen"
    DAMAGED = "de afbeelding is beschadigd"
    TOO_MANY_BYTES = "de afbeelding is te groot"
    TOO_MANY_PIXELS = "de afbeelding heeft te veel beeldpunten"
    TOO_MANY_FRAMES = "de afbeelding heeft te veel beelden"
    TOO_MANY_IMAGES = "de mail heeft te veel afbeeldingen"
    ATTACHED_MESSAGE = "een bijgevoegd bericht wordt niet opgeslagen"
    WINMAIL = "de inhoud van winmail.dat wordt niet opgeslagen"
    CALENDAR = "een agenda-item wordt niet opgeslagen"
    SIGNATURE = "een digitale handtekening wordt niet opgeslagen"
    ENCRYPTED = "versleutelde inhoud is niet leesbaar"
    ELSEWHERE = "het bestand staat elders en wordt nooit opgehaald"
    PARTIAL = "een deel van een opgeknipt bericht is niet leesbaar"
    UNREADABLE = "de mail was niet helemaal leesbaar"
    EMPTY = "het bestand is leeg"


@dataclass(frozen=True, slots=True)
class DecodedImage:
    """What decoding tells: the media type found, width and height in pixels, and how many frames there are."""

    media_type: str
    width: int
    height: int
    frames: int = 1
    is_unseen: bool = False
    """Nobody sees it: a point, a line of one point, or transparent all over, as mails carry to be followed."""


def decode_image(content: bytes, limits: Limits, *, pixels_left: int) -> DecodedImage | NotStored:
    """The image that these bytes are, or why they are none to store. `pixels_left` may be spent on its frames."""
    if not content:
        return NotStored.EMPTY
    found = _format(content)
    if found is None:
        return NotStored.SVG if _SVG.search(content[:4096]) else NotStored.NO_IMAGE
    if len(content) > limits.image_bytes:
        return NotStored.TOO_MANY_BYTES
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _decoded(content, found, limits, pixels_left)
    except MemoryError:
        return NotStored.TOO_MANY_PIXELS
    except Exception:  # noqa: BLE001 - decoders raise anything on damaged bytes; each means the same here
        return NotStored.DAMAGED


def stored_name(name: str, media_type: str, number: int) -> str:
    """The name under which an image is stored: with an image's extension, so that nothing opens it as anything else.

    And such that every system takes it as a name: Windows knows characters and names that mean something else to it.
    """
    extension = _EXTENSIONS[media_type][0]
    name = _UNSAFE.sub("_", name).strip(" .")
    if not name:
        return f"afbeelding-{number}{extension}"
    if _RESERVED.fullmatch(name):
        name = f"_{name}"
    is_image_name = name.lower().endswith(tuple(chain.from_iterable(_EXTENSIONS.values())))
    return name if is_image_name else f"{name}{extension}"


def _decoded(content: bytes, found: str, limits: Limits, pixels_left: int) -> DecodedImage | NotStored:
    with Pillow.open(io.BytesIO(content), formats=(found,)) as image:
        media_type = _MEDIA_TYPES[image.format or found]
        width, height = image.size
        if width < 1 or height < 1:
            return NotStored.DAMAGED
        if width * height > min(limits.image_pixels, pixels_left):
            return NotStored.TOO_MANY_PIXELS
        if media_type == "image/jpeg":
            image.draft(image.mode, (max(1, width // 8), max(1, height // 8)))  # reads all of it, keeps little
        image.load()
        frames = 1
        while media_type in _ANIMATED:
            try:
                image.seek(frames)
            except EOFError:
                break
            frames += 1
            if frames > limits.image_frames or frames * width * height > pixels_left:
                return NotStored.TOO_MANY_FRAMES
        return DecodedImage(media_type, width, height, frames, is_unseen=_is_unseen(image, (width, height), frames))


def _is_unseen(image: Pillow.Image, size: tuple[int, int], frames: int) -> bool:
    """QUIRK: spacers stand in mails beside followers' points; what cannot be seen is neither shown nor missed."""
    width, height = size
    if max(size) <= _POINT or min(size) == 1:
        return True
    if frames > 1 or width * height > _MOST_UNSEEN:
        return False
    has_alpha = image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info
    return has_alpha and image.convert("RGBA").getchannel("A").getextrema() == (0, 0)


def _format(content: bytes) -> str | None:
    """The format by the first bytes: only these decoders are ever asked."""
    start = content[:12]
    for magic, found in (
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        (b"\xff\xd8\xff", "JPEG"),
        (b"GIF87a", "GIF"),
        (b"GIF89a", "GIF"),
        (b"BM", "BMP"),
        (b"II*\x00", "TIFF"),
        (b"MM\x00*", "TIFF"),
    ):
        if start.startswith(magic):
            return found
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "WEBP"
    if start[4:8] == b"ftyp" and start[8:12] in _HEIC_BRANDS:
        return "HEIF"
    return None
