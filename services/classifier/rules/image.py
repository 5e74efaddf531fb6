"""An image of a mail as the message tells of it: what was read of it, and where its bytes are (SPEC D4)."""

from __future__ import annotations

from services.classifier.reading.values import ReadImage
from shared.messages import BlobReference, Decoration, Image, ImageCopy


def image_of(
    read: ReadImage,
    blob: BlobReference,
    *,
    decoration: Decoration | None = None,
    rendition: ImageCopy | None = None,
    thumbnail: ImageCopy | None = None,
) -> Image:
    """The image with the reference to its bytes and, where the database and the store were asked, what they add."""
    return Image(
        id=read.id,
        name=read.name,
        media_type=read.media_type,
        width=read.width,
        height=read.height,
        blob=blob,
        inline=read.inline,
        content_id=read.content_id,
        decoration=decoration,
        rendition=rendition,
        thumbnail=thumbnail,
    )
