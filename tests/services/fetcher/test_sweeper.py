"""A message may be lost, a mail may not: what is published again, and what is not (DESIGN 1)."""

import asyncio
from datetime import timedelta

import pytest

from services.fetcher.mailboxes.protocol import ItemKey
from services.fetcher.rules.batches import WINDOW
from services.fetcher.sweeper import Sweeper
from shared.errors import Outage
from shared.messages import INLINE_LIMIT, ImportChoice
from tests.services.fetcher.harness import NOBODY, Desk, Fetching, mail, minutes_ago


@pytest.fixture
def sweeper(fetching: Fetching) -> Sweeper:
    return Sweeper(fetching.ledger, fetching.publisher)


async def stored_only(desk: Desk, subjects: list[str]) -> list[ItemKey]:
    """Mails that were stored while the broker was away, and then vanished from the mailbox."""
    keys = [desk.post_office.deliver(mail(subject), minutes_ago(100 - n)) for n, subject in enumerate(subjects)]
    async with Fetching.on(desk, amqp=NOBODY) as cut_off:
        with pytest.raises(Outage):
            await cut_off.check()
    for key in keys:
        desk.post_office.remove(key)
    return keys


async def let_time_pass(desk: Desk, hours: float) -> None:
    """Move every time that the fetcher keeps of these mails into the past."""
    await desk.owner.execute(
        "UPDATE imported_mails SET published_at = published_at - $1::interval,"
        " next_republish_at = next_republish_at - $1::interval",
        timedelta(hours=hours),
    )


async def test_a_mail_that_was_never_confirmed_is_published_from_the_blob(desk: Desk, sweeper: Sweeper) -> None:
    await stored_only(desk, ["Verdwenen"])
    assert await sweeper.sweep() == 0  # the fetcher that stored it has a minute to publish it itself
    await let_time_pass(desk, 0.02)
    assert await sweeper.sweep() == 1
    ((envelope, message),) = await desk.messages()
    assert message.body == mail("Verdwenen")
    (row,) = await desk.rows()
    assert row["mail_id"] == envelope.mail_id
    assert row["published_at"] is not None
    assert await sweeper.sweep() == 0


async def test_a_confirmed_mail_without_outcome_is_published_again_after_one_two_and_four_hours(
    desk: Desk, fetching: Fetching, sweeper: Sweeper
) -> None:
    raw = mail("Zoek", "x" * INLINE_LIMIT)
    desk.post_office.deliver(raw, minutes_ago(1))
    await fetching.check()
    published_at = (await desk.rows())[0]["published_at"]
    found = []
    for hours in (0.9, 0.2, 1.8, 0.3, 3.8, 0.3):
        await let_time_pass(desk, hours)
        found.append(await sweeper.sweep())
    assert found == [0, 1, 0, 1, 0, 1]
    messages = await desk.messages()
    assert len({envelope.mail_id for envelope, _ in messages}) == 1
    assert len(messages) == 4
    (row,) = await desk.rows()
    assert row["republish_count"] == 3
    assert row["published_at"] < published_at  # moved by let_time_pass alone: the first confirm counts


async def test_a_mail_with_an_outcome_is_not_published_again(desk: Desk, fetching: Fetching, sweeper: Sweeper) -> None:
    key = desk.post_office.deliver(mail("Klaar"), minutes_ago(1))
    await fetching.check()
    await desk.conclude("quarantine", key)
    await let_time_pass(desk, 100)
    assert await sweeper.sweep() == 0


async def test_a_mail_with_an_open_dead_letter_is_not_published_again_until_that_is_resolved(
    desk: Desk, sweeper: Sweeper
) -> None:
    await stored_only(desk, ["Geparkeerd"])
    await let_time_pass(desk, 1)
    await desk.owner.execute(
        "INSERT INTO dead_letters (mail_id, queue, reason) SELECT mail_id, 'mail.raw', 'our bug' FROM imported_mails"
    )
    assert await sweeper.sweep() == 0
    await desk.owner.execute("UPDATE dead_letters SET resolved_at = now()")
    assert await sweeper.sweep() == 1


