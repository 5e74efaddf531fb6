"""What every mailbox kind does alike: the fetcher relies on nothing else.

Each test runs over each kind in `POST_OFFICES`.
"""

import asyncio
import io
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.fetcher.mailboxes.protocol import (
    INBOX,
    ItemKey,
    Mailbox,
    MailboxMissing,
    MailGone,
    MailReference,
    MailTooLarge,
)
from services.fetcher.mailboxes.registry import OPENERS, open_mailbox
from tests.mailboxes.post_offices import POST_OFFICES, SERVERS, PostOffice

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
LIMIT = 1_000_000


def mail(subject: str, body: str = "Goedemorgen,\r\n\r\nhet werkt niet.\r\n") -> bytes:
    return f"From: Jan <jan@klant.example>\r\nSubject: {subject}\r\n\r\n{body}".encode()


@pytest.fixture(params=sorted(POST_OFFICES))
def post_office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[PostOffice]:
    servers = map(request.getfixturevalue, SERVERS.get(request.param, ()))
    office = POST_OFFICES[request.param](tmp_path, *servers)
    yield office
    office.close()


@pytest.fixture
async def mailbox(post_office: PostOffice) -> AsyncIterator[Mailbox]:
    opened = await open_mailbox(post_office.access)
    yield opened
    await opened.close()


async def unread(mailbox: Mailbox, page_size: int = 100) -> list[MailReference]:
    return [reference async for page in mailbox.unread(page_size) for reference in page]


async def only_unread(mailbox: Mailbox) -> MailReference:
    (reference,) = await unread(mailbox)
    return reference


async def fetched(mailbox: Mailbox, reference: MailReference) -> bytes:
    into = io.BytesIO()
    size = await mailbox.fetch(reference, into, LIMIT)
    assert size == len(into.getvalue())
    return into.getvalue()


def test_every_kind_is_held_to_this_suite() -> None:
    assert set(POST_OFFICES) == set(OPENERS)


async def test_an_empty_mailbox_lists_nothing(mailbox: Mailbox) -> None:
    assert await unread(mailbox) == []


async def test_W1_unread_mail_is_listed_with_its_key_arrival_and_size(
    mailbox: Mailbox, post_office: PostOffice
) -> None:
    raw = mail("Printer")
    key = post_office.deliver(raw, MONDAY)
    reference = await only_unread(mailbox)
    assert (reference.key, reference.received_at) == (key, MONDAY)
    assert reference.size is None or reference.size >= len(raw)


async def test_read_mail_is_not_listed(mailbox: Mailbox, post_office: PostOffice) -> None:
    post_office.read_by_somebody(post_office.deliver(mail("Gelezen"), MONDAY))
    assert await unread(mailbox) == []


async def test_mail_set_back_to_unread_is_listed_under_the_same_key(mailbox: Mailbox, post_office: PostOffice) -> None:
    key = post_office.deliver(mail("Terug"), MONDAY)
    await mailbox.mark_read(await only_unread(mailbox))
    post_office.unread_by_somebody(key)
    assert (await only_unread(mailbox)).key == key


async def test_the_oldest_mail_comes_first_in_pages_no_larger_than_asked(
    mailbox: Mailbox, post_office: PostOffice
) -> None:
    minutes = [5, 1, 4, 0, 3, 2, 6]
    keys = {minute: post_office.deliver(mail(f"{minute}"), MONDAY + timedelta(minutes=minute)) for minute in minutes}
    pages = [page async for page in mailbox.unread(3)]
    assert all(0 < len(page) <= 3 for page in pages)
    assert mailbox.listed == len(minutes)
    assert [reference.key for page in pages for reference in page] == [keys[minute] for minute in sorted(minutes)]


async def test_marking_while_listing_skips_no_mail(mailbox: Mailbox, post_office: PostOffice) -> None:
    """QUIRK: EWS and Graph count offsets in the filtered view: marking while paging saw 6 of 10 there."""
    keys = [post_office.deliver(mail(f"{n}"), MONDAY + timedelta(minutes=n)) for n in range(10)]
    seen: list[ItemKey] = []
    async for page in mailbox.unread(2):
        for reference in page:
            seen.append(reference.key)
            await mailbox.mark_read(reference)
    assert seen == keys
    assert await unread(mailbox) == []


