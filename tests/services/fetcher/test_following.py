"""Mail that somebody read before the importer looked: a setting imports it too, from a moment on, once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

import pytest

from services.fetcher.flow import Findings
from services.fetcher.mailbox_comparison import Comparison
from services.fetcher.mailboxes import protocol
from services.fetcher.mailboxes.ews import changes
from services.fetcher.mailboxes.imap import changes as imap_changes
from services.fetcher.mailboxes.imap import session
from services.fetcher.mailboxes.protocol import ItemKey, MailReference, MailUnreadable
from services.fetcher.mailboxes.registry import open_mailbox
from services.fetcher.repository.ledger import Ledger
from services.fetcher.repository.trial import MailboxToTry, mailbox_to_try
from services.fetcher.rules.following import Following, Reached
from shared.blobs.postgres import PostgresBlobs
from shared.mail_identity import mail_id
from shared.messages import MailId
from shared.microsoft import graph
from shared.sealing import Keyring, new_key
from tests.mailboxes.post_offices import POST_OFFICES, SERVERS, PostOffice
from tests.services.fetcher.harness import Desk, Faulty, Fetching, mail, minutes_ago


class Withholding(Faulty):
    """It lists its mails and gives none."""

    async def fetch(self, mail: MailReference, into: BinaryIO, limit: int) -> int:  # noqa: ARG002 - as Mailbox has it
        raise MailUnreadable("De mail komt niet.")


async def bodies(desk: Desk) -> list[bytes]:
    return [message.body for _, message in await desk.messages()]


def read_first(office: PostOffice, subject: str, minutes: float) -> ItemKey:
    key = office.deliver(mail(subject), minutes_ago(minutes))
    office.read_by_somebody(key)
    return key


async def test_W1_read_mail_stays_where_it_is_without_the_setting(desk: Desk, fetching: Fetching) -> None:
    read_first(desk.post_office, "Gelezen", 1)
    assert (await fetching.check()).taken_in == 0


async def test_mail_that_was_read_first_is_imported_from_the_settings_moment_on(desk: Desk, fetching: Fetching) -> None:
    read_first(desk.post_office, "Ervoor", 60)
    await desk.set(read_mail_from=minutes_ago(30))
    read_first(desk.post_office, "Erna", 20)
    desk.post_office.deliver(mail("Ongelezen, van ervoor"), minutes_ago(50))
    desk.post_office.deliver(mail("Ongelezen"), minutes_ago(10))
    read_first(desk.post_office, "Het laatst", 5)
    await fetching.check()
    assert await bodies(desk) == [
        mail(subject) for subject in ("Ongelezen, van ervoor", "Erna", "Ongelezen", "Het laatst")
    ]
    assert (await fetching.check()).taken_in == 0
    read_first(desk.post_office, "Daarna", 0)
    await fetching.check()
    assert await bodies(desk) == [mail("Daarna")]


async def test_switching_it_off_and_on_doubles_nothing_and_brings_nothing_from_between(
    desk: Desk, fetching: Fetching
) -> None:
    await desk.set(read_mail_from=minutes_ago(30))
    read_first(desk.post_office, "Eerst", 20)
    assert (await fetching.check()).taken_in == 1
    await desk.set(read_mail_from=None)
    assert (await fetching.check()).taken_in == 0
    assert (await desk.state())["sync_state"] is None
    read_first(desk.post_office, "Ertussen", 10)
    assert (await fetching.check()).taken_in == 0
    await desk.set(read_mail_from=minutes_ago(5))
    assert (await fetching.check()).taken_in == 0
    read_first(desk.post_office, "Daarna", 0)
    assert (await fetching.check()).taken_in == 1
    await desk.set(read_mail_from=minutes_ago(15))
    assert (await fetching.check()).taken_in == 1, "a moment further back is an earlier beginning"
    assert await bodies(desk) == [mail("Eerst"), mail("Daarna"), mail("Ertussen")]
    assert len(await desk.rows()) == 3


async def test_another_mailbox_is_followed_anew(desk: Desk, fetching: Fetching) -> None:
    await desk.set(read_mail_from=minutes_ago(30))
    await fetching.check()
    assert (await desk.state())["sync_state"] is not None
    await desk.set(folder="Archief")
    assert (await desk.state())["sync_state"] is None


async def test_a_mail_that_cannot_be_had_is_asked_for_until_it_comes(desk: Desk, fetching: Fetching) -> None:
    await desk.set(read_mail_from=minutes_ago(90))
    await fetching.check()
    read_first(desk.post_office, "Op slot", 0)
    findings = await fetching.check(Withholding)
    assert (findings.unreadable, findings.reached) == (1, None)
    assert (await fetching.check()).taken_in == 1


async def test_D18_old_mail_that_waits_for_a_choice_is_not_passed_by(desk: Desk, fetching: Fetching) -> None:
    await desk.set(read_mail_from=minutes_ago(60 * 24 * 30), backlog_limit=2)
    for number in range(3):
        read_first(desk.post_office, f"Oud {number}", 60 * 24 * 20 + number)
    read_first(desk.post_office, "Nieuw", 1)
    findings = await fetching.check()
    assert (findings.taken_in, findings.waiting is not None, findings.reached) == (1, True, None)
    await desk.set(backlog_limit=3)
    findings = await fetching.check()
    assert (findings.taken_in, findings.waiting, findings.reached is not None) == (3, None, True)


# ── each kind of mailbox ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(params=sorted(POST_OFFICES))
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[PostOffice]:
    (folder := tmp_path / "office").mkdir()
    servers = map(request.getfixturevalue, SERVERS.get(request.param, ()))
    office = POST_OFFICES[request.param](folder, *servers)
    yield office
    office.close()


async def test_no_kind_of_mailbox_loses_or_doubles_mail_that_was_read_first(
    office: PostOffice, desk: Desk, fetching: Fetching
) -> None:
    since, reached = minutes_ago(120), None

    async def check() -> Findings:
        nonlocal reached
        claimed = await fetching.claim()
        following = Following.after(reached, since, timedelta(days=7))
        findings = await fetching.check(claimed=replace(claimed, access=office.access, following=following))
        reached = findings.reached or reached
        return findings

    read_first(office, "Voor de instelling", 240)
    first = [mail(f"Eerst {number}") for number in range(6)]
    for number in range(6):
        key = office.deliver(first[number], minutes_ago(100 - number))
        if number % 2:
            office.read_by_somebody(key)
    gone = read_first(office, "Door een collega opgeborgen", 90)
    office.remove(gone)
    assert (await check()).taken_in == 6
    assert (await check()).taken_in == 0
    read_first(office, "Net", 0)
    assert (await check()).taken_in == 1
    office.lose_state()
    assert (await check()).taken_in <= 1, "from where it was, not everything: what is new under a new number is Net"
    read_first(office, "Daarna", 0)
    assert (await check()).taken_in == 1
    taken = await bodies(desk)
    assert sorted(set(taken)) == sorted([*first, mail("Net"), mail("Daarna")])
    assert len(taken) - len(set(taken)) <= 1


@pytest.fixture
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> int:
    """A look gives no more than three mails, and servers answer with two at a time."""
    for module in (protocol, session, imap_changes):
        monkeypatch.setattr(module, "MOST_LISTED", 3)
    monkeypatch.setattr(changes, "AT_ONCE", 2)
    monkeypatch.setattr(graph, "LARGEST_PAGE", 2)
    return 3


async def test_of_more_arrivals_than_a_look_gives_none_is_dropped(
    office: PostOffice, desk: Desk, fetching: Fetching, few_at_once: int
) -> None:
    since, looks, reached = minutes_ago(120), list[Findings](), None
    for number in range(11):
        read_first(office, f"Gelezen {number}", 100 - number)
    while not looks or looks[-1].goes_on:
        claimed = await fetching.claim()
        following = Following.after(reached, since, timedelta(days=7))
        looks.append(await fetching.check(claimed=replace(claimed, access=office.access, following=following)))
        reached = looks[-1].reached
        assert reached is not None
        assert (reached.until == since) is looks[-1].goes_on, "a look is whole once no more come"
        assert len(looks) <= 11
    assert sorted(await bodies(desk)) == sorted(mail(f"Gelezen {number}") for number in range(11))
    if len(looks) > 1:  # a Maildir is looked through as a whole
        assert all(look.taken_in <= few_at_once + 1 for look in looks)


@pytest.mark.usefixtures("few_at_once")
async def test_of_more_arrivals_than_a_look_gives_the_comparison_names_each(office: PostOffice, desk: Desk) -> None:
    before = read_first(office, "Van voor het moment", 240)
    keys = {read_first(office, f"Gelezen {number}", 100 - number) for number in range(11)}
    keys.add(office.deliver(mail("Ongelezen"), minutes_ago(80)))
    async with desk.database.pool("fetcher") as pool:
        tried = await mailbox_to_try(pool, desk.helpdesk_id, Keyring.from_secret(new_key()))
        assert tried is not None
        tried = replace(tried, access=office.access)
        comparison = Comparison(tried, Ledger(pool, PostgresBlobs(pool)), timedelta(minutes=1), minutes_ago(120))
        mailbox = await open_mailbox(office.access)
        got_on: list[None] = []
        try:
            told = (await comparison.of(mailbox, lambda: got_on.append(None))).told()
        finally:
            await mailbox.close()
    assert (told["looked_at"], told["not_taken_in"]["count"], told["read_unknown"]["count"]) == (12, 1, 11)
    assert len(got_on) > 1, "after each look, and not at the end alone"
    named = {each["mail_id"] for kind in ("not_taken_in", "read_unknown") for each in told[kind]["mails"]}
    assert named == {str(tried_id(tried, key)) for key in keys}
    assert str(tried_id(tried, before)) not in named


def tried_id(tried: MailboxToTry, key: ItemKey) -> MailId:
    """The identity of a mail of this mailbox."""
    return mail_id(tried.helpdesk_id, tried.generation, tried.access.folder, key)


# ── where a look begins ──────────────────────────────────────────────────────────────────────────────────────────────

SINCE = datetime(2026, 11, 1, tzinfo=UTC)
UNTIL = datetime(2026, 11, 20, tzinfo=UTC)
OLD = timedelta(days=7)


@pytest.mark.parametrize(
    ("reached", "state", "look_from", "oldest"),
    [
        pytest.param(None, None, SINCE, SINCE, id="the first look"),
        pytest.param(
            Following.after(None, SINCE, OLD).reached("S", UNTIL, more=True), "S", SINCE, SINCE, id="part of the first"
        ),
        pytest.param(
            Following.after(Reached(SINCE, UNTIL, "R"), SINCE, OLD).reached("S", UNTIL + OLD, more=True),
            "S",
            UNTIL - timedelta(hours=1),
            UNTIL - timedelta(days=7),
            id="a part of a later one",
        ),
        pytest.param(
            Reached(SINCE, UNTIL, "S"), "S", UNTIL - timedelta(hours=1), UNTIL - timedelta(days=7), id="a later look"
        ),
        pytest.param(Reached(SINCE, SINCE, "S"), "S", SINCE, SINCE, id="never before the setting's moment"),
        pytest.param(Reached(UNTIL, UNTIL, "S"), None, SINCE, SINCE, id="the setting was changed"),
    ],
)
def test_where_a_look_for_read_mail_begins(
    reached: Reached | None, state: str | None, look_from: datetime, oldest: datetime
) -> None:
    following = Following.after(reached, SINCE, OLD)
    assert (following.state, following.look_from, following.oldest) == (state, look_from, oldest)