async def test_a_forced_import_is_published_at_once_and_says_so(
    desk: Desk, fetching: Fetching, sweeper: Sweeper
) -> None:
    desk.post_office.deliver(mail("Nog eens"), minutes_ago(1))
    await fetching.check()
    await desk.messages()
    async with desk.database.connect("console") as console:
        await console.execute("""
            INSERT INTO imported_mails (mail_id, helpdesk_id, generation, folder, item_key, force_number, forced_from,
                choice, raw_sha256, raw_size, full_size, received_at, marked_read_at)
            SELECT gen_random_uuid(), helpdesk_id, generation, folder, item_key, 1, mail_id,
                'import-without-mails', raw_sha256, raw_size, full_size, received_at, now() FROM imported_mails""")
    assert await sweeper.sweep() == 1
    ((envelope, message),) = await desk.messages()
    assert (envelope.forced, envelope.choice) == (True, ImportChoice.IMPORT_WITHOUT_MAILS)
    assert message.body == mail("Nog eens")


async def test_D7_a_replay_is_published_at_once_with_its_number_and_never_beside_a_dead_letter(
    desk: Desk, fetching: Fetching, sweeper: Sweeper
) -> None:
    key = desk.post_office.deliver(mail("Opnieuw"), minutes_ago(1))
    await fetching.check()
    await desk.messages()
    await desk.conclude("quarantine", key)
    await desk.owner.execute("UPDATE imported_mails SET decided_replay = 0")
    async with desk.database.connect("console") as console:
        await console.execute("SELECT record_dead_letter(mail_id, 'mail.raw', 'weg') FROM imported_mails")
        await console.execute("""
            UPDATE imported_mails SET replay_number = 1, published_at = NULL, next_republish_at = NULL""")
        assert await sweeper.sweep() == 0
        await console.execute("UPDATE dead_letters SET resolved_at = now()")
    assert await sweeper.sweep() == 1
    ((envelope, _),) = await desk.messages()
    assert envelope.replay == 1
    assert await sweeper.sweep() == 0
    assert (await desk.rows())[0]["published_at"] is not None


async def test_an_outage_while_sweeping_keeps_the_mail_for_the_next_sweep(desk: Desk, sweeper: Sweeper) -> None:
    await stored_only(desk, ["Later"])
    await let_time_pass(desk, 1)
    async with Fetching.on(desk, amqp=NOBODY) as cut_off:
        with pytest.raises(Outage):
            await Sweeper(cut_off.ledger, cut_off.publisher).sweep()
    await let_time_pass(desk, 1)
    assert await sweeper.sweep() == 1
    assert [message.body for _, message in await desk.messages()] == [mail("Later")]


async def test_a_mail_whose_bytes_are_gone_becomes_a_dead_letter_and_stops_nothing(
    desk: Desk, sweeper: Sweeper
) -> None:
    first, second = await stored_only(desk, ["Bytes weg", "Blijft"])
    await let_time_pass(desk, 1)
    await desk.owner.execute(
        "DELETE FROM blob_chunks WHERE sha256 = (SELECT raw_sha256 FROM imported_mails WHERE item_key = $1)", first
    )
    assert await sweeper.sweep() == 2
    assert [message.body for _, message in await desk.messages()] == [mail("Blijft")]
    letters = await desk.owner.fetch(
        "SELECT item_key, queue, dead_letters.reason FROM dead_letters JOIN imported_mails USING (mail_id)"
    )
    assert [(letter["item_key"], letter["queue"]) for letter in letters] == [(first, "mail.raw")]
    assert "damaged" in letters[0]["reason"]
    assert [row["item_key"] for row in await desk.rows() if row["outcome"] is None] == [second]


async def test_sweepers_share_the_mails(desk: Desk, fetching: Fetching) -> None:
    keys = await stored_only(desk, [f"{n}" for n in range(WINDOW)])
    await let_time_pass(desk, 1)
    async with Fetching.on(desk, holder="another") as other:
        shares = await asyncio.gather(*(parts.ledger.claim_to_republish(WINDOW - 5) for parts in (fetching, other)))
    claimed = [envelope.mail_id for share in shares for envelope in share]
    assert len(claimed) == len(set(claimed)) == len(keys)
