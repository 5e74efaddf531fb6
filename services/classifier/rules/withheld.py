"""A mail without images that must not be stored, though they are images: they are named as left out (SPEC D4)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace

from services.classifier.reading.values import ReadMail
from shared.html.sanitise import sanitise
from shared.messages import Body, LeftOut


def without_images(read: ReadMail, withheld: Mapping[uuid.UUID, str]) -> ReadMail:
    """`read` without these images: in no body, and among what was left out for the reason given for each."""
    if not withheld:
        return read
    kept = tuple(image for image in read.images if image.id not in withheld)
    ids = frozenset(str(image.id) for image in kept)

    def body(of: Body) -> Body:
        shown = tuple(identity for identity in of.attachment_ids if identity not in withheld)
        return of.model_copy(update={"html": sanitise(of.html, ids), "attachment_ids": shown})

    named = tuple(
        LeftOut(
            id=image.id,
            name=image.name,
            media_type=image.media_type,
            size=len(image.content),
            reason=withheld[image.id],
        )
        for image in read.images
        if image.id in withheld
    )
    return replace(
        read,
        whole=body(read.whole),
        above=tuple(replace(each, body=body(each.body) if each.body is not None else None) for each in read.above),
        images=kept,
        left_out=named + read.left_out,
    )
