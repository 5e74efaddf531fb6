"""What a mail carries in wrappings, laid open: S/MIME, PGP, TNEF, uuencode, attached messages.

    part ──▶ what is inside it, as parts of the same mail

A wrapping that cannot be opened stays the part that it is. All unwrapping of one mail shares one budget of bytes, parts
and depth, however its wrappings are nested; what lies beyond stays wrapped and is left out by name.
"""

from __future__ import annotations

import mimetypes
import re
from dataclasses import dataclass, replace
from typing import Final

from services.classifier.reading.limits import Limits
from services.classifier.reading.mime.encoded_blocks import split_blocks
from services.classifier.reading.mime.header import Headers, decode_words
from services.classifier.reading.mime.parser import head_of, parse_mail
from services.classifier.reading.mime.part import Part
from services.classifier.reading.mime.safe_text import safe_line
from services.classifier.reading.wrappings import pgp
from services.classifier.reading.wrappings.cms import open_envelope
from services.classifier.reading.wrappings.crypto import find_crypto, stronger
from services.classifier.reading.wrappings.tnef import SIGNATURE, TnefFile, TnefMail, read_tnef
from shared.messages import Crypto

ATTACHED_MESSAGES: Final = frozenset({"message/rfc822", "message/global", "message/news", "application/eml"})
TNEF_CONTENTS: Final = "multipart/x-tnef"
"""What a winmail.dat becomes: its files, and before them its body."""
TNEF_BODY: Final = "multipart/x-tnef-body"

_ENVELOPES: Final = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
_TNEF: Final = frozenset({"application/ms-tnef", "application/vnd.ms-tnef", "application/x-ms-tnef"})
_UNTYPED: Final = frozenset(
    {"application/octet-stream", "application/octetstream", "application/binary", "application/unknown",
     "application/x-unknown", "application/x-zip-compressed"}
)  # fmt: skip
_REPORTS: Final = frozenset({"multipart/report"})
_HEADER_FIELD: Final = re.compile(
    rb"^(?:from|to|cc|subject|date|message-id|mime-version|content-type|received|return-path|delivered-to)[ \t]*:",
    re.IGNORECASE | re.MULTILINE,
)
_FEWEST_FIELDS: Final = 3
_TYPES: Final = mimetypes.MimeTypes(filenames=())


@dataclass(frozen=True, slots=True)
class Unwrapped:
    """A mail without its wrappings, and whether it was signed or encrypted."""

    root: Part
    crypto: Crypto | None


def unwrap(root: Part, limits: Limits) -> Unwrapped:
    """The mail with everything that it carries laid open. Never raises on what is in it."""
    parts_left = limits.parts - sum(1 for _ in root.walk())
    unwrapping = _Unwrapping(limits, limits.unwrapped_bytes, parts_left, find_crypto(root))
    opened = unwrapping.part(root, 0, in_report=False)
    if opened.headers is not root.headers:
        opened = replace(opened, headers=_merged(root.headers, opened.headers))
    return Unwrapped(opened, unwrapping.crypto)