async def test_mail_that_arrives_while_listing_comes_now_or_next_time_but_once(
    mailbox: Mailbox, post_office: PostOffice
) -> None:
    keys = [post_office.deliver(mail(f"{n}"), MONDAY + timedelta(minutes=n)) for n in range(4)]
    seen: list[ItemKey] = []
    async for page in mailbox.unread(2):
        if not seen:
            keys.append(post_office.deliver(mail("later"), MONDAY + timedelta(hours=1)))
        for reference in page:
            seen.append(reference.key)
            await mailbox.mark_read(reference)
    seen += [reference.key for reference in await unread(mailbox)]
    assert sorted(seen) == sorted(keys)


async def test_mail_that_others_remove_while_listing_stops_nothing(mailbox: Mailbox, post_office: PostOffice) -> None:
    keys = [post_office.deliver(mail(f"{n}"), MONDAY + timedelta(minutes=n)) for n in range(6)]
    seen: list[ItemKey] = []
    async for page in mailbox.unread(2):
        seen += [reference.key for reference in page]
        if len(seen) == 2:
            post_office.remove(keys[3])
    assert [key for key in seen if key != keys[3]] == [key for key in keys if key != keys[3]]


async def test_a_fetched_mail_is_the_mail_that_was_delivered_and_stays_unread(
    mailbox: Mailbox, post_office: PostOffice
) -> None:
    raw = mail("Bytes", "hoge bytes: \xe9\u20ac\r\n.punt\r\n\r\n")
    key = post_office.deliver(raw, MONDAY)
    assert await fetched(mailbox, await only_unread(mailbox)) == raw
    assert not post_office.is_read(key)


async def test_a_mail_that_somebody_reads_meanwhile_is_still_fetched(mailbox: Mailbox, post_office: PostOffice) -> None:
    raw = mail("Net gelezen")
    key = post_office.deliver(raw, MONDAY)
    reference = await only_unread(mailbox)
    post_office.read_by_somebody(key)
    assert await fetched(mailbox, reference) == raw


async def test_a_mail_that_is_gone_says_so(mailbox: Mailbox, post_office: PostOffice) -> None:
    key = post_office.deliver(mail("Weg"), MONDAY)
    reference = await only_unread(mailbox)
    post_office.remove(key)
    with pytest.raises(MailGone):
        await mailbox.fetch(reference, io.BytesIO(), LIMIT)
    with pytest.raises(MailGone):
        await mailbox.fetch_head(reference, io.BytesIO(), LIMIT)


async def test_D17_a_mail_is_not_fetched_beyond_the_limit(mailbox: Mailbox, post_office: PostOffice) -> None:
    raw = mail("Groot", "x" * 70 + "\r\n")
    post_office.deliver(raw, MONDAY)
    into = io.BytesIO()
    with pytest.raises(MailTooLarge):
        await mailbox.fetch(await only_unread(mailbox), into, len(raw) - 1)
    assert len(into.getvalue()) < len(raw)


async def test_a_mail_of_exactly_the_limit_is_fetched(mailbox: Mailbox, post_office: PostOffice) -> None:
    raw = mail("Precies")
    post_office.deliver(raw, MONDAY)
    assert await mailbox.fetch(await only_unread(mailbox), io.BytesIO(), len(raw)) == len(raw)


async def test_D17_the_head_of_a_mail_holds_its_headers_and_first_text_in_whole_lines(
    mailbox: Mailbox, post_office: PostOffice
) -> None:
    raw = mail("Te groot", "eerste regel\r\n" + "volgende regel\r\n" * 10_000)
    key = post_office.deliver(raw, MONDAY)
    into = io.BytesIO()
    size = await mailbox.fetch_head(await only_unread(mailbox), into, 4096)
    head = into.getvalue()
    assert size >= len(raw)
    assert b"Subject: Te groot\r\n" in head
    assert b"eerste regel\r\n" in head
    assert len(head) <= 4096
    assert head.endswith(b"\r\n")
    assert not post_office.is_read(key)


