"""D20 in the database: the helpdesk UI asks, ticket_writer carries it out by its own rules, once, whatever happens."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import asyncpg
import pytest

from services.ticket_writer.review.requests import ReviewRequests
from shared.messages import ClassifiedMail
from tests.databases import Database
from tests.services.ticket_writer.conftest import Desk
from tests.services.ticket_writer.givens import candidate, mail, sender

TICKET = """SELECT status_id, deadline_at, completed_at FROM tickets WHERE id = $1"""
SUPPLEMENT = """
    SELECT visible_to_customer, expanded, status_id, deadline_at, needs_review, held_for_review FROM supplements
    WHERE mail_id = $1"""
ASK = "SELECT ui_v1.accept_review($1, $2)"
SENDERS: dict[str, dict[str, Any]] = {
    "stranger": {"sender": sender("x@elders.example", known=False)},
    "forwarded": {
        "sender": sender("x@elders.example", known=False),
        "forwarded_by": sender("tom@desk.example", employee_id=33),
    },
}


async def follow_up(desk: Desk, who: str) -> tuple[ClassifiedMail, int]:
    """A mail of a stranger on a new ticket, and that ticket's id."""
    first = mail()
    await desk.take_in(first)
    ticket = await desk.ticket_of(first)
    subject = candidate(ticket["number"]).model_copy(update={"ticket_id": ticket["id"]})
    return mail(candidates=(subject,), **SENDERS[who]), ticket["id"]


async def ask(database: Database, mail_id: uuid.UUID, employee_id: int = 32) -> int:
    async with database.connect("ui") as ui:
        request: int = await ui.fetchval(ASK, mail_id, employee_id)
        return request


@pytest.mark.parametrize("who", SENDERS)
async def test_D20_accepted_later_equals_never_held(desk: Desk, database: Database, who: str) -> None:
    at_once, ticket_of_first = await follow_up(desk, who)
    await desk.take_in(at_once)
    later, ticket_of_second = await follow_up(desk, who)
    await desk.execute("UPDATE importer_settings SET hold_strangers = true")
    await desk.take_in(later)
    assert (await desk.row(SUPPLEMENT, later.mail_id))["held_for_review"]
    await ask(database, later.mail_id)
    assert await ReviewRequests(desk.pool).answer_one()
    assert await desk.row(TICKET, ticket_of_second) == await desk.row(TICKET, ticket_of_first)
    released, never_held = await desk.row(SUPPLEMENT, later.mail_id), await desk.row(SUPPLEMENT, at_once.mail_id)
    assert dict(released) == {**never_held, "needs_review": False}


async def held(desk: Desk) -> ClassifiedMail:
    await desk.execute("UPDATE importer_settings SET hold_strangers = true")
    given, _ = await follow_up(desk, "stranger")
    await desk.take_in(given)
    return given


async def test_D20_a_request_is_answered_once_by_however_many_replicas(desk: Desk, database: Database) -> None:
    given = await held(desk)
    request = await ask(database, given.mail_id)
    assert await ask(database, given.mail_id, employee_id=33) == request
    replicas = [ReviewRequests(desk.pool) for _ in range(4)]
    assert sorted(await asyncio.gather(*(replica.answer_one() for replica in replicas))) == [False, False, False, True]
    async with database.connect("ui") as ui:
        answer = await ui.fetchrow("SELECT answered_at, refusal FROM ui_v1.review_requests WHERE id = $1", request)
    assert answer is not None
    assert answer["answered_at"] is not None
    assert answer["refusal"] is None
    notes = await desk.rows(
        "SELECT employee_id FROM ticket_history WHERE kind = 'note' AND mail_id = $1", given.mail_id
    )
    assert [note["employee_id"] for note in notes] == [32]


async def test_D20_what_somebody_else_accepted_meanwhile_is_refused_with_an_answer(
    desk: Desk, database: Database
) -> None:
    given = await held(desk)
    request = await ask(database, given.mail_id)
    await desk.execute(
        "UPDATE supplements SET needs_review = false, held_for_review = false WHERE mail_id = $1", given.mail_id
    )
    assert await ReviewRequests(desk.pool).answer_one()
    assert await desk.value("SELECT refusal FROM review_requests WHERE id = $1", request) == "nothing-waits"
    assert not await ReviewRequests(desk.pool).answer_one()


async def test_D20_nothing_is_asked_where_nothing_waits(desk: Desk, database: Database) -> None:
    given = mail()
    await desk.take_in(given)
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await ask(database, given.mail_id)
    assert refused.value.constraint_name == "nothing_waits_for_review"


async def test_D20_a_request_that_fails_blocks_no_other(
    desk: Desk, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = await held(desk), await held(desk)
    for given in (first, second):
        await ask(database, given.mail_id)
    monkeypatch.setattr("services.ticket_writer.review.requests.accept", _broken)
    assert await ReviewRequests(desk.pool).answer_one()
    monkeypatch.undo()
    assert await ReviewRequests(desk.pool).answer_one()
    answers = await desk.rows("SELECT refusal FROM review_requests ORDER BY id")
    assert [row["refusal"] for row in answers] == ["our-error", None]


async def _broken(*_: object) -> None:
    raise ValueError("a bug of ours")
