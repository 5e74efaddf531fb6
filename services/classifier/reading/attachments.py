"""The files of a mail: images decoded and kept, everything else left out by name (SPEC W4, D4)."""

from __future__ import annotations

import mimetypes
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from services.classifier.reading.conclusions import Copies
from services.classifier.reading.images.decoding import DecodedImage, NotStored
from services.classifier.reading.images.formats import format_of
from services.classifier.reading.images.storing import StoredImage, stored_image, stored_name
from services.classifier.reading.limits import Limits
from services.classifier.reading.mime.parser import attached_header
from services.classifier.reading.mime.part import Part
from services.classifier.reading.mime.safe_text import safe_line
from services.classifier.reading.mime.transfer import decode_base64
from services.classifier.reading.text.body import find_contents
from services.classifier.reading.values import OurError, ReadImage, ReadingSettings
from services.classifier.reading.wrappings.unwrap import ATTACHED_MESSAGES
from shared.html.sanitise import ATTACHMENT_SCHEME
from shared.messages import LeftOut

_DATA_URL: Final = re.compile(r"data:([\w.+-]+/[\w.+-]+)?((?:;[^,;]{0,100}){0,5}),", re.IGNORECASE)
_CID: Final = re.compile(r"\[cid:([^\]\[\s]{1,250})\]", re.IGNORECASE)
_ELSEWHERE: Final = re.compile(r"(?:https?|ftp):|//", re.IGNORECASE)
_ARMOUR_WITHIN: Final = 100
_MOST_ERRORS: Final = 10
_TYPES: Final = mimetypes.MimeTypes(filenames=())
_EXTENSIONS: Final = {
    "text/plain": ".txt", "text/calendar": ".ics", "application/ics": ".ics", "image/jpg": ".jpg",
    "application/pgp-signature": ".asc", "application/pkcs7-signature": ".p7s", "application/x-pkcs7-signature": ".p7s",
}  # fmt: skip
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
    "message/external-body": NotStored.ELSEWHERE,
    "message/partial": NotStored.PARTIAL,
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
    said_name: str
    """As the mail has it; `name` may be made of it."""
    copies: Copies | None = None