async def test_marking_read_is_seen_by_others_and_can_be_repeated(mailbox: Mailbox, post_office: PostOffice) -> None:
    raw = mail("Klaar")
    key = post_office.deliver(raw, MONDAY)
    reference = await only_unread(mailbox)
    await mailbox.mark_read(reference)
    await mailbox.mark_read(reference)
    assert post_office.is_read(key)
    assert post_office.contents(INBOX) == [raw]


async def test_marking_a_mail_that_others_read_or_removed_is_done(mailbox: Mailbox, post_office: PostOffice) -> None:
    read, removed = (post_office.deliver(mail(subject), MONDAY) for subject in ("Gelezen", "Verwijderd"))
    references = {reference.key: reference for reference in await unread(mailbox)}
    post_office.read_by_somebody(read)
    post_office.remove(removed)
    await mailbox.mark_read(references[read])
    await mailbox.mark_read(references[removed])
    assert post_office.is_read(read)


async def test_a_mail_is_moved_to_a_folder_that_is_made_when_missing(mailbox: Mailbox, post_office: PostOffice) -> None:
    raw, other = mail("Archiveren"), mail("Ook")
    for minute, content in enumerate((raw, other)):
        post_office.deliver(content, MONDAY + timedelta(minutes=minute))
    for reference in await unread(mailbox):
        await mailbox.mark_read(reference)
        await mailbox.move(reference, "Archief")
        await mailbox.move(reference, "Archief")
    assert sorted(post_office.contents("Archief")) == sorted([raw, other])
    assert post_office.contents(INBOX) == []


async def test_a_deleted_mail_lies_among_the_deleted_items(mailbox: Mailbox, post_office: PostOffice) -> None:
    raw = mail("Weggooien")
    post_office.deliver(raw, MONDAY)
    reference = await only_unread(mailbox)
    await mailbox.delete(reference)
    await mailbox.delete(reference)
    assert post_office.deleted() == [raw]
    assert post_office.contents(INBOX) == []


async def test_acts_need_no_more_than_the_key_and_the_arrival(mailbox: Mailbox, post_office: PostOffice) -> None:
    """After a restart the ledger remembers no more of a mail."""
    raw = mail("Herstart")
    key = post_office.deliver(raw, MONDAY)
    remembered = MailReference(key, MONDAY, size=None)
    assert await fetched(mailbox, remembered) == raw
    await mailbox.mark_read(remembered)
    assert post_office.is_read(key)
    await mailbox.move(remembered, "Archief")
    assert post_office.contents("Archief") == [raw]


async def test_two_mails_with_the_same_bytes_are_two_items(mailbox: Mailbox, post_office: PostOffice) -> None:
    keys = {post_office.deliver(mail("Kopie"), MONDAY) for _ in range(2)}
    assert {reference.key for reference in await unread(mailbox)} == keys


async def test_a_health_check_counts_unread_mail_and_changes_nothing(mailbox: Mailbox, post_office: PostOffice) -> None:
    keys = [post_office.deliver(mail(f"{n}"), MONDAY) for n in range(3)]
    post_office.read_by_somebody(keys[0])
    health = await mailbox.health_check()
    assert health.unread == 2
    assert health.description
    assert {reference.key for reference in await unread(mailbox)} == set(keys[1:])


async def test_a_change_ends_the_wait_where_the_kind_has_notifications(
    mailbox: Mailbox, post_office: PostOffice
) -> None:
    waiting = asyncio.create_task(mailbox.wait_for_change())
    post_office.deliver(mail("voor"), MONDAY)
    if not post_office.notifies:
        await mailbox.health_check()
        assert not waiting.done()
        waiting.cancel()
        return
    async with asyncio.timeout(20):
        await waiting
        waiting = asyncio.create_task(mailbox.wait_for_change())
        await asyncio.sleep(0)
        assert not waiting.done()
        post_office.deliver(mail("tijdens"), MONDAY)
        await waiting