@dataclass(slots=True)
class _Unwrapping:
    limits: Limits
    bytes_left: int
    parts_left: int
    crypto: Crypto | None = None

    def part(self, part: Part, depth: int, *, in_report: bool) -> Part:
        if part.is_multipart:
            in_report = in_report or part.media_type in _REPORTS
            children = tuple(self.part(child, depth, in_report=in_report) for child in part.children)
            return part if children == part.children else replace(part, children=children)
        if depth >= self.limits.unwrapped_depth or self.bytes_left <= 0 or self.parts_left <= 0:
            return part
        if part.media_type == "text/plain":
            return self._text(part)
        if in_report:
            return part  # a returned mail is no attachment of this one
        return self._file(part, depth)

    def _spend(self, content: bytes) -> bool:
        """Whether these bytes may be unwrapped too."""
        self.bytes_left -= len(content)
        return self.bytes_left >= 0

    def _file(self, part: Part, depth: int) -> Part:
        name = part.name.lower()
        if part.media_type in _ENVELOPES or name.endswith((".p7m", ".p7z")):
            return self._envelope(part, depth)
        if part.media_type in ATTACHED_MESSAGES:
            return self._message(part, part.content, depth)
        if part.media_type == "message/partial" and part.parameters.get("number", "").strip() == "1":
            return self._message(part, part.content, depth)  # the first piece begins the message (RFC 2046 5.2.2)
        if part.media_type in _TNEF or name in {"winmail.dat", "win.dat"} or part.media_type in _UNTYPED:
            content = part.content
            if content.startswith(SIGNATURE):
                return self._tnef(part, content, depth)
            if name.endswith(".eml") and _is_mail(content):
                return self._message(part, content, depth)
        return part

    def _envelope(self, part: Part, depth: int) -> Part:
        envelope = open_envelope(part.content, longest=max(self.bytes_left, 0))
        if envelope is None or envelope.content is None or not self._spend(envelope.content):
            return part
        inner = self._parsed(envelope.content, f"{part.path}.p7m")
        self.crypto = stronger(self.crypto, find_crypto(inner))
        return self.part(inner, depth + 1, in_report=False)

    def _parsed(self, raw: bytes, path: str) -> Part:
        inner = parse_mail(raw, replace(self.limits, parts=max(self.parts_left, 1)), path)
        self.parts_left -= sum(1 for _ in inner.walk())
        return inner

    def _message(self, part: Part, content: bytes, depth: int) -> Part:
        """An attached message is a mail of its own: its signature says nothing of this one."""
        if not content.strip() or not self._spend(content):
            return part
        crypto = self.crypto
        attached = self.part(self._parsed(content, f"{part.path}.eml"), depth + 1, in_report=False)
        self.crypto = crypto
        return replace(part, attached=attached)

    def _tnef(self, part: Part, content: bytes, depth: int) -> Part:
        read = read_tnef(content, most_files=max(self.parts_left, 0), longest_text=self.limits.html)
        if read is None or not self._spend(content) or not (read.files or read.text.strip() or read.html.strip()):
            return part
        self.parts_left -= len(read.files) + 1
        return self._tnef_parts(part.path, read, depth)

    def _tnef_parts(self, path: str, read: TnefMail, depth: int) -> Part:
        bodies = _tnef_bodies(path, read)
        children = [_multipart(path, TNEF_BODY, bodies)] if bodies else []
        for number, file in enumerate(read.files, 1):
            place = f"{path}.tnef.{number}"
            if file.is_message:
                children.append(self._tnef_message(place, file, depth))
            else:
                media_type = file.media_type or _TYPES.guess_type(file.name)[0] or "application/octet-stream"
                made = made_part(place, media_type, file.content, file.name, self.limits, content_id=file.content_id)
                children.append(self.part(made, depth + 1, in_report=False))
        return _multipart(path, TNEF_CONTENTS, tuple(children))

    def _tnef_message(self, path: str, file: TnefFile, depth: int) -> Part:
        made = made_part(path, "application/vnd.ms-outlook", file.content, f"{file.name or 'bericht'}.msg", self.limits)
        if depth + 1 >= self.limits.unwrapped_depth or not self._spend(file.content) or self.parts_left <= 0:
            return made
        read = read_tnef(file.content, most_files=self.parts_left, longest_text=self.limits.html)
        if read is None:
            return made
        self.parts_left -= len(read.files) + 1
        return replace(made, attached=self._tnef_parts(path, read, depth + 1))

    def _text(self, part: Part) -> Part:
        """A text without the files and the armour that stand in it."""
        content = part.content
        if b"begin" in content:
            rest, files = split_blocks(content, most=max(self.parts_left, 0))
            if files and self._spend(content):
                self.parts_left -= len(files)
                path = part.path or "1"
                said = replace(part, path=path, content=rest)
                made = (
                    made_part(f"{path}.uu.{number}", _guessed(name), file.content, name, self.limits)
                    for number, file in enumerate(files, 1)
                    for name in (decode_words(file.name),)
                )
                return _multipart(part.path, "multipart/mixed", (self._text(said), *made), part.headers)
        if b"-----BEGIN PGP " not in content:
            return part
        text = part.text
        legible = pgp.without_encrypted(text) or pgp.clear_signed(text)
        if legible is None:
            return part
        return replace(part, parameters={"charset": "utf-8"}, content=legible.encode())


def made_part(path: str, media_type: str, content: bytes, name: str, limits: Limits, *, content_id: str = "") -> Part:
    """A part for what stood in a wrapping that is no MIME."""
    return Part(
        path=path,
        headers=Headers((("content-id", content_id.encode("utf-8", "replace")),) if content_id else ()),
        media_type=media_type,
        parameters={},
        disposition="attachment",
        name=safe_line(re.split(r"[\\/]", name)[-1], limits.name),
        content=content,
    )


def _multipart(path: str, media_type: str, children: tuple[Part, ...], headers: Headers | None = None) -> Part:
    return Part(
        path=path,
        headers=headers or Headers(),
        media_type=media_type,
        parameters={},
        disposition="",
        name="",
        content=b"",
        children=children,
    )


def _tnef_bodies(path: str, read: TnefMail) -> tuple[Part, ...]:
    return tuple(
        text_part(f"{path}.tnef.{media_type[5:]}", media_type, text)
        for media_type, text in (("text/plain", read.text), ("text/html", read.html))
        if text.strip()
    )


def text_part(path: str, media_type: str, text: str) -> Part:
    """A part for a text that stood in a wrapping."""
    return Part(
        path=path,
        headers=Headers(),
        media_type=media_type,
        parameters={"charset": "utf-8"},
        disposition="",
        name="",
        content=text.encode("utf-8", "replace"),
    )


def _merged(outer: Headers, inner: Headers) -> Headers:
    """The headers that the mail came with, and those about its contents from inside its wrapping."""
    said = tuple(field for field in outer.fields if not field[0].startswith("content-"))
    return Headers(said + tuple(field for field in inner.fields if field[0].startswith("content-")))


def _guessed(name: str) -> str:
    return _TYPES.guess_type(name)[0] or "application/octet-stream"


def _is_mail(content: bytes) -> bool:
    """Whether a file that is named as a mail begins as one."""
    head = head_of(content[:65_536].lstrip(b"\r\n"))
    return len(_HEADER_FIELD.findall(head)) >= _FEWEST_FIELDS