class Attachments:
    """Takes in the files of one mail; images found in html (`cid:`, `data:`) are asked for by their source."""

    def __init__(
        self, mail_id: uuid.UUID, settings: ReadingSettings, limits: Limits, *, cut_part: str | None = None
    ) -> None:
        """`cut_part` is the path of the part of which our limit on a mail's size kept the end (SPEC D17)."""
        self._cut_part = cut_part
        self._mail_id = mail_id
        self._settings = settings
        self._limits = limits
        self._kept: list[_Kept] = []
        self._by_source: dict[str, _Kept] = {}
        self._left_out: list[LeftOut] = []
        self._our_errors: list[OurError] = []
        self._data_urls = 0
        self._pixels_left = limits.image_total_pixels

    def take(self, part: Part, *, decode: bool) -> None:
        """Keeps the image that `part` is, or notes why it is left out; without `decode` all is left out, unread."""
        if part.media_type in _SILENT:
            return
        content = part.content
        if not decode:
            self._leave_out(part, len(content), NotStored.UNREADABLE)
            return
        if part.attached is not None:
            self._leave_out(part, len(content), NotStored.ATTACHED_MESSAGE)
            for inner in find_contents(part.attached).files:
                self.take(inner, decode=True)
            return
        result = NotStored.MAIL_TOO_LARGE if self._is_cut_image(part) else self._decode(content)
        if isinstance(result, NotStored):
            self._leave_out(part, len(content), self._reason(part, result))
            return
        kept = self._same(result.content, part)
        if kept is None:
            kept = self._keep(part.path, part.name, result, part.content_id)
        self._by_source[f"part:{part.path}"] = kept
        for key in _keys(part):
            self._by_source.setdefault(key, kept)

    def _is_cut_image(self, part: Part) -> bool:
        """Whether a part is an image, as far as what is left of it tells, that our own limit cut off."""
        is_said = part.media_type.startswith("image/") and part.media_type != "image/svg+xml"
        is_image = is_said or format_of(part.content) is not None
        return part.path == self._cut_part and (is_image or not part.content)

    def _reason(self, part: Part, result: NotStored) -> NotStored:
        """Why a part is left out: what decoding says, or what the part is when that is no image."""
        was_in_cut_part = self._cut_part is not None and part.path.startswith(f"{self._cut_part}.")
        if was_in_cut_part and result in {NotStored.DAMAGED, NotStored.EMPTY}:
            return NotStored.MAIL_TOO_LARGE
        if part.name.lower() == "winmail.dat":
            return NotStored.WINMAIL
        if part.content[:_ARMOUR_WITHIN].lstrip().startswith(b"-----BEGIN PGP MESSAGE"):
            return NotStored.ENCRYPTED
        is_unread = result in {NotStored.NO_IMAGE, NotStored.EMPTY} and part.media_type in _REASONS
        return _REASONS[part.media_type] if is_unread else result

    def find(self, source: str) -> str | None:
        """What an image's `src` becomes: `attachment:<id>`, or None for one that is not in the mail.

        QUIRK: clients write `cid:` with and without the host, encoded as in URLs, in brackets, or not at all; others
        name the file, with the folder that it came from (RFC 2392, RFC 2557).
        """
        if source[:5].lower() == "data:":
            return self._from_data_url(source)
        reference = source[4:] if source[:4].lower() in {"cid:", "mid:"} else source
        plain = unquote(reference).strip().strip("<>").lower()
        spellings = [reference.lower(), plain, plain.split("@", 1)[0]]
        if not _ELSEWHERE.match(plain):
            spellings.append(re.split(r"[\\/]", plain)[-1])
        kept = next((self._by_source[each] for each in spellings if each in self._by_source), None)
        return f"{ATTACHMENT_SCHEME}:{kept.id}" if kept else None

    def named_in(self, text: str) -> str:
        """Plain text in which the pictures that Outlook puts there as `[cid:…]` have their names."""
        return _CID.sub(self._named, text)

    def _named(self, place: re.Match[str]) -> str:
        reference = place[1].lower()
        kept = self._by_source.get(reference) or self._by_source.get(reference.split("@", 1)[0])
        return f"[{kept.name if kept else place[1].split('@', 1)[0]}]"

    def name_of(self, part: Part) -> str:
        """The name by which people are told of a part."""
        return part.name or _name_of(part, self._limits)

    def images(self, shown: frozenset[uuid.UUID]) -> tuple[ReadImage, ...]:
        """All images kept; those in `shown` are inline."""
        return tuple(
            ReadImage(
                id=kept.id,
                name=kept.name,
                media_type=kept.decoded.format.media_type,
                width=kept.decoded.width,
                height=kept.decoded.height,
                content=kept.content,
                inline=kept.id in shown,
                content_id=kept.content_id,
                is_tracking=kept.id in shown and kept.decoded.is_unseen,
                copies=kept.copies,
            )
            for kept in self._kept
        )

    @property
    def ids(self) -> frozenset[str]:
        """Ids of the images kept, as they stand in html."""
        return frozenset(str(kept.id) for kept in self._kept)

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        return tuple(self._left_out)

    @property
    def our_errors(self) -> tuple[OurError, ...]:
        """Errors of ours that kept images from being stored, the first few of them."""
        return tuple(self._our_errors[:_MOST_ERRORS])

    def _from_data_url(self, source: str) -> str | None:
        url = _DATA_URL.match(source[:1000])
        if url is None:
            return None
        self._data_urls += 1
        path = f"data/{self._data_urls}"
        encoded = source[url.end() :]
        is_base64 = ";base64" in (url[2] or "").lower()
        content = decode_base64(unquote(encoded).encode()) if is_base64 else unquote(encoded).encode()
        result = self._decode(content)
        if isinstance(result, NotStored):
            media_type = safe_line((url[1] or "text/plain").lower(), 100)
            self._note_left_out(path, f"afbeelding-{self._data_urls}", media_type, len(content), result)
            return None
        return f"{ATTACHMENT_SCHEME}:{self._keep(path, '', result, None).id}"

    def _decode(self, content: bytes) -> StoredImage | NotStored:
        """The image as it is to be stored, or why it is not.

        An error of ours costs the mail this image alone, which is named as left out, and is told (`our_errors`).
        """
        try:
            result = stored_image(
                content,
                self._limits,
                pixels_left=self._pixels_left,
                strip_metadata=self._settings.strip_image_metadata,
                make_copies=self._settings.make_copies,
            )
        except Exception as error:  # noqa: BLE001 - a bug of ours, whatever it is: it is told, not swallowed
            self._our_errors.append(OurError.of(error))
            return NotStored.OUR_ERROR
        if isinstance(result, NotStored):
            return result
        self._pixels_left -= result.decoded.pixels
        return result if len(self._kept) < self._limits.images else NotStored.TOO_MANY_IMAGES

    def _same(self, content: bytes, part: Part) -> _Kept | None:
        """The image that is kept already with these bytes and this Content-ID: a client attached it inline, too.

        QUIRK: attached by itself it may have none, and the same name.
        """
        wanted = safe_line(part.content_id, 250) if part.content_id else None
        for kept in self._kept:
            once_more = (wanted is None or kept.content_id is None) and part.name == kept.said_name
            if (wanted == kept.content_id or once_more) and content == kept.content:
                return kept
        return None

    def _keep(self, path: str, name: str, stored: StoredImage, content_id: str | None) -> _Kept:
        kept = _Kept(
            self._id(path),
            stored_name(name, stored.decoded.format, len(self._kept) + 1, is_copy=stored.is_copy),
            stored.decoded,
            stored.content,
            safe_line(content_id, 250) if content_id else None,
            name,
            stored.copies,
        )
        self._kept.append(kept)
        return kept

    def _leave_out(self, part: Part, size: int, reason: NotStored) -> None:
        self._note_left_out(part.path, self.name_of(part), part.media_type, size, reason)

    def _note_left_out(self, path: str, name: str, media_type: str, size: int, reason: NotStored) -> None:
        if len(self._left_out) < self._limits.left_out:
            self._left_out.append(
                LeftOut(id=self._id(path), name=name, media_type=media_type, size=size, reason=reason.value)
            )

    def _id(self, path: str) -> uuid.UUID:
        """DESIGN 3: UUIDv5 of the mail's id and the part's path, the same at every delivery."""
        return uuid.uuid5(self._mail_id, path)


def _name_of(part: Part, limits: Limits) -> str:
    """A name for a part that has none: the subject of an attached message, else what the part says, else its kind."""
    if part.media_type in ATTACHED_MESSAGES:
        headers = part.attached.headers if part.attached is not None else attached_header(part.content, limits)
        return f"{safe_line(headers.text('subject'), limits.name) or 'bericht'}.eml"
    located = re.split(r"[\\/]", part.headers.text("content-location").partition("?")[0].strip())[-1]
    for said in (part.headers.text("content-description"), located if "." in located else ""):
        if name := safe_line(said, limits.name):
            return name
    return f"naamloos{_EXTENSIONS.get(part.media_type) or _TYPES.guess_extension(part.media_type) or ''}"


def _keys(part: Part) -> Iterator[str]:
    """The names by which html may ask for an image, in lower case, the surest first."""
    identity = (part.content_id or "").lower()
    location = part.headers.text("content-location").strip().lower()
    for key in (identity, location, part.name.lower(), re.split(r"[\\/]", location)[-1], identity.split("@", 1)[0]):
        if key:
            yield key
