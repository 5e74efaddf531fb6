"""Stores what does not travel in a message: images, and bodies that are large; for all mails that wait at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from services.classifier import repository
from services.classifier.reading.values import ReadImage, ReadMail
from services.classifier.rules.decoration import decoration_of, may_be_logo
from services.classifier.rules.image import image_of
from shared.batches import Batches
from shared.blobs import claim_check
from shared.blobs.store import BlobStore
from shared.database.pool import Connection, Pool, transaction
from shared.messages import INLINE_LIMIT, BlobReference, Bodies, ClassifiedMail, Image, ImageCopy

MAILS_AT_ONCE: Final = 8
"""Mails with images that are stored in one transaction."""


@dataclass(frozen=True, slots=True)
class _Unstored:
    classified: ClassifiedMail
    bodies: Bodies
    read: ReadMail

    def contents(self) -> Iterator[bytes]:
        """The bytes of each image, and those of its copies behind it."""
        for image in self.read.images:
            yield image.content
            if image.copies is not None:
                yield from (copy.content for copy in (image.copies.rendition, image.copies.thumbnail))


class Store:
    """The blob store, as the classifier uses it."""

    def __init__(self, pool: Pool, blobs: BlobStore) -> None:
        self._pool = pool
        self._blobs = blobs
        self._storing = Batches(self._store_all, what="images and bodies", most=MAILS_AT_ONCE)

    async def stored(self, classified: ClassifiedMail, bodies: Bodies, read: ReadMail) -> ClassifiedMail:
        """The message with its images in the blob store, and its bodies too when they are large."""
        if not read.images and _fits(bodies):
            return classified
        return await self._storing.of(_Unstored(classified, bodies, read))

    async def _store_all(self, mails: Sequence[_Unstored]) -> list[ClassifiedMail]:
        async with transaction(self._pool) as connection:
            blobs = iter(
                await self._blobs.put_all(
                    connection, [(mail.classified.mail_id, content) for mail in mails for content in mail.contents()]
                )
            )
            return [await self._with_references(connection, mail, blobs) for mail in mails]

    async def _with_references(
        self, connection: Connection, mail: _Unstored, blobs: Iterator[BlobReference]
    ) -> ClassifiedMail:
        classified = mail.classified
        images = [_with_blobs(image, blobs) for image in mail.read.images]
        may_be_logos = [blob.sha256 for image, (blob, *_) in images if may_be_logo(image)]
        repeated = await repository.repeated(connection, classified.helpdesk_id, classified.mail_id, may_be_logos)
        bodies = await claim_check.check_in(self._blobs, connection, classified.mail_id, mail.bodies)
        stored = tuple(_stored_image(image, references, repeated) for image, references in images)
        return classified.model_copy(update={"images": stored, "bodies": bodies})


def _with_blobs(image: ReadImage, blobs: Iterator[BlobReference]) -> tuple[ReadImage, list[BlobReference]]:
    """An image with the blobs of its own bytes and of its copies, the next ones in the order of `contents`."""
    return image, list(islice(blobs, 1 if image.copies is None else 3))


def _stored_image(image: ReadImage, blobs: Sequence[BlobReference], repeated: frozenset[str]) -> Image:
    blob, *of_copies = blobs
    copies = (image.copies.rendition, image.copies.thumbnail) if image.copies is not None else ()
    rendition, thumbnail = [
        ImageCopy(media_type=copy.media_type, width=copy.width, height=copy.height, blob=its_blob)
        for copy, its_blob in zip(copies, of_copies, strict=True)
    ] or (None, None)
    return image_of(
        image,
        blob,
        decoration=decoration_of(image, is_repeated=blob.sha256 in repeated),
        rendition=rendition,
        thumbnail=thumbnail,
    )


def _fits(bodies: Bodies) -> bool:
    """Whether the bodies surely travel inside: four bytes a character and room for JSON's escapes."""
    readings = (bodies.whole, bodies.above_marker, bodies.trimmed)
    characters = sum(len(body.html) + len(body.text) for body in readings if body is not None)
    return characters * 6 < INLINE_LIMIT