async def test_a_mailbox_that_is_not_there_is_refused_with_a_sentence(post_office: PostOffice) -> None:
    post_office.break_down()
    with pytest.raises(MailboxMissing, match=r"controleer .*\.$"):
        await open_mailbox(post_office.access)


async def test_a_mailbox_that_disappears_while_open_says_so(mailbox: Mailbox, post_office: PostOffice) -> None:
    post_office.break_down()
    with pytest.raises(MailboxMissing):
        await unread(mailbox)
    with pytest.raises(MailboxMissing):
        await mailbox.health_check()


async def test_a_folder_that_is_not_there_is_refused_with_a_sentence(post_office: PostOffice) -> None:
    with pytest.raises(MailboxMissing, match=r"map.*\.$"):
        await open_mailbox(replace(post_office.access, folder="Bestaat niet"))


async def test_an_unknown_kind_is_refused_with_a_sentence(post_office: PostOffice) -> None:
    with pytest.raises(MailboxMissing, match="kies een van"):
        await open_mailbox(replace(post_office.access, kind="pop3"))


# ── mail that somebody read first ─────────────────────────────────────────────────────────────────────────────────────


def lately(minutes: float) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=minutes)


async def arrived(mailbox: Mailbox, state: str | None, since: datetime) -> tuple[list[ItemKey], str]:
    given = await mailbox.arrivals(state, since)
    assert list(given.mails) == sorted(given.mails, key=lambda each: each.received_at)
    return [each.key for each in given.mails], given.state


async def test_a_first_look_gives_what_was_received_since_a_moment_whoever_read_it(
    mailbox: Mailbox, post_office: PostOffice
) -> None:
    keys = [post_office.deliver(mail(f"{minutes}"), lately(minutes)) for minutes in (50, 40, 30, 20, 10, 5)]
    for key in keys[::2]:
        post_office.read_by_somebody(key)
    assert (await arrived(mailbox, None, lately(25)))[0] == keys[3:]
    assert (await arrived(mailbox, None, lately(0) + timedelta(minutes=1)))[0] == []


async def test_mail_that_was_read_before_the_next_look_is_given_by_it(
    mailbox: Mailbox, post_office: PostOffice
) -> None:
    post_office.deliver(mail("Ervoor"), lately(300))
    before, state = await arrived(mailbox, None, lately(20))
    assert before == []
    keys = [post_office.deliver(mail(f"{number}"), lately(9 - number)) for number in range(9)]
    for key in keys[:5]:
        post_office.read_by_somebody(key)
    post_office.remove(keys[7])
    given, state = await arrived(mailbox, state, lately(20))
    assert given == [*keys[:7], keys[8]], "what was moved away before the look is not there"
    later = post_office.deliver(mail("Later"), lately(0))
    post_office.read_by_somebody(later)
    assert later in (await arrived(mailbox, state, lately(20)))[0]


async def test_a_look_from_a_state_that_is_lost_begins_at_a_moment_and_not_with_everything(
    mailbox: Mailbox, post_office: PostOffice
) -> None:
    for minutes in (500, 400, 300):
        post_office.read_by_somebody(post_office.deliver(mail(f"{minutes}"), lately(minutes)))
    _, state = await arrived(mailbox, None, lately(0))
    new = mail("Nieuw")
    post_office.read_by_somebody(post_office.deliver(new, lately(2)))
    post_office.lose_state()
    again = await open_mailbox(post_office.access)  # a server that numbers a folder anew ends its connections
    try:
        given = await again.arrivals(state, lately(10))
        assert [await fetched(again, each) for each in given.mails] == [new]
        assert (await again.arrivals(given.state, lately(10))).state
    finally:
        await again.close()


@pytest.mark.parametrize("state", ["", "x", "9" * 40, "https://elders.example/v1.0/x", "1.1"])
async def test_what_is_no_state_of_this_mailbox_is_a_lost_one(
    mailbox: Mailbox, post_office: PostOffice, state: str
) -> None:
    post_office.deliver(mail("Ervoor"), lately(300))
    key = post_office.deliver(mail("Nieuw"), lately(1))
    assert (await arrived(mailbox, state, lately(10)))[0] == [key]
