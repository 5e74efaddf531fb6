"""The files of a mail: images decoded and kept, everything else left out by name (SPEC W4, D4)."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from services.classifier.reading.values import ReadImage
from services.classifier.rules.header import decode_base64
from services.classifier.rules.images import DecodedImage, NotStored, decode_image, stored_name
from services.classifier.rules.limits import Limits
from services.classifier.rules.mime import Part, attached_header
from services.classifier.rules.safe_text import safe_line
from services.classifier.rules.sanitise import ATTACHMENT_SCHEME
from shared.messages import LeftOut

_DATA_URL: Final = re.compile(r"data:([\w.+-]+/[\w.+-]+)?((?:;[^,;]{0,100}){0,5}),", re.IGNORECASE)
_REASONS: Final = {
    "message/rfc822": NotStored.ATTACHED_MESSAGE,
    "message/global": NotStored.ATTACHED_MESSAGE,
    "application/ms-tnef": NotStored.WINMAIL,
    "application/vnd.ms-tnef": NotStored.WINMAIL,
    "text/calendar": NotStored.CALENDAR,
    "application/ics": NotStored.CALENDAR,
    "application/pgp-signature": NotStored.SIGNATURE,
    "application/pkcs7-signature": NotStored.SIGNATURE,
    "application/x-pkcs7-signature": NotStored.SIGNATURE,
    "application/pgp-encrypted": NotStored.ENCRYPTED,
    "application/pkcs7-mime": NotStored.ENCRYPTED,
    "application/x-pkcs7-mime": NotStored.ENCRYPTED,
}
_SILENT: Final = frozenset(
    {"message/delivery-status", "message/global-delivery-status", "message/disposition-notification",
     "message/feedback-report", "text/rfc822-headers", "message/rfc822-headers"}
)  # fmt: skip
"""Parts of a report that are read as such: nobody attached them."""


@dataclass(frozen=True, slots=True)
class _Kept:
    id: uuid.UUID
    name: str
    decoded: DecodedImage
    content: bytes
    content_id: str | None


class Attachments:
    """Takes in the files of one mail; images found in html (`cid:`, `data:`) are asked for by their source."""

    def __init__(self, mail_id: uuid.UUID, limits: Limits) -> None:
        self._mail_id = mail_id
        self._limits = limits
        self._kept: list[_Kept] = []
        self._by_source: dict[str, _Kept] = {}
        self._left_out: list[LeftOut] = []
        self._data_urls = 0
        self._pixels_left = limits.image_total_pixels

    def take(self, part: Part, *, decode: bool) -> None:
        """Keeps the image that `part` is, or notes why it is left out; without `decode` all is left out, unread."""
        if part.media_type in _SILENT:
            return
        content = part.content()
        name = part.name or _name_of(part, self._limits)
        if not decode:
            self._leave_out(part.path, name, part.media_type, len(content), NotStored.UNREADABLE)
            return
        result = self._decode(content)
        if isinstance(result, NotStored):
            reason = _REASONS.get(part.media_type, result) if result is NotStored.NO_IMAGE else result
            if name.lower() == "winmail.dat":
                reason = NotStored.WINMAIL
            self._leave_out(part.path, name, part.media_type, len(content), reason)
            return
        kept = self._keep(part.path, part.name, result, content, part.content_id)
        self._by_source[f"part:{part.path}"] = kept
        for key in (part.content_id, part.headers.text("content-location").strip(), part.name):
            if key:
                self._by_source.setdefault(key.lower(), kept)

    def find(self, source: str) -> str | None:
        """What an image's `src` becomes: `attachment:<id>`, or None for one that is not in the mail."""
        if source[:5].lower() == "data:":
            return self._from_data_url(source)
        reference = source[4:] if source[:4].lower() == "cid:" else source
        kept = self._by_source.get(reference.lower()) or self._by_source.get(unquote(reference).lower())
        return f"{ATTACHMENT_SCHEME}:{kept.id}" if kept else None

    def images(self, shown: frozenset[uuid.UUID]) -> tuple[ReadImage, ...]:
        """All images kept; those in `shown` are inline."""
        return tuple(
            ReadImage(
                id=kept.id,
                name=kept.name,
                media_type=kept.decoded.media_type,
                width=kept.decoded.width,
                height=kept.decoded.height,
                content=kept.content,
                inline=kept.id in shown,
                content_id=kept.content_id,
            )
            for kept in self._kept
        )

    @property
    def ids(self) -> frozenset[str]:
        """Ids of the images kept, as they stand in html."""
        return frozenset(str(kept.id) for kept in self._kept)

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        return tuple(self._left_out[: self._limits.left_out])

    def _from_data_url(self, source: str) -> str | None:
        found = _DATA_URL.match(source[:1000])
        if found is None:
            return None
        self._data_urls += 1
        path = f"data/{self._data_urls}"
        encoded = source[found.end() :]
        is_base64 = ";base64" in (found[2] or "").lower()
        content = decode_base64(unquote(encoded).encode()) if is_base64 else unquote(encoded).encode()
        result = self._decode(content)
        if isinstance(result, NotStored):
            media_type = safe_line((found[1] or "text/plain").lower(), 100)
            self._leave_out(path, f"afbeelding-{self._data_urls}", media_type, len(content), result)
            return None
        return f"{ATTACHMENT_SCHEME}:{self._keep(path, '', result, content, None).id}"

    def _decode(self, content: bytes) -> DecodedImage | NotStored:
        result = decode_image(content, self._limits, pixels_left=self._pixels_left)
        if isinstance(result, NotStored):
            return result
        self._pixels_left -= result.width * result.height * result.frames
        return result if len(self._kept) < self._limits.images else NotStored.TOO_MANY_IMAGES

    def _keep(self, path: str, name: str, decoded: DecodedImage, content: bytes, content_id: str | None) -> _Kept:
        stored = stored_name(name, decoded.media_type, len(self._kept) + 1)
        kept = _Kept(self._id(path), stored, decoded, content, safe_line(content_id, 250) if content_id else None)
        self._kept.append(kept)
        return kept

    def _leave_out(self, path: str, name: str, media_type: str, size: int, reason: NotStored) -> None:
        self._left_out.append(
            LeftOut(id=self._id(path), name=name or "naamloos", media_type=media_type, size=size, reason=reason.value)
        )

    def _id(self, path: str) -> uuid.UUID:
        """DESIGN 3: UUIDv5 of the mail's id and the part's path, the same at every delivery."""
        return uuid.uuid5(self._mail_id, path)


def _name_of(part: Part, limits: Limits) -> str:
    """A name for a part that has none: the subject of an attached message, else its description or kind."""
    if part.media_type in {"message/rfc822", "message/global"}:
        subject = safe_line(attached_header(part.content(), limits).text("subject"), limits.name)
        return f"{subject or 'bericht'}.eml"
    described = safe_line(part.headers.text("content-description"), limits.name)
    return described or part.media_type
