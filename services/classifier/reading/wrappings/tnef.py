"""TNEF, in which Outlook wraps a mail as `winmail.dat` (MS-OXTNEF): its files, and its body where the mail has none.

A stream of attributes, each of the message or of the attachment last begun; some hold lists of MAPI properties
(MS-OXCMSG, MS-OXPROPS). What is damaged ends the reading, and what was read until there counts. Every step forward
takes bytes of the stream, so that time is linear in its size; lengths that point behind its end are no promise.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from services.classifier.reading.mime.charset import decode
from services.classifier.reading.wrappings.rtf import decompressed, from_rtf

SIGNATURE: Final = b"\x78\x9f\x3e\x22"

_U16: Final = struct.Struct("<H")
_U32: Final = struct.Struct("<I")
_ATTRIBUTE: Final = struct.Struct("<BII")
"""Level (message or attachment), identifier with type, length; a checksum of two bytes follows the data."""

_OF_ATTACHMENT: Final = 2
_CODEPAGE: Final = 0x00069007
_SUBJECT: Final = 0x00018004
_BODY: Final = 0x0002800C
_PROPERTIES: Final = 0x00069003
_NEW_ATTACHMENT: Final = 0x00069002
_TITLE: Final = 0x00018010
_DATA: Final = 0x0006800F
_ATTACHMENT_PROPERTIES: Final = 0x00069005

_PR_SUBJECT: Final = 0x0037
_PR_BODY: Final = 0x1000
_PR_RTF_COMPRESSED: Final = 0x1009
_PR_HTML: Final = 0x1013
_PR_DISPLAY_NAME: Final = 0x3001
_PR_DATA: Final = 0x3701
_PR_FILE_NAME: Final = 0x3704
_PR_LONG_FILE_NAME: Final = 0x3707
_PR_MIME_TAG: Final = 0x370E
_PR_CONTENT_ID: Final = 0x3712
_PR_CODEPAGE: Final = 0x3FDE

_FIXED_SIZES: Final = {
    kind: size
    for size, kinds in ((4, (0x02, 0x03, 0x04, 0x0A, 0x0B)), (8, (0x05, 0x06, 0x07, 0x14, 0x40)), (16, (0x48,)))
    for kind in kinds
}
"""Bytes of a value by its type (MS-OXCDATA 2.11.1); short ones are padded to four."""
_STRING8, _UNICODE, _BINARY, _OBJECT = 0x1E, 0x1F, 0x102, 0x0D
_MANY: Final = 0x1000
_NAMED: Final = 0x8000
_INTERFACE_ID: Final = 16
"""Bytes before an embedded object that say what it is."""


@dataclass(frozen=True, slots=True)
class TnefFile:
    """An attachment; `content` of an attached message is a TNEF stream again."""

    name: str = ""
    media_type: str = ""
    content_id: str = ""
    content: bytes = b""

    @property
    def is_message(self) -> bool:
        return self.content.startswith(SIGNATURE)


@dataclass(frozen=True, slots=True)
class TnefMail:
    """What a stream holds: `text` and `html` are '' where it has none."""

    subject: str = ""
    text: str = ""
    html: str = ""
    files: tuple[TnefFile, ...] = ()


class _Damaged(Exception):
    """The stream ends within a value."""


@dataclass(slots=True)
class _Cursor:
    content: bytes
    position: int = 0

    def take(self, size: int) -> bytes:
        end = self.position + size
        if end > len(self.content):
            raise _Damaged
        taken = self.content[self.position : end]
        self.position = end
        return taken

    def number(self) -> int:
        (number,) = _U32.unpack(self.take(_U32.size))
        return int(number)


@dataclass(slots=True)
class _Reading:
    """What was read so far."""

    codepage: str = "cp1252"
    subject: str = ""
    body: bytes = b""
    properties: dict[int, bytes | str] = field(default_factory=dict)
    files: list[TnefFile] = field(default_factory=list)


def read_tnef(content: bytes, *, most_files: int, longest_text: int) -> TnefMail | None:
    """The mail that a stream holds, None when it is no TNEF. `longest_text` bounds what a body may become."""
    if not content.startswith(SIGNATURE):
        return None
    reading = _Reading()
    for level, identifier, data in _attributes(content):
        if level == _OF_ATTACHMENT:
            _of_attachment(reading, identifier, data, most_files)
        else:
            _of_message(reading, identifier, data)
    return _mail(reading, longest_text)


def _attributes(content: bytes) -> Iterator[tuple[int, int, bytes]]:
    cursor = _Cursor(content, len(SIGNATURE) + _U16.size)
    try:
        while True:
            level, identifier, size = _ATTRIBUTE.unpack(cursor.take(_ATTRIBUTE.size))
            if level not in {1, _OF_ATTACHMENT}:
                return
            yield level, identifier, cursor.take(size)
            cursor.take(_U16.size)
    except _Damaged:
        return


def _of_message(reading: _Reading, identifier: int, data: bytes) -> None:
    if identifier == _CODEPAGE and len(data) >= _U32.size:
        reading.codepage = _charset(_U32.unpack_from(data)[0])
    elif identifier == _SUBJECT:
        reading.subject = decode(data.rstrip(b"\x00"), reading.codepage)
    elif identifier == _BODY:
        reading.body = data.rstrip(b"\x00")
    elif identifier == _PROPERTIES:
        reading.properties.update(_properties(data, reading.codepage))


def _of_attachment(reading: _Reading, identifier: int, data: bytes, most_files: int) -> None:
    if identifier == _NEW_ATTACHMENT and len(reading.files) < most_files:
        reading.files.append(TnefFile())
    if not reading.files:
        return
    file = reading.files[-1]
    if identifier == _TITLE and not file.name:
        file = replace(file, name=decode(data.rstrip(b"\x00"), reading.codepage))
    elif identifier == _DATA:
        file = replace(file, content=data)
    elif identifier == _ATTACHMENT_PROPERTIES:
        file = _with_properties(file, _properties(data, reading.codepage))
    reading.files[-1] = file


def _with_properties(file: TnefFile, properties: Mapping[int, bytes | str]) -> TnefFile:
    name = (
        _text(properties, _PR_LONG_FILE_NAME)
        or _text(properties, _PR_FILE_NAME)
        or file.name
        or _text(properties, _PR_DISPLAY_NAME)
    )
    data = properties.get(_PR_DATA, b"")
    return TnefFile(
        name=name,
        media_type=_text(properties, _PR_MIME_TAG).lower(),
        content_id=_text(properties, _PR_CONTENT_ID),
        content=data if isinstance(data, bytes) and data else file.content,
    )


def _mail(reading: _Reading, longest_text: int) -> TnefMail:
    properties = reading.properties
    text = _text(properties, _PR_BODY) or decode(reading.body, reading.codepage)
    html = properties.get(_PR_HTML, "")
    if isinstance(html, bytes):
        codepage = properties.get(_PR_CODEPAGE)
        html = decode(html, codepage if isinstance(codepage, str) else reading.codepage)
    compressed = properties.get(_PR_RTF_COMPRESSED)
    if not html.strip() and isinstance(compressed, bytes):
        document = from_rtf(decompressed(compressed, longest=longest_text * 4), longest=longest_text)
        html, text = document.html, text or document.text
    return TnefMail(
        subject=_text(properties, _PR_SUBJECT) or reading.subject,
        text=text.rstrip("\x00"),
        html=html.rstrip("\x00"),
        files=tuple(reading.files),
    )


def _text(properties: Mapping[int, bytes | str], tag: int) -> str:
    value = properties.get(tag, "")
    return value.rstrip("\x00") if isinstance(value, str) else ""


def _charset(codepage: int) -> str:
    return {65001: "utf-8", 20127: "us-ascii", 28591: "iso-8859-1"}.get(codepage, f"cp{codepage}")


def _properties(data: bytes, codepage: str) -> dict[int, bytes | str]:
    """The properties that matter here, by tag: text decoded, bytes as they are, the codepage as a charset."""
    cursor = _Cursor(data)
    properties: dict[int, bytes | str] = {}
    try:
        for _ in range(cursor.number()):
            kind, tag = _U16.unpack(cursor.take(2))[0], _U16.unpack(cursor.take(2))[0]
            if tag >= _NAMED:
                cursor.take(_INTERFACE_ID)
                cursor.take(_padded(cursor.number()) if cursor.number() else _U32.size)
            value = _value(cursor, kind)
            if tag == _PR_CODEPAGE and isinstance(value, bytes) and len(value) == _U32.size:
                properties[tag] = _charset(_U32.unpack(value)[0])
            elif isinstance(value, bytes) and kind == _STRING8:
                properties[tag] = decode(value, codepage)
            elif isinstance(value, bytes) and kind == _UNICODE:
                properties[tag] = decode(value, "utf-16-le")
            elif value is not None:
                properties[tag] = value[_INTERFACE_ID:] if kind == _OBJECT else value
    except _Damaged:
        pass
    return properties


def _value(cursor: _Cursor, kind: int) -> bytes | None:
    """The value of a property, None for one of several values, which nothing here asks for."""
    base = kind & ~_MANY
    is_many = bool(kind & _MANY)
    if base in _FIXED_SIZES:
        taken = cursor.take(_FIXED_SIZES[base] * (cursor.number() if is_many else 1))
        return None if is_many else taken
    if base not in {_STRING8, _UNICODE, _BINARY, _OBJECT}:
        raise _Damaged
    value = b""
    for _ in range(cursor.number()):
        size = cursor.number()
        value = cursor.take(size)
        cursor.take(min(_padded(size) - size, len(cursor.content) - cursor.position))
    return None if is_many else value


def _padded(size: int) -> int:
    return size + -size % 4
