"""One check of a mailbox, on real servers: nothing lost, nothing doubled, whatever fails in between."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import BinaryIO

import pytest

from services.fetcher import flow
from services.fetcher.after_import import Stopped
from services.fetcher.flow import HEAD_BYTES
from services.fetcher.mailboxes.protocol import INBOX, MailboxUnreachable, MailReference, MailUnreadable
from services.fetcher.rules.batches import WINDOW
from shared.blobs.postgres import PostgresBlobs
from shared.errors import Outage
from shared.mail_identity import mail_id
from shared.messages import INLINE_LIMIT, ImportChoice
from tests.services.fetcher.harness import LEASE, NOBODY, Desk, Faulty, Fetching, mail, minutes_ago


class Killed(BaseException):
    """The process ends here: nothing after this line is done."""


class KilledWhileFetching(Faulty):
    async def fetch(self, mail: MailReference, into: BinaryIO, limit: int) -> int:
        await self.mailbox.fetch(mail, into, limit)
        raise Killed


class KilledBeforeMarking(Faulty):
    async def mark_read(self, mail: MailReference) -> None:
        raise Killed(mail.key)


class KilledAfterMarking(Faulty):
    async def mark_read(self, mail: MailReference) -> None:
        await self.mailbox.mark_read(mail)
        raise Killed


async def test_W1_unread_mail_is_stored_published_and_marked_read(desk: Desk, fetching: Fetching) -> None:
    raw = mail("Printer stuk")
    received_at = minutes_ago(3)
    key = desk.post_office.deliver(raw, received_at)
    findings = await fetching.check()
    assert (findings.unread, findings.taken_in) == (1, 1)
    ((envelope, message),) = await desk.messages()
    assert message.body == raw
    assert message.content_type == "message/rfc822"
    assert envelope.mail_id == mail_id(desk.helpdesk_id, 1, INBOX, key)
    assert (envelope.helpdesk_id, envelope.received_at, envelope.complete) == (desk.helpdesk_id, received_at, True)
    assert envelope.raw.sha256 == hashlib.sha256(raw).hexdigest()
    (row,) = await desk.rows()
    assert (row["mail_id"], row["item_key"], row["received_at"]) == (envelope.mail_id, key, received_at)
    assert row["published_at"] is not None
    assert row["marked_read_at"] is not None
    assert row["outcome"] is None
    assert desk.post_office.is_read(key)


async def test_the_oldest_mail_is_published_first(desk: Desk, fetching: Fetching) -> None:
    for minutes in (1, 50, 20, 40, 30):
        desk.post_office.deliver(mail(f"{minutes}"), minutes_ago(minutes))
    await fetching.check()
    assert [message.body for _, message in await desk.messages()] == [mail(f"{n}") for n in (50, 40, 30, 20, 1)]


async def test_S8_what_a_mailbox_with_many_mails_holds_yet_is_recorded(
    desk: Desk, fetching: Fetching, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flow, "PAGE", 2)
    await fetching.check()
    assert (await desk.state())["import_left"] is None
    for minutes in (30, 20, 10):
        desk.post_office.deliver(mail(f"{minutes}"), minutes_ago(minutes))
    with pytest.raises(Killed):
        await fetching.check(KilledBeforeMarking)
    assert (await desk.state())["import_left"] == 3
    for minutes in (5, 4, 3):
        desk.post_office.deliver(mail(f"{minutes}"), minutes_ago(minutes))
    await fetching.check()
    assert (await desk.state())["import_left"] == 4  # two were taken in, and are unread still


@pytest.mark.parametrize(
    ("fault", "stored", "published"),
    [
        pytest.param(KilledWhileFetching, False, False, id="before storing"),
        pytest.param(KilledBeforeMarking, True, True, id="after publishing, before marking"),
        pytest.param(KilledAfterMarking, True, True, id="after marking, before recording it"),
    ],
)
async def test_a_crash_loses_no_mail_and_doubles_no_identity(
    desk: Desk, fetching: Fetching, fault: type[Faulty], *, stored: bool, published: bool
) -> None:
    raw = mail("Crash")
    key = desk.post_office.deliver(raw, minutes_ago(1))
    with pytest.raises(Killed):
        await fetching.check(fault)
    assert [row["published_at"] is not None for row in await desk.rows()] == [published] * stored
    await fetching.check()
    messages = await desk.messages()
    assert {(envelope.mail_id, message.body) for envelope, message in messages} == {
        (mail_id(desk.helpdesk_id, 1, INBOX, key), raw)
    }
    assert len(await desk.rows()) == 1
    assert desk.post_office.is_read(key)
    assert desk.post_office.contents(INBOX) == [raw]
    assert [row["marked_read_at"] is not None for row in await desk.rows()] == [True]


async def test_a_broker_that_is_away_leaves_the_mail_stored_and_unread_until_it_is_back(
    desk: Desk, fetching: Fetching
) -> None:
    raws = [mail(f"{n}") for n in range(3)]
    keys = [desk.post_office.deliver(raw, minutes_ago(9 - n)) for n, raw in enumerate(raws)]
    async with Fetching.on(desk, amqp=NOBODY) as cut_off:
        with pytest.raises(Outage):
            await cut_off.check()
    assert [row["published_at"] for row in await desk.rows()] == [None] * 3
    assert not any(desk.post_office.is_read(key) for key in keys)
    await fetching.check()
    assert [message.body for _, message in await desk.messages()] == raws
    assert all(row["published_at"] and row["marked_read_at"] for row in await desk.rows())
    assert all(desk.post_office.is_read(key) for key in keys)


async def test_a_large_mail_stored_in_an_outage_is_published_as_a_claim_check(desk: Desk, fetching: Fetching) -> None:
    raw = mail("Groot", "x" * INLINE_LIMIT)
    desk.post_office.deliver(raw, minutes_ago(1))
    async with Fetching.on(desk, amqp=NOBODY) as cut_off:
        with pytest.raises(Outage):
            await cut_off.check()
    await fetching.check()
    ((envelope, message),) = await desk.messages()
    assert message.body == b""
    assert envelope.raw.size == len(raw)


async def test_D13_a_mail_set_back_to_unread_changes_nothing(desk: Desk, fetching: Fetching) -> None:
    key = desk.post_office.deliver(mail("Terug"), minutes_ago(1))
    await fetching.check()
    before = await desk.rows()
    desk.post_office.unread_by_somebody(key)
    new = desk.post_office.deliver(mail("Nieuw"), minutes_ago(0))
    await fetching.check()
    assert [message.body for _, message in await desk.messages()] == [mail("Terug"), mail("Nieuw")]
    assert (await desk.rows())[:1] == before
    assert not desk.post_office.is_read(key)
    assert desk.post_office.is_read(new)


async def test_a_mail_above_256_kib_travels_as_a_claim_check(desk: Desk, fetching: Fetching) -> None:
    raw = mail("Bijlage", "0123456789" * 400_000)
    desk.post_office.deliver(raw, minutes_ago(1))
    await fetching.check()
    ((envelope, message),) = await desk.messages()
    assert message.body == b""
    async with desk.database.pool("classifier") as pool:
        assert await PostgresBlobs(pool).read(envelope.raw, limit=len(raw)) == raw


async def test_D17_of_a_mail_too_large_only_the_head_is_taken_and_it_stays_in_the_mailbox(
    desk: Desk, fetching: Fetching
) -> None:
    await desk.set(max_mail_bytes=1_000_000, after_import="delete")
    raw = mail("Te groot", "regel\r\n" * 200_000)
    key = desk.post_office.deliver(raw, minutes_ago(2))
    await fetching.check()
    ((envelope, message),) = await desk.messages()
    assert not envelope.complete
    assert envelope.full_size == len(raw)
    assert HEAD_BYTES - 100 < len(message.body) <= HEAD_BYTES
    assert raw.startswith(message.body)
    assert message.body.endswith(b"\r\n")
    desk.post_office.deliver(mail("Klein"), minutes_ago(1))
    await fetching.check()
    await desk.conclude("duplicate", key)
    await fetching.check()
    assert desk.post_office.is_read(key)
    assert desk.post_office.deleted() == []


async def test_D17_a_limit_below_the_head_s_size_holds_for_the_head_too(desk: Desk, fetching: Fetching) -> None:
    await desk.set(max_mail_bytes=200)
    raw = mail("Klein maar te groot", "regel\r\n" * 100)
    desk.post_office.deliver(raw, minutes_ago(1))
    await fetching.check()
    ((envelope, message),) = await desk.messages()
    assert (envelope.complete, envelope.full_size) == (False, len(raw))
    assert len(message.body) <= 200


async def test_a_mail_that_cannot_be_read_does_not_stop_the_others(desk: Desk, fetching: Fetching) -> None:
    keys = [desk.post_office.deliver(mail(f"{n}"), minutes_ago(9 - n)) for n in range(5)]

    class OneUnreadable(Faulty):
        async def fetch(self, mail: MailReference, into: BinaryIO, limit: int) -> int:
            if mail.key == keys[2]:
                raise MailUnreadable("Deze mail kan niet worden gelezen.")
            return await self.mailbox.fetch(mail, into, limit)

    findings = await fetching.check(OneUnreadable)
    assert (findings.unreadable, findings.unreadable_because) == (1, "Deze mail kan niet worden gelezen.")
    assert [message.body for _, message in await desk.messages()] == [mail(f"{n}") for n in (0, 1, 3, 4)]
    assert [desk.post_office.is_read(key) for key in keys] == [True, True, False, True, True]
    await fetching.check()
    assert [message.body for _, message in await desk.messages()] == [mail("2")]


async def test_a_mailbox_that_fails_while_fetching_keeps_what_was_taken_and_loses_nothing(
    desk: Desk, fetching: Fetching
) -> None:
    keys = [desk.post_office.deliver(mail(f"{n}"), minutes_ago(9 - n)) for n in range(4)]

    class CutOff(Faulty):
        async def fetch(self, mail: MailReference, into: BinaryIO, limit: int) -> int:
            if mail.key == keys[3]:
                raise MailboxUnreachable("De verbinding viel weg.")
            return await self.mailbox.fetch(mail, into, limit)

    with pytest.raises(MailboxUnreachable):
        await fetching.check(CutOff)
    assert [desk.post_office.is_read(key) for key in keys] == [True, True, True, False]
    await fetching.check()
    assert [message.body for _, message in await desk.messages()] == [mail(f"{n}") for n in range(4)]


async def test_a_mail_that_cannot_be_marked_is_told_and_keeps_no_other_from_being_taken_in(
    desk: Desk, fetching: Fetching
) -> None:
    stuck = desk.post_office.deliver(mail("vast"), minutes_ago(100))

    class OneStuck(Faulty):
        async def mark_read(self, mail: MailReference) -> None:
            if mail.key == stuck:
                raise MailboxUnreachable("De bestandsnaam is te lang.")
            await self.mailbox.mark_read(mail)

    for round_ in range(2):
        new = [desk.post_office.deliver(mail(f"{round_}.{n}"), minutes_ago(50 - n)) for n in range(WINDOW + 1)]
        assert "te lang" in str((await fetching.whole_check(OneStuck)).after_import.trouble)
        assert all(desk.post_office.is_read(key) for key in new)
    assert not desk.post_office.is_read(stuck)
    assert len(await desk.messages()) == 1 + 2 * (WINDOW + 1)
    await fetching.check()
    assert desk.post_office.is_read(stuck)
    assert await desk.messages() == []


async def test_a_thousand_mails_are_each_published_once_in_order(
    desk: Desk, fetching: Fetching, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flow, "MOST_UNDECIDED", 1000)  # nobody decides here
    keys = [desk.post_office.deliver(mail(f"{n}"), minutes_ago(2000 - n)) for n in range(1000)]
    findings = await fetching.check()
    assert (findings.unread, findings.taken_in) == (1000, 1000)
    assert [message.body for _, message in await desk.messages()] == [mail(f"{n}") for n in range(1000)]
    rows = await desk.rows()
    assert [row["item_key"] for row in rows] == keys
    assert all(row["published_at"] and row["marked_read_at"] for row in rows)
    assert all(desk.post_office.is_read(key) for key in keys)


async def test_mail_delivered_while_the_mailbox_is_listed_is_taken_in_once(desk: Desk, fetching: Fetching) -> None:
    first = [desk.post_office.deliver(mail(f"{n}"), minutes_ago(900 - n)) for n in range(300)]
    later = []

    class Delivering(Faulty):
        async def unread(self, page_size: int) -> AsyncIterator[tuple[MailReference, ...]]:
            async for page in self.mailbox.unread(page_size):
                later.append(desk.post_office.deliver(mail("later"), minutes_ago(0)))
                yield page

    await fetching.check(Delivering)
    await fetching.check()
    assert [row["item_key"] for row in await desk.rows()] == first + later
    assert len(await desk.messages()) == len(first + later) == 302


async def test_two_checks_of_one_mailbox_at_once_take_each_mail_in_once(desk: Desk, fetching: Fetching) -> None:
    keys = [desk.post_office.deliver(mail(f"{n}"), minutes_ago(200 - n)) for n in range(60)]
    claimed = await fetching.claim()
    async with Fetching.on(desk, holder="another") as other:
        await asyncio.gather(fetching.check(claimed=claimed), other.check(claimed=claimed))
    await fetching.check()
    assert [row["item_key"] for row in await desk.rows()] == keys
    assert {envelope.mail_id for envelope, _ in await desk.messages()} == {row["mail_id"] for row in await desk.rows()}
    assert all(desk.post_office.is_read(key) for key in keys)


async def test_D18_old_mail_above_the_limit_waits_unread_while_newer_mail_is_imported(
    desk: Desk, fetching: Fetching
) -> None:
    await desk.set(backlog_limit=2)
    old = [desk.post_office.deliver(mail("oud"), minutes_ago(60 * 24 * days)) for days in (30, 20, 10)]
    new = desk.post_office.deliver(mail("nieuw"), minutes_ago(5))
    waiting = (await fetching.check()).waiting
    assert waiting is not None
    assert waiting.count == 3
    assert [message.body for _, message in await desk.messages()] == [mail("nieuw")]
    assert not any(desk.post_office.is_read(key) for key in old)
    assert desk.post_office.is_read(new)
    await desk.set(backlog_limit=3)
    assert (await fetching.check()).waiting is None
    assert len(await desk.messages()) == 3


async def test_D18_what_a_person_chose_is_for_the_mails_that_waited_and_is_then_forgotten(
    desk: Desk, fetching: Fetching
) -> None:
    await desk.set(backlog_limit=1)
    waited = [desk.post_office.deliver(mail("oud"), minutes_ago(60 * 24 * days)) for days in (30, 20)]
    (claimed,) = await fetching.mailboxes.claim(LEASE, 1)
    await fetching.mailboxes.record_backlog(claimed, (await fetching.check(claimed=claimed)).waiting)
    await fetching.mailboxes.release([claimed.helpdesk_id])
    assert (await desk.state())["backlog_waiting"] == 2
    await desk.owner.execute(
        "UPDATE mailbox_states SET backlog_choice = 'mark-read', backlog_chosen_at = now(),"
        " backlog_chosen_until = backlog_newest_at"
    )
    later = [desk.post_office.deliver(mail("later"), minutes_ago(60 * 24 * days)) for days in (19, 18)]
    (claimed,) = await fetching.mailboxes.claim(LEASE, 1)
    findings = await fetching.check(claimed=claimed)
    assert findings.waiting is not None
    assert (findings.taken_in, findings.waiting.count) == (2, 2)
    assert {(row["item_key"], row["choice"]) for row in await desk.rows()} == {(key, "mark-read") for key in waited}
    assert [envelope.choice for envelope, _ in await desk.messages()] == [ImportChoice.MARK_READ] * 2
    assert [desk.post_office.is_read(key) for key in (*waited, *later)] == [True, True, False, False]

    await desk.owner.execute("UPDATE mailbox_states SET backlog_chosen_at = backlog_chosen_at + interval '1 second'")
    await fetching.mailboxes.record_backlog(claimed, findings.waiting)
    assert (await desk.state())["backlog_choice"] == "mark-read"  # it was made anew during that check
    await desk.owner.execute("UPDATE mailbox_states SET backlog_chosen_at = backlog_chosen_at - interval '1 second'")
    await fetching.mailboxes.record_backlog(claimed, findings.waiting)
    state = await desk.state()
    assert (state["backlog_choice"], state["backlog_chosen_until"], state["backlog_waiting"]) == (None, None, 2)


async def test_D18_mail_from_before_import_from_is_left_alone(desk: Desk, fetching: Fetching) -> None:
    await desk.set(import_from=minutes_ago(60))
    before = desk.post_office.deliver(mail("ervoor"), minutes_ago(61))
    desk.post_office.deliver(mail("erna"), minutes_ago(59))
    await fetching.check()
    assert [message.body for _, message in await desk.messages()] == [mail("erna")]
    assert not desk.post_office.is_read(before)
    assert len(await desk.rows()) == 1


@pytest.mark.parametrize("action", ["move", "delete"])
async def test_the_action_after_import_waits_for_a_final_outcome_and_never_takes_quarantine(
    desk: Desk, fetching: Fetching, action: str
) -> None:
    await desk.set(after_import_folder="Archief")
    await desk.set(after_import=action)
    keys = [desk.post_office.deliver(mail(f"{n}"), minutes_ago(9 - n)) for n in range(3)]
    await fetching.check()

    def elsewhere() -> list[bytes]:
        return desk.post_office.contents("Archief") if action == "move" else desk.post_office.deleted()

    await fetching.check()
    assert elsewhere() == []
    await desk.conclude("quarantine", keys[0])
    await desk.conclude("duplicate", keys[1])
    assert (await fetching.whole_check()).after_import.done == 1
    assert elsewhere() == [mail("1")]
    assert [row["acted_at"] is not None for row in await desk.rows()] == [False, True, False]
    assert sorted(desk.post_office.contents(INBOX)) == [mail("0"), mail("2")]


async def test_the_action_after_import_holds_for_mail_marked_since_it_was_chosen(
    desk: Desk, fetching: Fetching
) -> None:
    """Switching from «mark read» to «delete» does not empty the mailbox of years."""
    key = desk.post_office.deliver(mail("vroeger"), minutes_ago(5))
    desk.post_office.deliver(mail("ander"), minutes_ago(4))
    await fetching.check()
    await desk.conclude("duplicate", key)
    await desk.set(after_import="delete")
    await fetching.check()
    assert desk.post_office.deleted() == []


async def test_a_check_that_is_told_to_stop_leaves_the_rest_for_the_next(desk: Desk, fetching: Fetching) -> None:
    for n in range(50):
        desk.post_office.deliver(mail(f"{n}"), minutes_ago(100 - n))

    class StopAtFirstMark(Faulty):
        async def mark_read(self, mail: MailReference) -> None:
            fetching.stop.set()
            await self.mailbox.mark_read(mail)

    with pytest.raises(Stopped):
        await fetching.check(StopAtFirstMark)
    taken = await desk.rows()
    assert 0 < len(taken) < 50
    assert all(row["marked_read_at"] for row in taken)
    fetching.stop.clear()
    await fetching.check()
    assert [message.body for _, message in await desk.messages()] == [mail(f"{n}") for n in range(50)]


async def test_another_generation_of_the_mailbox_is_another_mailbox(desk: Desk, fetching: Fetching) -> None:
    """The folder's setting changes: items there have keys of their own, even if they look alike (DESIGN 2)."""
    key = desk.post_office.deliver(mail("Eerst"), minutes_ago(2))
    await fetching.check()
    (desk.post_office.root / ".Support").mkdir()
    for name in ("tmp", "new", "cur"):
        (desk.post_office.root / ".Support" / name).mkdir()
    (desk.post_office.root / ".Support" / "new" / key).write_bytes(mail("Dan"))
    await desk.set(folder="Support")
    await fetching.check()
    assert {row["generation"] for row in await desk.rows()} == {1, 2}
    assert len({envelope.mail_id for envelope, _ in await desk.messages()}) == 2


async def test_a_mail_stored_but_never_published_keeps_the_outcome_column_for_others(
    desk: Desk, fetching: Fetching
) -> None:
    """The fetcher's role writes what DESIGN's table allows: a statement beyond it would have failed above."""
    desk.post_office.deliver(mail("Rechten"), minutes_ago(1))
    await fetching.check()
    async with desk.database.connect("fetcher") as connection:
        with pytest.raises(Exception, match="permission denied"):
            await connection.execute("UPDATE imported_mails SET outcome = 'duplicate'")


async def test_sweeping_waits_an_hour_after_the_broker_confirmed(desk: Desk, fetching: Fetching) -> None:
    desk.post_office.deliver(mail("Bevestigd"), minutes_ago(1))
    await fetching.check()
    (row,) = await desk.rows()
    assert row["next_republish_at"] - row["published_at"] == timedelta(hours=1)
