"""Images, known by decoding (SPEC W4, D4), whatever the mail calls them; everything else is named and left out.

The first bytes tell the format, the decoder confirms it; size, pixels and frames are bounded before they cost memory.
SVG is a document that can hold scripts: never an image here.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from PIL import Image as Pillow

from services.classifier.reading.images.decoders import Undecodable, asked, has_frame, opened
from services.classifier.reading.images.formats import ImageFormat, format_of
from services.classifier.reading.limits import Limits
from shared.portal import left_out

_POINT: Final = 2
_MOST_UNSEEN: Final = 400_000
"""Pixels up to which transparency is looked at."""
_SVG: Final = re.compile(rb"<(?:\w{1,20}:)?svg[\s/>]|<!DOCTYPE\s+svg", re.IGNORECASE)


class NotStored(StrEnum):
    """Why a part is not stored, in the words that the ticket's history shows («Bijlagen niet opgeslagen»)."""

    NO_IMAGE = "geen afbeelding"
    SVG = "SVG wordt om veiligheidsredenen niet opgeslagen"
    DAMAGED = "de afbeelding is beschadigd"
    TOO_MANY_BYTES = "de afbeelding is te groot"
    MAIL_TOO_LARGE = left_out.MAIL_TOO_LARGE
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
    OUR_ERROR = "de afbeelding is door een fout van de importer niet opgeslagen"


@dataclass(frozen=True, slots=True)
class DecodedImage:
    """What decoding says: the format, width and height in pixels, and how many frames there are."""

    format: ImageFormat
    width: int
    height: int
    frames: int = 1
    larger_frames: int = 0
    """Pixels by which later frames are larger than the first."""
    is_unseen: bool = False
    """Nobody sees it: a point, a line of one point, or transparent all over, as mails carry to be followed."""

    @property
    def pixels(self) -> int:
        """Of all its frames."""
        return self.width * self.height * self.frames + self.larger_frames


def decode_image(content: bytes, limits: Limits, *, pixels_left: int) -> DecodedImage | NotStored:
    """The image that these bytes are, or why they are none to store. `pixels_left` may be spent on its frames."""
    if not content:
        return NotStored.EMPTY
    image_format = format_of(content)
    if image_format is None:
        return NotStored.SVG if _SVG.search(content[:4096]) else NotStored.NO_IMAGE
    if len(content) > limits.image_bytes:
        return NotStored.TOO_MANY_BYTES
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _decoded(content, image_format, limits, pixels_left)
    except MemoryError:
        return NotStored.TOO_MANY_PIXELS
    except Undecodable:
        return NotStored.DAMAGED


def _decoded(content: bytes, image_format: ImageFormat, limits: Limits, pixels_left: int) -> DecodedImage | NotStored:
    with opened(content, image_format) as image:
        width, height = image.size
        if width < 1 or height < 1:
            return NotStored.DAMAGED
        if width * height > min(limits.image_pixels, pixels_left):
            return NotStored.TOO_MANY_PIXELS
        to_draw = image_format.to_draw(content)
        if to_draw is content:
            _draw(image)
        elif to_draw is not None:
            with opened(to_draw, image_format) as excerpt:
                _draw(excerpt)
        frames, larger = 1, 0
        while image_format.has_frames and has_frame(image, frames):
            frames += 1
            larger += max(0, image.width * image.height - width * height)
            if frames > limits.image_frames or frames * width * height + larger > pixels_left:
                return NotStored.TOO_MANY_FRAMES
        is_unseen = _is_unseen(image, (width, height), frames)
        return DecodedImage(image_format, width, height, frames, larger, is_unseen=is_unseen)


def _draw(image: Pillow.Image) -> None:
    """Have the decoder read all of it. Raises Undecodable."""
    # a decoder that can (JPEG's) keeps little of it; others do not heed this
    asked(lambda: image.draft(image.mode, (max(1, image.width // 8), max(1, image.height // 8))))
    asked(image.load)


def _is_unseen(image: Pillow.Image, size: tuple[int, int], frames: int) -> bool:
    """QUIRK: spacers stand in mails beside followers' points; what cannot be seen is neither shown nor missed."""
    width, height = size
    if max(size) <= _POINT or min(size) == 1:
        return True
    if frames > 1 or width * height > _MOST_UNSEEN:
        return False
    has_alpha = image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info
    return has_alpha and asked(lambda: image.convert("RGBA").getchannel("A").getextrema()) == (0, 0)
