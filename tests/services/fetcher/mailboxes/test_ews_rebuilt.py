"""A mail that Exchange never gives as MIME is put together again from its properties and attachments."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest

from services.fetcher.mailboxes.ews.mailbox import EwsMailbox
from services.fetcher.mailboxes.protocol import MailReference, MailTooLarge, MailUnreadable
from tests.mailboxes.post_offices import EwsPostOffice
from tests.servers.ews.faults import Dropped, Refusal
from tests.servers.ews.store import Attachment, Item

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
LIMIT = 1_000_000
RAW = (
    b"Authentication-Results: mx; dkim=pass\r\nAuto-Submitted: auto-replied\r\nFrom: Jan <jan@klant.example>\r\n"
    b"Subject: Getekend\r\nMessage-ID: <1@klant.example>\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n\r\nHet werkt niet.\r\n"
)
SIGNED = (
    b"Content-Type: multipart/signed; boundary=b; protocol=application/pkcs7-signature\r\n\r\n"
    b"--b\r\nContent-Type: text/plain\r\n\r\nGetekend.\r\n"
    b"--b\r\nContent-Type: application/pkcs7-signature\r\n\r\n0\r\n--b--\r\n"
)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[EwsPostOffice]:
    office = EwsPostOffice(tmp_path)
    yield office
    office.close()


@pytest.fixture
async def mailbox(office: EwsPostOffice) -> AsyncIterator[EwsMailbox]:
    mailbox = await EwsMailbox.open(office.access)
    yield mailbox
    await mailbox.close()


def deliver(office: EwsPostOffice, raw: bytes = RAW, files: Sequence[Attachment] = ()) -> Item:
    item = office.server.deliver(raw, MONDAY)
    item.no_mime = True
    item.attachments = list(files)
    return item


async def only(mailbox: EwsMailbox) -> MailReference:
    (mail,) = [mail async for page in mailbox.unread(10) for mail in page]
    return mail


async def fetched(mailbox: EwsMailbox) -> EmailMessage:
    into = io.BytesIO()
    assert await mailbox.fetch(await only(mailbox), into, LIMIT) == len(into.getvalue())
    message = message_from_bytes(into.getvalue(), policy=SMTP)
    assert isinstance(message, EmailMessage)
    return message


async def test_body_attachments_and_the_header_with_which_it_arrived_are_kept(
    office: EwsPostOffice, mailbox: EwsMailbox
) -> None:
    files = [
        Attachment("fåctuur.pdf", "application/pdf", b"%PDF" * 50_000),
        Attachment('x"\r\nEvil: 1', "multipart/evil", b"tekst"),
        Attachment("Doorgestuurd", "", b"Subject: binnenin\r\n\r\nregel\r\n", is_item=True),
        Attachment("elders.docx", "application/x", None),
    ]
    deliver(office, files=files)
    message = await fetched(mailbox)
    names = ("Auto-Submitted", "Authentication-Results", "From", "Subject", "Message-ID")
    assert [message[name] for name in names] == [
        "auto-replied", "mx; dkim=pass", "Jan <jan@klant.example>", "Getekend", "<1@klant.example>",
    ]  # fmt: skip
    body = message.get_body(("plain",))
    assert body is not None
    assert body.get_content().strip() == "Het werkt niet."
    parts = list(message.iter_attachments())
    assert [part.get_filename() for part in parts][::2] == ["fåctuur.pdf", "Doorgestuurd.eml"]
    assert [part.get_content() for part in parts] == [*(file.content for file in files[:3]), b""]
    assert message["Evil"] is None


async def test_without_a_header_block_sender_subject_and_id_come_from_the_properties(
    office: EwsPostOffice, mailbox: EwsMailbox
) -> None:
    office.server.manners.refuses_properties = "ErrorInvalidPropertyRequest"
    deliver(office)
    message = await fetched(mailbox)
    assert [message[name] for name in ("From", "Subject", "Message-ID", "Date")] == [
        "Jan <jan@klant.example>", "Getekend", "<1@klant.example>", "Mon, 23 Nov 2026 09:00:00 +0000",
    ]  # fmt: skip


async def test_a_clearly_signed_mail_becomes_what_was_sent(office: EwsPostOffice, mailbox: EwsMailbox) -> None:
    deliver(office, files=[Attachment("smime.p7m", "multipart/signed", SIGNED)])
    message = await fetched(mailbox)
    assert message.get_content_type() == "multipart/signed"
    text = message.get_body(("plain",))
    assert text is not None
    assert text.get_content().strip() == "Getekend."


async def test_a_mail_whose_mime_is_empty_is_rebuilt_too(office: EwsPostOffice, mailbox: EwsMailbox) -> None:
    item = deliver(office)
    item.no_mime = False
    office.server.store.mime = lambda _: b""
    assert (await fetched(mailbox))["Subject"] == "Getekend"


async def test_D17_a_rebuilt_mail_keeps_to_the_limit(office: EwsPostOffice, mailbox: EwsMailbox) -> None:
    deliver(office, files=[Attachment("groot.bin", "application/octet-stream", b"x" * LIMIT)])
    mail = await only(mailbox)
    with pytest.raises(MailTooLarge):
        await mailbox.fetch(mail, io.BytesIO(), LIMIT)
    into = io.BytesIO()
    assert await mailbox.fetch_head(mail, into, 4096)
    assert b"Subject: Getekend\r\n" in into.getvalue()


async def test_what_cannot_be_rebuilt_either_stops_no_other_mail_and_comes_later(
    office: EwsPostOffice, mailbox: EwsMailbox
) -> None:
    deliver(office, files=[Attachment("a.txt", "text/plain", b"tekst")])
    mail = await only(mailbox)
    office.server.next("GetAttachment", Dropped())
    with pytest.raises(MailUnreadable):
        await mailbox.fetch(mail, io.BytesIO(), LIMIT)
    office.server.next("GetItem", Refusal("ErrorMimeContentConversionFailed"), Refusal("ErrorItemCorrupt"))
    with pytest.raises(MailUnreadable, match="ErrorMimeContentConversionFailed"):
        await mailbox.fetch(mail, io.BytesIO(), LIMIT)
    assert (await fetched(mailbox))["Subject"] == "Getekend"
