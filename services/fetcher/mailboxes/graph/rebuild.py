"""A mail that Exchange Online cannot write as MIME, put together again from what Graph does give.

S/MIME mail, and reports on it, meet a 500 for ever when their MIME is asked for. Exchange keeps of such a mail its
headers and one attachment: `smime.p7m`, whose bytes are the signed or enveloped content, or for a clear signature the
whole multipart/signed (MS-OXOSMIME §2.1). From these it becomes what the sender sent. Any other mail becomes a
multipart/mixed of its body and its attachments. No mail is lost for the lack of a conversion.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import format_datetime
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, Final, cast
from urllib.parse import quote

import structlog

from services.fetcher.rules.transport_headers import field_names, written
from shared.microsoft.errors import GraphRefused, Interrupted, MicrosoftError
from shared.microsoft.graph import GraphClient, identity

_FACTS: Final = "internetMessageHeaders,internetMessageId,subject,receivedDateTime,body"
_BOUNDARY: Final = "=_rebuilt_from_microsoft_graph"
"""«=_» cannot stand in base64, so that no part holds it."""
_LINES: Final = 57 * 1024
"""Bytes that are 1024 lines of base64."""
_IN_MEMORY: Final = 1024 * 1024
_MOST_ATTACHMENTS: Final = 1000

log = structlog.get_logger(__name__)


class SizedDifferently(MicrosoftError):
    """Put together, the mail is larger than the limit."""


async def rebuild(graph: GraphClient, path: str, into: BinaryIO, limit: int) -> int:
    """Write the mail at `path` into `into`, at most `limit` bytes; its size. Raises SizedDifferently."""
    facts = await graph.get(path, select=_FACTS)
    files = await _attachments(graph, path)
    mail = _Writer(into, limit)
    mail.write(_headers(facts))
    if len(files) == 1 and _is_smime(files[0]):
        await _write_smime(graph, path, files[0], mail)
    else:
        mail.write(f'Content-Type: multipart/mixed; boundary="{_BOUNDARY}"\r\n\r\n'.encode())
        mail.write(b"--%s\r\n%s\r\n" % (_BOUNDARY.encode(), _body(facts)))
        for file in files:
            mail.write(b"--%s\r\n%s" % (_BOUNDARY.encode(), _part_headers(file)))
            await _write_content(graph, path, file, mail)
            mail.write(b"\r\n")
        mail.write(b"--%s--\r\n" % _BOUNDARY.encode())
    log.info("mail_rebuilt", attachments=len(files), size=mail.written)
    return mail.written


async def rebuild_head(graph: GraphClient, path: str) -> bytes:
    """The headers and the body of the mail at `path`, without its attachments."""
    facts = await graph.get(path, select=_FACTS)
    return _headers(facts) + _body(facts)


class _Writer:
    def __init__(self, into: BinaryIO, limit: int) -> None:
        self._into = into
        self.limit = limit
        self.written = 0

    def write(self, piece: bytes) -> None:
        if self.written + len(piece) > self.limit:
            raise SizedDifferently(f"De mail is groter dan {self.limit} bytes.")
        self._into.write(piece)
        self.written += len(piece)


async def _attachments(graph: GraphClient, path: str) -> list[Mapping[str, Any]]:
    files: list[Mapping[str, Any]] = []
    async for page in graph.pages(await graph.get(f"{path}/attachments", select="id,name,contentType,size")):
        listed = page.get("value")
        if not isinstance(listed, list) or not all(isinstance(file, dict) for file in listed):
            raise Interrupted("Microsoft Graph gaf geen lijst van bijlagen; het wordt opnieuw geprobeerd.")
        files += listed
        if len(files) > _MOST_ATTACHMENTS:
            raise SizedDifferently(f"De mail heeft meer dan {_MOST_ATTACHMENTS} bijlagen.")
    return files


def _is_smime(file: Mapping[str, Any]) -> bool:
    kind = str(file.get("contentType") or "").lower()
    return kind.startswith(("multipart/signed", "application/pkcs7-mime", "application/x-pkcs7-mime")) or (
        str(file.get("name") or "").lower() == "smime.p7m"
    )


async def _write_smime(graph: GraphClient, path: str, file: Mapping[str, Any], mail: _Writer) -> None:
    with SpooledTemporaryFile(max_size=_IN_MEMORY) as spooled:
        content = cast(BinaryIO, spooled)
        await _download(graph, path, file, content, mail.limit)
        content.seek(0)
        if re.match(rb"(?i)(mime-version:.*\r?\n)?content-type:\s*multipart/signed", content.read(200)):
            content.seek(0)
            while piece := content.read(_LINES):  # the attachment is the whole entity, its own headers first
                mail.write(piece)
            return
        content.seek(0)
        mail.write(_part_headers({**file, "contentType": "application/pkcs7-mime", "name": "smime.p7m"}))
        _write_base64(content, mail)


async def _write_content(graph: GraphClient, path: str, file: Mapping[str, Any], mail: _Writer) -> None:
    with SpooledTemporaryFile(max_size=_IN_MEMORY) as spooled:
        content = cast(BinaryIO, spooled)
        try:
            await _download(graph, path, file, content, mail.limit)
        except GraphRefused as refused:  # a link to a file in the cloud has no content
            log.warning("attachment_without_content", status=refused.status, code=refused.code)
            return
        content.seek(0)
        _write_base64(content, mail)


async def _download(graph: GraphClient, path: str, file: Mapping[str, Any], into: BinaryIO, limit: int) -> None:
    content = await graph.download(f"{path}/attachments/{quote(identity(file), safe='')}/$value", into, limit)
    if not content.complete:
        raise SizedDifferently(f"De mail is groter dan {limit} bytes.")


def _write_base64(content: BinaryIO, mail: _Writer) -> None:
    while piece := content.read(_LINES):
        mail.write(base64.encodebytes(piece).replace(b"\n", b"\r\n"))


def _headers(facts: Mapping[str, Any]) -> bytes:
    """The mail's own headers, save those that described its former content; made from its properties where missing."""
    listed = facts.get("internetMessageHeaders")
    own = written(
        (str(each.get("name")), str(each.get("value")))
        for each in (listed if isinstance(listed, list) else [])
        if isinstance(each, dict)
    )
    properties = {"Subject": facts.get("subject"), "Message-ID": facts.get("internetMessageId"), "Date": _date(facts)}
    missing = written(((name, str(value)) for name, value in properties.items() if value), without=field_names(own))
    return own + missing + b"MIME-Version: 1.0\r\n"


def _date(facts: Mapping[str, Any]) -> str | None:
    try:
        return format_datetime(datetime.fromisoformat(str(facts.get("receivedDateTime"))[:40]))
    except (ValueError, OverflowError):
        return None


def _body(facts: Mapping[str, Any]) -> bytes:
    given = facts.get("body")
    body = given if isinstance(given, dict) else {}
    kind = "html" if body.get("contentType") == "html" else "plain"
    text = base64.encodebytes(str(body.get("content") or "").encode("utf-8", "replace")).replace(b"\n", b"\r\n")
    return f"Content-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n".encode() + text


def _part_headers(file: Mapping[str, Any]) -> bytes:
    kind = str(file.get("contentType") or "").lower()
    if not re.fullmatch(r"[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+", kind) or kind.startswith(("multipart/", "message/")):
        kind = "application/octet-stream"  # base64 is not for the former (RFC 2045 §6.4); the reader looks inside
    name = quote(str(file.get("name") or "bijlage")[:200], safe="")
    return (
        f"Content-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n"
        f"Content-Disposition: attachment; filename*=utf-8''{name}\r\n\r\n"
    ).encode()
