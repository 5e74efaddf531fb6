"""Mails of which Exchange writes the MIME anew and loses what tells of a machine or a forger (SPEC D6, D10, D13)."""

import io
import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.classifier.reading.reader import read_mail
from services.classifier.reading.values import ReadingSettings, ReadMail
from services.fetcher.mailboxes.ews.mailbox import EwsMailbox
from services.fetcher.mailboxes.protocol import MailTooLarge
from shared.messages import DmarcResult
from tests.mailboxes.post_offices import EwsPostOffice

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
LIMIT = 10_000_000
KEPT = b"From: Jan <jan@klant.example>\r\nDate: Mon, 23 Nov 2026 10:00:00 +0100\r\nSubject: Afwezig\r\n"
LOST = (
    b"Received: from elders.example by mx.ons.example; Mon, 23 Nov 2026 10:00:00 +0100\r\n"
    b"Authentication-Results: mx.ons.example; dmarc=fail header.from=klant.example\r\n"
    b"Authentication-Results: mx.ons.example; dmarc=pass header.from=klant.example\r\n"
    b"Auto-Submitted: auto-replied\r\n"
)
BODY = b"Content-Type: text/plain\r\n\r\nIk ben er niet.\r\n"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[EwsPostOffice]:
    office = EwsPostOffice(tmp_path)
    office.server.store.mime = lambda raw: re.sub(
        rb"(?m)^(?:Received|Authentication-Results|Auto-Submitted|X-[a-z]+):[^\n]*\n", b"", raw
    )
    yield office
    office.close()


async def taken(office: EwsPostOffice, *, limit: int = LIMIT, head: bool = False) -> bytes:
    mailbox = await EwsMailbox.open(office.access)
    try:
        (mail,) = [mail async for page in mailbox.unread(10) for mail in page]
        into = io.BytesIO()
        size = await (mailbox.fetch_head(mail, into, limit) if head else mailbox.fetch(mail, into, limit))
        assert head or (size == len(into.getvalue()) and into.tell() == size)
        return into.getvalue()
    finally:
        await mailbox.close()


def read(raw: bytes) -> ReadMail:
    return read_mail(raw, uuid.UUID(int=1), ReadingSettings(trusted_authserv_ids=("mx.ons.example",)))


async def test_D6_D10_D13_an_automatic_forged_mail_is_seen_as_such_and_keeps_its_identity(
    office: EwsPostOffice,
) -> None:
    office.deliver(LOST + KEPT + BODY, MONDAY)
    raw = await taken(office)
    assert raw == LOST + KEPT + BODY
    assert await taken(office) == raw
    mail, without = read(raw), read(KEPT + BODY)
    assert mail.automatic is not None
    assert without.automatic is None
    assert (mail.dmarc, without.dmarc) == (DmarcResult.FAIL, DmarcResult.NONE)
    assert mail.content_key == without.content_key


@pytest.mark.parametrize("code", ["ErrorSchemaValidation", "ErrorInvalidExtendedProperty"])
async def test_a_server_that_refuses_the_property_gives_the_mail_as_before(office: EwsPostOffice, code: str) -> None:
    office.server.manners.refuses_properties = code
    office.deliver(LOST + KEPT + BODY, MONDAY)
    assert await taken(office) == KEPT + BODY
    assert await taken(office, head=True) == KEPT + BODY


async def test_a_server_without_the_property_gives_the_mail_as_before(office: EwsPostOffice) -> None:
    office.server.store.keeps_headers = False
    office.deliver(LOST + KEPT + BODY, MONDAY)
    assert await taken(office) == KEPT + BODY


async def test_a_forger_hides_nothing_behind_characters_that_xml_cannot_hold(office: EwsPostOffice) -> None:
    key = office.deliver(LOST + KEPT + BODY, MONDAY)
    item = next(item for item in office.server.store.inbox.items if item.key == key)
    item.transport_headers = "X-a: \x00\x01\ufffe\uffff\r\n\x1f\r\n" + LOST.decode()
    raw = await taken(office)
    assert read(raw).dmarc is DmarcResult.FAIL
    assert raw.endswith(LOST + KEPT + BODY)


async def test_D17_of_a_mail_too_large_the_head_has_them_too(office: EwsPostOffice) -> None:
    office.deliver(LOST + KEPT + BODY + b"regel\r\n" * 200_000, MONDAY)
    head = await taken(office, limit=4096, head=True)
    assert head.startswith(LOST + KEPT + BODY)
    assert 4000 < len(head) <= 4096
    with pytest.raises(MailTooLarge):
        await taken(office, limit=len(KEPT + BODY) + 200_000 * 7)
    assert await taken(office) == LOST + KEPT + BODY + b"regel\r\n" * 200_000
