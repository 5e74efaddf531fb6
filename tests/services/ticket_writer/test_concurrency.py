"""Many writers, and people at their screens, at the same moment: every ticket ends as if they had come one by one."""

import asyncio
from datetime import UTC, datetime

import pytest

from services.ticket_writer.rules.author import IncompleteSettings
from services.ticket_writer.writing import TicketJustMerged
from shared.database.pool import transaction
from shared.messages import Outcome
from tests.services.ticket_writer.conftest import Desk
from tests.services.ticket_writer.givens import candidate, mail, sender

DEADLINE_SECONDS = 30
COMPLETED = datetime(2026, 2, 20, 15, 0, tzinfo=UTC)


async def someone_waits(desk: Desk) -> None:
    """Until a session of the service waits for a lock."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not await desk.value(
            """SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)
               WHERE NOT granted AND datname = current_database() AND usename = 'importer_ticket_writer'"""
        ):
            await asyncio.sleep(0.01)


async def test_fifty_supplements_on_one_ticket(desk: Desk) -> None:
    await desk.take_in(mail())
    await desk.execute("UPDATE tickets SET status_id = 104, completed_at = $1", COMPLETED)
    replies = [await desk.fetch(mail(candidates=(candidate(),))) for _ in range(50)]
    async with asyncio.timeout(DEADLINE_SECONDS):
        outcomes = await asyncio.gather(*(desk.write(reply) for reply in replies))
    assert outcomes == [Outcome.SUPPLEMENT] * 50
    assert await desk.value("SELECT count(*) FROM supplements") == 50
    reopened = await desk.rows("SELECT * FROM ticket_history WHERE kind = 'reopened'")
    assert len(reopened) == 1, "only the first found the ticket closed"
    order = await desk.rows("SELECT at FROM ticket_history WHERE kind = 'supplemented' ORDER BY id")
    assert [row["at"] for row in order] == sorted(row["at"] for row in order)


async def test_tickets_and_supplements_of_many_senders_at_once(desk: Desk) -> None:
    numbers = []
    for _ in range(4):
        first = mail()
        await desk.take_in(first)
        numbers.append((await desk.ticket_of(first))["number"])
    mails = [
        await desk.fetch(
            mail(
                helpdesk_id=1 + turn % 2,
                sender=sender(f"{turn % 5}@klant.example"),
                candidates=(candidate(numbers[turn % 4]), candidate(numbers[(turn + 1) % 4])) if turn % 3 else (),
            )
        )
        for turn in range(48)
    ]
    async with asyncio.timeout(DEADLINE_SECONDS):
        outcomes = await asyncio.gather(*(desk.write(each) for each in mails))
    assert outcomes.count(Outcome.TICKET) == 16
    assert outcomes.count(Outcome.SUPPLEMENT) == 32


async def test_D10_the_limit_per_address_holds_among_writers(desk: Desk) -> None:
    mails = [await desk.fetch(mail(received_at=datetime.now(UTC), subject=f"Onderwerp {turn}")) for turn in range(14)]
    await asyncio.gather(*(desk.write(each) for each in mails))
    planned = await desk.value(
        "SELECT count(*) FROM notifications WHERE kind = 'ticket-added-customer' AND state = 'planned'"
    )
    assert planned == 10


async def test_D10_the_limit_per_domain_holds_among_writers(desk: Desk) -> None:
    mails = [
        await desk.fetch(mail(received_at=datetime.now(UTC), sender=sender(f"{turn}@robot.example", known=False)))
        for turn in range(34)
    ]
    await asyncio.gather(*(desk.write(each) for each in mails))
    decided = await desk.rows(
        "SELECT coalesce(reason, state) AS how, count(*) FROM notifications"
        " WHERE kind = 'ticket-added-customer' GROUP BY how"
    )
    assert {row["how"]: row["count"] for row in decided} == {"planned": 30, "over-limit-in-domain": 4}


async def test_D10_strangers_at_a_provider_are_not_counted_together(desk: Desk) -> None:
    for turn in range(32):
        await desk.take_in(mail(received_at=datetime.now(UTC), sender=sender(f"{turn}@gmail.com", known=False)))
    assert await desk.value("SELECT count(*) FROM notifications WHERE reason = 'over-limit-in-domain'") == 0


async def test_D10_the_limit_per_ticket_holds_among_writers(desk: Desk) -> None:
    await desk.take_in(mail())
    mails = [
        await desk.fetch(
            mail(received_at=datetime.now(UTC), candidates=(candidate(),), sender=sender(f"{turn}@klant.example"))
        )
        for turn in range(14)
    ]
    await asyncio.gather(*(desk.write(each) for each in mails))
    planned = await desk.value(
        "SELECT count(*) FROM notifications WHERE kind = 'supplement-added-executor' AND state = 'planned'"
    )
    assert planned == 10


async def test_a_ticket_that_is_deleted_while_we_wait_becomes_a_new_one_that_says_so(desk: Desk) -> None:
    await desk.execute(
        """INSERT INTO tickets (helpdesk_id, organisation_id, contact_id, created_by_employee_id, reported_at, title,
               status_id, changed_by_employee_id) VALUES (1, 21, 11, 33, now(), 'Telefonisch', 102, 33)"""
    )
    reply = await desk.fetch(mail(candidates=(candidate(),)))
    async with transaction(desk.owner) as person:
        await person.execute("DELETE FROM tickets")
        writing = asyncio.create_task(desk.write(reply))
        await someone_waits(desk)
    async with asyncio.timeout(DEADLINE_SECONDS):
        assert await writing is Outcome.TICKET
    assert (await desk.ledger_of(reply))["reasons"][0] == {"id": "ticket-gone", "detail": "1000001"}
    assert (await desk.ticket_of(reply))["number"] == "1000002"


async def test_a_ticket_that_is_merged_while_we_wait_is_followed_at_the_next_try(desk: Desk) -> None:
    for subject in ("Eerste", "Tweede"):
        await desk.take_in(mail(subject=subject))
    reply = await desk.fetch(mail(candidates=(candidate(),)))
    async with transaction(desk.owner) as person:
        await person.execute("SELECT FROM tickets WHERE number = '1000001' FOR UPDATE")
        writing = asyncio.create_task(desk.write(reply))
        await someone_waits(desk)
        await person.execute(
            """UPDATE tickets SET merged_into_id = (SELECT id FROM tickets WHERE number = '1000002')
               WHERE number = '1000001'"""
        )
    with pytest.raises(TicketJustMerged):
        await writing
    assert await desk.write(reply) is Outcome.SUPPLEMENT
    supplement = await desk.supplement_of(reply)
    assert await desk.value("SELECT number FROM tickets WHERE id = $1", supplement["ticket_id"]) == "1000002"


async def test_a_change_at_the_screen_while_we_wait_is_what_the_supplement_notes(desk: Desk) -> None:
    await desk.take_in(mail())
    reply = await desk.fetch(mail(candidates=(candidate(),)))
    async with transaction(desk.owner) as person:
        await person.execute("UPDATE tickets SET executor_id = 32, recalculate_deadline = false")
        writing = asyncio.create_task(desk.write(reply))
        await someone_waits(desk)
    await writing
    row = await desk.supplement_of(reply)
    assert (row["executor_id"], row["recalculate_deadline"], row["deadline_at"]) == (32, False, None)


async def test_a_note_in_another_tickets_history_does_not_wait_for_who_works_on_it(desk: Desk) -> None:
    key = mail().content_key
    first = mail(content_key=key)
    await desk.take_in(first)
    copy = await desk.fetch(mail(content_key=key, helpdesk_id=2))
    async with transaction(desk.owner) as person:
        await person.execute("UPDATE tickets SET title = 'Iemand werkt hieraan'")
        async with asyncio.timeout(DEADLINE_SECONDS):
            assert await desk.write(copy) is Outcome.TICKET


async def test_settings_taken_away_meanwhile_park_the_mail_and_change_nothing(desk: Desk) -> None:
    given = await desk.fetch(mail())
    await desk.execute("UPDATE importer_settings SET enabled = false, default_employee_id = NULL")
    with pytest.raises(IncompleteSettings, match="Standaard werknemer"):
        await desk.write(given)
    assert set((await desk.everything()).values()) == {0}
    assert (await desk.ledger_of(given))["outcome"] is None
