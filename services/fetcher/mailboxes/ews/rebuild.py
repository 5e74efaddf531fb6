"""A mail that Exchange does not give as MIME, by its properties and attachments (`rebuilt_mail`)."""

from __future__ import annotations

from typing import BinaryIO
from xml.etree.ElementTree import Element

import structlog

from services.fetcher.mailboxes.ews.answer_reader import AnswerReader, MimeDecoder
from services.fetcher.mailboxes.ews.answers import EwsError, attached_files, moment, transport_headers
from services.fetcher.mailboxes.ews.response_codes import NO_PROPERTY, REFUSES_PROPERTIES
from services.fetcher.mailboxes.ews.session import EwsSession
from services.fetcher.mailboxes.protocol import MailReference, MailTooLarge
from services.fetcher.mailboxes.rebuilt_mail import (
    MOST_ATTACHMENTS,
    AttachedFile,
    MailProperties,
    RebuiltMail,
    rebuilt_head,
)
from services.fetcher.rules.transport_headers import fields_of

log = structlog.get_logger(__name__)


class NothingToRebuild(Exception):
    """Exchange tells nothing of the mail either."""


def rebuild(session: EwsSession, mail: MailReference, into: BinaryIO, limit: int) -> int:
    """Write the mail into `into`, at most `limit` bytes; its size.

    Raises MailTooLarge, NothingToRebuild, and what `EwsSession.ask` raises.
    """
    properties, files = _told(session, mail)
    rebuilt = RebuiltMail(properties, files, into, limit)
    for file, content in rebuilt.write():
        _download(session, file, content, limit)
    return rebuilt.written


def rebuild_head(session: EwsSession, mail: MailReference) -> bytes:
    """The mail's header and body, without its attachments. Raises as `rebuild`."""
    return rebuilt_head(_told(session, mail)[0])


def _told(session: EwsSession, mail: MailReference) -> tuple[MailProperties, list[AttachedFile]]:
    try:
        message = session.ask(session.requests.get_properties(mail.key, with_headers=True))
    except EwsError as error:
        if error.code not in REFUSES_PROPERTIES | NO_PROPERTY:
            raise
        message = session.ask(session.requests.get_properties(mail.key, with_headers=False))
    properties, files = _properties(message), attached_files(message)
    if properties.tells_nothing and not files:
        raise NothingToRebuild
    if len(files) > MOST_ATTACHMENTS:
        raise MailTooLarge(f"De mail heeft meer dan {MOST_ATTACHMENTS} bijlagen.")
    return properties, files


def _properties(message: Element) -> MailProperties:
    def text(path: str) -> str:
        return (message.findtext(f".//Items/*/{path}") or "").strip()

    body = message.find(".//Items/*/Body")
    return MailProperties(
        list(fields_of(transport_headers(message))),
        subject=text("Subject"),
        message_id=text("InternetMessageId"),
        received_at=moment(text("DateTimeReceived")),
        sender=(text("From/Mailbox/Name"), text("From/Mailbox/EmailAddress")),
        body="" if body is None else body.text or "",
        is_html=body is not None and body.get("BodyType") == "HTML",
    )


def _download(session: EwsSession, file: AttachedFile, into: BinaryIO, limit: int) -> None:
    decoder: MimeDecoder

    def write(data: bytes) -> None:
        if decoder.size > limit:
            raise MailTooLarge(f"De mail is groter dan {limit} bytes.")
        into.write(data)

    decoder = MimeDecoder(write)
    try:
        session.ask(session.requests.get_attachment(file.key), AnswerReader([decoder]))
    except EwsError as error:  # a link to a file in the cloud has no content
        log.warning("attachment_without_content", code=error.code)
