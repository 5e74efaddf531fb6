"""A mail that Exchange cannot write as MIME, put together again from its properties and attachments.

Exchange keeps of an S/MIME mail its headers and one attachment: `smime.p7m`, whose bytes are the signed or enveloped
content, or for a clear signature the whole multipart/signed (MS-OXOSMIME §2.1). From these it becomes what the sender
sent. Any other mail becomes a multipart/mixed of its body and its attachments. No mail is lost for the lack of a
conversion. How properties and attachments are had is the adapter's; the walk through them (`RebuiltMail.write`) knows
no transport.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime, formataddr
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, Final, cast
from urllib.parse import quote

import structlog

from services.fetcher.mailboxes.protocol import MailTooLarge
from services.fetcher.rules.transport_headers import field_names, written

MOST_ATTACHMENTS: Final = 1000
_IN_MEMORY: Final = 1024 * 1024
"""Bytes of an attachment; a larger one waits in a temporary file."""
_BOUNDARY: Final = b"=_rebuilt_from_properties"
"""«=_» cannot stand in base64, so that no part holds it."""
_LINES: Final = 57 * 1024
"""Bytes that are 1024 lines of base64."""
_ASCII: Final = re.compile(r"[!-~]{1,320}")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class MailProperties:
    """What a server tells of a mail; `fields` are its header as it arrived, the others make up for what it lacks."""

    fields: Sequence[tuple[str, str]]
    subject: str
    message_id: str
    received_at: datetime | None
    sender: tuple[str, str]
    """Name and address, empty where they are not told."""
    body: str
    is_html: bool

    @property
    def tells_nothing(self) -> bool:
        """Whether nothing of the mail is there."""
        return not (self.fields or self.subject or self.sender[1] or self.body)


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """An attachment by its key at the server."""

    key: str
    name: str
    media_type: str

    @property
    def is_smime(self) -> bool:
        """Whether it is the content of a signed or encrypted mail."""
        kind = self.media_type.lower()
        return kind.startswith(("multipart/signed", "application/pkcs7-mime", "application/x-pkcs7-mime")) or (
            self.name.lower() == "smime.p7m"
        )


class RebuiltMail:
    """Writes the mail with these properties and files into `into`, at most `limit` bytes. Raises MailTooLarge beyond.

    `for file, content in mail.write(): …` downloads each `file` into `content`, by whatever transport.
    """

    def __init__(self, properties: MailProperties, files: Sequence[AttachedFile], into: BinaryIO, limit: int) -> None:
        self._properties = properties
        self._files = files
        self._into = into
        self.limit = limit
        self.written = 0
        self.is_smime: Final = len(files) == 1 and files[0].is_smime
        """Its one file is all that there is of it."""

    def write(self) -> Iterator[tuple[AttachedFile, BinaryIO]]:
        """Write it, asking for each file where its turn comes; a link to a file in the cloud may stay empty."""
        self._write(_header(self._properties))
        if not self.is_smime:
            self._write(b'Content-Type: multipart/mixed; boundary="%s"\r\n\r\n' % _BOUNDARY)
            self._write(b"--%s\r\n%s\r\n" % (_BOUNDARY, _body(self._properties)))
        for file in self._files:
            with SpooledTemporaryFile(max_size=_IN_MEMORY) as spooled:
                content = cast(BinaryIO, spooled)
                yield file, content
                if self.is_smime:
                    self._add_smime(content)
                else:
                    self._add_file(file, content)
        if not self.is_smime:
            self._write(b"--%s--\r\n" % _BOUNDARY)
        log.info("mail_rebuilt", attachments=len(self._files), size=self.written)

    def _add_smime(self, content: BinaryIO) -> None:
        content.seek(0)
        if re.match(rb"(?i)(mime-version:.*\r?\n)?content-type:\s*multipart/signed", content.read(200)):
            content.seek(0)
            while piece := content.read(_LINES):  # the attachment is the whole entity, its own headers first
                self._write(piece)
            return
        self._write(_part_header(AttachedFile("", "smime.p7m", "application/pkcs7-mime")))
        self._write_base64(content)

    def _add_file(self, file: AttachedFile, content: BinaryIO) -> None:
        self._write(b"--%s\r\n%s" % (_BOUNDARY, _part_header(file)))
        self._write_base64(content)
        self._write(b"\r\n")

    def _write_base64(self, content: BinaryIO) -> None:
        content.seek(0)
        while piece := content.read(_LINES):
            self._write(base64.encodebytes(piece).replace(b"\n", b"\r\n"))

    def _write(self, piece: bytes) -> None:
        if self.written + len(piece) > self.limit:
            raise MailTooLarge(f"De mail is groter dan {self.limit} bytes.")
        self._into.write(piece)
        self.written += len(piece)


def rebuilt_head(properties: MailProperties) -> bytes:
    """The mail's header and body, without its attachments."""
    return _header(properties) + _body(properties)


def _header(properties: MailProperties) -> bytes:
    """The mail's own header, save what described its former content; from its properties what is missing."""
    own = written(properties.fields)
    known = {
        "From": _sender(*properties.sender),
        "Subject": properties.subject,
        "Message-ID": properties.message_id,
        "Date": _date(properties.received_at),
    }
    missing = written(((name, value) for name, value in known.items() if value), without=field_names(own))
    return own + missing + b"MIME-Version: 1.0\r\n"


def _sender(name: str, address: str) -> str:
    return formataddr((name.translate(dict.fromkeys(range(0x20), " ")), address)) if _ASCII.fullmatch(address) else ""


def _date(moment: datetime | None) -> str:
    return "" if moment is None else format_datetime(moment)


def _body(properties: MailProperties) -> bytes:
    kind = "html" if properties.is_html else "plain"
    text = base64.encodebytes(properties.body.encode("utf-8", "replace")).replace(b"\n", b"\r\n")
    return f"Content-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n".encode() + text


def _part_header(file: AttachedFile) -> bytes:
    kind = file.media_type.lower()
    if not re.fullmatch(r"[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+", kind) or kind.startswith(("multipart/", "message/")):
        kind = "application/octet-stream"  # base64 is not for the former (RFC 2045 §6.4); the reader looks inside
    name = quote((file.name or "bijlage")[:200], safe="", errors="replace")
    return (
        f"Content-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n"
        f"Content-Disposition: attachment; filename*=utf-8''{name}\r\n\r\n"
    ).encode()
