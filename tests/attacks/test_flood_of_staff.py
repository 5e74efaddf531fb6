"""An attacker who floods staff: each mail of his was one to the ticket manager or the executor (SPEC M2, M3, D10)."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.notifier.repository import Repository
from services.ticket_writer.rules.summaries import PERIOD
from shared.messages import ClassifiedMail
from tests.attacks.desks import Desks, bodies_of
from tests.services.ticket_writer.givens import candidate, mail, sender

MANAGER, EXECUTOR = "marieke@desk.example", "Tom@desk.example"
AFTER = 5
"""Mails that go by themselves."""
DUE_NOW = "UPDATE notifications SET next_try_at = now() WHERE collects_until IS NOT NULL"
"""What `notifications send-now` does to what collects."""


@pytest.fixture
async def busy(desks: Desks) -> Desks:
    """A helpdesk that sums up after five mails."""
    await desks.desk.execute("UPDATE helpdesks SET summary_after = $1", AFTER)
    return desks


def floods(count: int, **changes: Any) -> list[ClassifiedMail]:
    """As many mails, each from somebody else."""
    return [
        mail(
            received_at=datetime.now(UTC),
            subject=f"{changes.get('subject', '')} Storing {number}",
            sender=sender(f"iemand@elders{number}.example", known=False),
        )
        for number in range(count)
    ]


async def numbers_of(desks: Desks, mails: Sequence[ClassifiedMail]) -> list[str]:
    """The numbers of the tickets that these mails became."""
    return [(await desks.desk.ticket_of(given))["number"] for given in mails]


async def test_M2_a_flood_of_tickets_is_a_few_mails_and_one_summary(busy: Desks) -> None:
    given = floods(30)
    for each in given:
        await busy.take_in(each)
    assert len(busy.received(MANAGER)) == AFTER  # at once
    await busy.let_pass(PERIOD)
    *single, summary = busy.received(MANAGER)
    assert len(single) == AFTER
    numbers = await numbers_of(busy, given)
    assert [number in str(read["Subject"]) for number, read in zip(numbers, single, strict=False)] == [True] * AFTER
    assert str(summary["Subject"]) == "ChainWise: 25 tickets en aanvullingen via de importer"
    for body in bodies_of(summary):
        assert [number for number in numbers if number in body] == numbers[AFTER:]
        assert "Nieuwe tickets" in body
        assert "Nieuwe aanvullingen" not in body
    assert summary["References"] is None
    states = await busy.desk.rows(
        "SELECT state, reason, count(*) FROM notifications WHERE kind = 'ticket-added-manager' GROUP BY 1, 2 ORDER BY 1"
    )
    assert [tuple(row) for row in states] == [("not-sent", "in-summary", 24), ("sent", None, 6)]


async def test_M3_a_flood_of_supplements_and_tickets_to_one_employee_is_one_summary(busy: Desks) -> None:
    await busy.desk.execute("UPDATE helpdesks SET default_ticket_manager_id = 33 WHERE id = 1")  # he is both
    given = floods(AFTER + 2)
    for each in given:
        await busy.take_in(each)
    numbers = await numbers_of(busy, given)
    answers = [
        mail(
            received_at=datetime.now(UTC),
            subject=f"Re: [{number}]",
            candidates=(candidate(number),),
            sender=sender("oom@elders.example", known=False, name="Oom Elders"),
        )
        for number in numbers
    ]
    for each in answers:
        await busy.take_in(each)
    await busy.let_pass(PERIOD)
    *single, summary = busy.received(EXECUTOR)
    assert len(single) == AFTER
    text, html = bodies_of(summary)
    for body in (text, html):
        tickets, supplements = body.split("Nieuwe aanvullingen")[-2:]
        assert [number for number in numbers if number in tickets] == numbers[AFTER:]
        assert [number for number in numbers if number in supplements] == numbers
    assert "Oom Elders <oom@elders.example>" in text


async def test_M2_when_the_flood_is_over_the_next_mail_goes_by_itself_at_once(busy: Desks) -> None:
    for each in floods(AFTER + 3):
        await busy.take_in(each)
    await busy.let_pass(PERIOD)
    before = len(busy.received(MANAGER))
    await busy.let_pass(PERIOD)
    quiet = mail(received_at=datetime.now(UTC), subject="Een gewone vraag")
    await busy.take_in(quiet)
    *earlier, last = busy.received(MANAGER)
    assert len(earlier) == before
    assert (await numbers_of(busy, [quiet]))[0] in str(last["Subject"])


async def test_M2_what_waited_alone_is_the_mail_that_it_would_have_been(busy: Desks) -> None:
    given = floods(AFTER + 1)
    for each in given:
        await busy.take_in(each)
    await busy.let_pass(PERIOD)
    number = (await numbers_of(busy, given))[-1]
    last = busy.received(MANAGER)[-1]
    assert str(last["Subject"]).startswith(f"ChainWise: Ticket {number} - ")


async def test_M2_writers_that_meet_the_flood_together_begin_one_summary(busy: Desks) -> None:
    await busy.desk.execute("UPDATE helpdesks SET summary_after = 1")
    await busy.take_in(floods(1)[0])
    given = floods(12)
    for each in given:
        await busy.desk.fetch(each)
    await asyncio.gather(*(busy.desk.write(each) for each in given))
    collecting = "SELECT count(*) FROM notifications WHERE collects_until IS NOT NULL"
    assert await busy.desk.value(collecting) == 1
    await busy.let_pass(PERIOD)
    _, summary = busy.received(MANAGER)
    numbers = await numbers_of(busy, given)
    assert all(number in bodies_of(summary)[0] for number in numbers)


async def test_M2_a_notifier_that_dies_with_a_summary_in_hand_loses_and_doubles_nothing(busy: Desks) -> None:
    given = floods(AFTER + 3)
    for each in given:
        await busy.take_in(each)
    await busy.desk.execute(DUE_NOW)
    async with busy.house.database.pool("notifier") as pool:
        (claimed,) = [each for each in await Repository(pool, "dies").claim_due(100) if each.entries]
    assert len(claimed.entries) == 3
    late = floods(2, subject="Later:")  # meets a summary that is being written
    for each in late:
        await busy.take_in(each)
    await busy.let_pass(timedelta(minutes=6))  # the lease of the dead one ends
    await busy.let_pass(PERIOD)
    read = [f"{each['Subject']} {bodies_of(each)[0]}" for each in busy.received(MANAGER)]
    for number in await numbers_of(busy, [*given, *late]):
        assert sum(number in each for each in read) == 1
    assert len(read) == AFTER + 2


async def test_M2_nothing_is_written_while_a_ticket_is_being_added_to_it(busy: Desks) -> None:
    for each in floods(AFTER + 1):
        await busy.take_in(each)
    added = mail(received_at=datetime.now(UTC), subject="Nog een")
    await busy.desk.fetch(added)
    await busy.desk.execute(DUE_NOW)
    async with busy.desk.pool.acquire() as connection, connection.transaction():
        collecting = await connection.fetchval(
            "SELECT id FROM notifications WHERE collects_until IS NOT NULL FOR SHARE"  # as ticket_writer holds it
        )
        async with busy.house.database.pool("notifier") as pool:
            assert await Repository(pool, "early").claim_of_events([collecting]) == []
    await busy.desk.write(added)
    await busy.let_pass(PERIOD)
    text, _ = bodies_of(busy.received(MANAGER)[-1])
    assert (await numbers_of(busy, [added]))[0] in text


async def test_M2_a_helpdesk_may_want_each_mail(busy: Desks) -> None:
    await busy.desk.execute("UPDATE helpdesks SET summary_after = NULL")
    for each in floods(AFTER + 3):
        await busy.take_in(each)
    assert len(busy.received(MANAGER)) == AFTER + 3


async def test_M2_a_helpdesk_has_a_template_of_its_own_for_summaries(busy: Desks) -> None:
    await busy.desk.execute(
        "INSERT INTO templates (helpdesk_id, kind, subject, body_text) VALUES (1, 'summary', $1, $2)",
        "Samen: [aantal]",
        "[aantal tickets] en [aantal aanvullingen]\n[overzicht]",
    )
    for each in floods(AFTER + 2):
        await busy.take_in(each)
    await busy.let_pass(PERIOD)
    summary = busy.received(MANAGER)[-1]
    assert str(summary["Subject"]) == "Samen: 2"
    assert bodies_of(summary)[0].splitlines()[0] == "2 en geen"


async def test_M2_by_itself_a_helpdesk_sums_up_after_twenty_mails(desks: Desks) -> None:
    assert await desks.desk.value("SELECT summary_after FROM helpdesks WHERE id = 1") == 20
