"""A mail that Exchange Online cannot write as MIME, by what Graph gives of it (`rebuilt_mail`).

S/MIME mail, and reports on it, meet a 500 for ever when their MIME is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, BinaryIO, Final
from urllib.parse import quote

import structlog

from services.fetcher.mailboxes.protocol import MailTooLarge
from services.fetcher.mailboxes.rebuilt_mail import (
    MOST_ATTACHMENTS,
    AttachedFile,
    MailProperties,
    RebuiltMail,
    rebuilt_head,
)
from shared.microsoft.errors import GraphRefused, Interrupted
from shared.microsoft.graph import GraphClient, identity

_PROPERTIES: Final = "internetMessageHeaders,internetMessageId,subject,receivedDateTime,from,body"

log = structlog.get_logger(__name__)


async def rebuild(graph: GraphClient, path: str, into: BinaryIO, limit: int) -> int:
    """Write the mail at `path` into `into`, at most `limit` bytes; its size. Raises MailTooLarge."""
    properties = await _properties(graph, path)
    files = await _attachments(graph, path, limit)
    mail = RebuiltMail(properties, files, into, limit)
    for file, content in mail.write():
        try:
            await _download(graph, path, file, content, limit)
        except GraphRefused as refused:  # a link to a file in the cloud has no content
            if mail.is_smime:
                raise
            log.warning("attachment_without_content", status=refused.status, code=refused.code)
    return mail.written


async def rebuild_head(graph: GraphClient, path: str) -> bytes:
    """The headers and the body of the mail at `path`, without its attachments."""
    return rebuilt_head(await _properties(graph, path))


async def _properties(graph: GraphClient, path: str) -> MailProperties:
    told = await graph.get(path, select=_PROPERTIES)
    listed, body = told.get("internetMessageHeaders"), _object(told, "body")
    sender = _object(_object(told, "from"), "emailAddress")
    return MailProperties(
        [
            (str(each.get("name")), str(each.get("value")))
            for each in (listed if isinstance(listed, list) else [])
            if isinstance(each, dict)
        ],
        subject=str(told.get("subject") or ""),
        message_id=str(told.get("internetMessageId") or ""),
        received_at=_moment(told.get("receivedDateTime")),
        sender=(str(sender.get("name") or ""), str(sender.get("address") or "")),
        body=str(body.get("content") or ""),
        is_html=body.get("contentType") == "html",
    )


async def _attachments(graph: GraphClient, path: str, limit: int) -> list[AttachedFile]:
    files: list[AttachedFile] = []
    async for page in graph.pages(await graph.get(f"{path}/attachments", select="id,name,contentType,size")):
        listed = page.get("value")
        if not isinstance(listed, list) or not all(isinstance(file, dict) for file in listed):
            raise Interrupted("Microsoft Graph gaf geen lijst van bijlagen; het wordt opnieuw geprobeerd.")
        files += [
            AttachedFile(identity(file), str(file.get("name") or ""), str(file.get("contentType") or ""))
            for file in listed
        ]
        if len(files) > MOST_ATTACHMENTS:
            raise MailTooLarge(f"De mail heeft meer dan {MOST_ATTACHMENTS} bijlagen; de grens is {limit} bytes.")
    return files


async def _download(graph: GraphClient, path: str, file: AttachedFile, into: BinaryIO, limit: int) -> None:
    content = await graph.download(f"{path}/attachments/{quote(file.key, safe='')}/$value", into, limit)
    if not content.complete:
        raise MailTooLarge(f"De mail is groter dan {limit} bytes.")


def _object(told: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = told.get(name)
    return value if isinstance(value, dict) else {}


def _moment(written: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(written)[:40])
    except ValueError:
        return None
