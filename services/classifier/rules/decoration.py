"""What stands in a mail without being of its contents: tracking pixels, and the logos of signatures (SPEC D4).

Such images are stored as any other, once for all mails since blobs are known by their contents, and can be hidden. A
logo is a small image that the mail shows itself and that stood in mails of other tickets before. A large one may be a
screenshot that people send twice, and one that is attached was attached on purpose: neither is ever a logo.
"""

from __future__ import annotations

from typing import Final

from services.classifier.reading.values import ReadImage
from shared.messages import Decoration

_LARGEST_LOGO: Final = 250_000
"""Pixels: a banner of 1,000 × 250 beneath a signature is one."""
_MOST_BYTES: Final = 200 * 1024


def may_be_logo(image: ReadImage) -> bool:
    """Whether an image is one that signatures have."""
    return (
        image.inline
        and not image.is_tracking
        and image.width * image.height <= _LARGEST_LOGO
        and len(image.content) <= _MOST_BYTES
    )


def decoration_of(image: ReadImage, *, is_repeated: bool) -> Decoration | None:
    """What an image decorates; `is_repeated`: mails of other tickets of the helpdesk had it too."""
    if image.is_tracking:
        return Decoration.TRACKING
    return Decoration.LOGO if is_repeated and may_be_logo(image) else None
