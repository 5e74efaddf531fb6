"""Small mails of an Exchange mailbox come several in one request, and none of them suffers for another one."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.fetcher.mailboxes.ews.mailbox import EwsMailbox
from services.fetcher.mailboxes.ews.together import SMALL_BYTES, TOGETHER_BYTES
from services.fetcher.mailboxes.protocol import MailGone, MailReference, MailTooLarge, MailUnreadable
from tests.mailboxes.post_offices import EwsPostOffice
from tests.servers.ews.faults import DamagedBase64, Dropped, Fault, OtherItem, Refusal, Truncated
from tests.servers.ews.store import Item

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
LIMIT = 4 * SMALL_BYTES


@pytest.fixture
def office(tmp_path: Path) -> Iterator[EwsPostOffice]:
    office = EwsPostOffice(tmp_path)
    office.server.manners.most_items = 1000
    yield office
    office.close()


@pytest.fixture
async def mailbox(office: EwsPostOffice) -> AsyncIterator[EwsMailbox]:
    mailbox = await EwsMailbox.open(office.access)
    yield mailbox
    await mailbox.close()


def deliver(office: EwsPostOffice, *sizes: int) -> list[Item]:
    return [
        office.server.deliver(f"Subject: {number}\r\n\r\n".encode() + b"x" * size, MONDAY + timedelta(minutes=number))
        for number, size in enumerate(sizes)
    ]


async def unread(mailbox: EwsMailbox) -> list[MailReference]:
    return [mail async for page in mailbox.unread(200) for mail in page]


async def fetch(mailbox: EwsMailbox, mails: list[MailReference], limit: int = LIMIT) -> list[bytes | type[Exception]]:
    async def one(mail: MailReference) -> bytes | type[Exception]:
        into = io.BytesIO()
        try:
            size = await mailbox.fetch(mail, into, limit)
        except Exception as error:  # noqa: BLE001 - its type is what the tests are about
            return type(error)
        assert size == len(into.getvalue())
        return into.getvalue()

    return await asyncio.gather(*map(one, mails))


async def test_twenty_mails_are_one_request(office: EwsPostOffice, mailbox: EwsMailbox) -> None:
    items = deliver(office, *range(40))
    assert await fetch(mailbox, await unread(mailbox)) == [item.raw for item in items]
    assert office.server.seen.operations["GetItem"] == 2


async def test_no_answer_holds_more_than_the_bytes_that_are_fetched_together(
    office: EwsPostOffice, mailbox: EwsMailbox
) -> None:
    size = SMALL_BYTES - 4096
    items = deliver(office, *[size] * 18, 3 * SMALL_BYTES)
    assert await fetch(mailbox, await unread(mailbox)) == [item.raw for item in items]
    together = TOGETHER_BYTES // size
    assert office.server.seen.operations["GetItem"] == -(-18 // together) + 1, "the large one goes alone"


@pytest.mark.parametrize(
    "fault",
    [
        Refusal("ErrorInvalidRequest", fault=True),
        Refusal("ErrorNobodyKnows"),
        Dropped(),
        Dropped(0.01),
        Truncated(),
        Truncated(0.99),
        DamagedBase64(),
        OtherItem(),
    ],
    ids=repr,
)
async def test_what_goes_wrong_with_several_mails_is_tried_with_each(
    office: EwsPostOffice, mailbox: EwsMailbox, fault: Fault
) -> None:
    items = deliver(office, 10, 5000, 20)
    mails = await unread(mailbox)
    office.server.next("GetItem", fault)
    assert await fetch(mailbox, mails) == [item.raw for item in items]
    assert await fetch(mailbox, mails) == [item.raw for item in items]


async def test_a_mail_that_cannot_be_had_costs_the_others_nothing(office: EwsPostOffice, mailbox: EwsMailbox) -> None:
    items = deliver(office, *[10] * 5)
    mails = await unread(mailbox)
    office.server.store.inbox.items.remove(items[0])
    items[2].error = "ErrorItemCorrupt"
    assert await fetch(mailbox, mails) == [MailGone, items[1].raw, MailUnreadable, items[3].raw, items[4].raw]
    assert office.server.seen.operations["GetItem"] == 3, "all at once, then the two of them"


async def test_a_mail_larger_than_was_listed_is_cut_off(office: EwsPostOffice, mailbox: EwsMailbox) -> None:
    items = deliver(office, 10, 5000, 10)
    mails = await unread(mailbox)
    listed = [replace(mail, size=10) for mail in mails]
    assert await fetch(mailbox, listed, limit=1000) == [items[0].raw, MailTooLarge, items[2].raw]


async def test_the_header_fields_that_exchange_lost_are_put_back_in_each(
    office: EwsPostOffice, mailbox: EwsMailbox
) -> None:
    items = deliver(office, 10, 10)
    for number, item in enumerate(items):
        item.transport_headers = f"X-Loop: {number}\r\n\r\n"
    assert await fetch(mailbox, await unread(mailbox)) == [
        b"X-Loop: %d\r\n" % number + item.raw for number, item in enumerate(items)
    ]


async def test_a_server_without_extended_properties_is_asked_without_them_from_then_on(
    office: EwsPostOffice, mailbox: EwsMailbox
) -> None:
    office.server.manners.refuses_properties = "ErrorInvalidPropertyRequest"
    items = deliver(office, *[10] * 4)
    mails = await unread(mailbox)
    assert await fetch(mailbox, mails) == [item.raw for item in items]
    office.server.seen.operations.clear()
    assert await fetch(mailbox, mails) == [item.raw for item in items]
    assert office.server.seen.operations["GetItem"] == 1


async def test_a_server_that_breaks_off_such_an_answer_is_asked_for_one_mail_at_a_time(
    office: EwsPostOffice, mailbox: EwsMailbox
) -> None:
    deliver(office, *[10] * 4)
    mails = await unread(mailbox)
    office.server.next("GetItem", Truncated())
    await fetch(mailbox, mails)
    office.server.seen.operations.clear()
    await fetch(mailbox, mails)
    assert office.server.seen.operations["GetItem"] == 4
