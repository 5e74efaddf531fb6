"""Mails written in one transaction come out as if they had come one after the other, whatever they have in common."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from services.ticket_writer.writing import Message, UnknownMail
from shared.messages import AutomaticKind, Bodies, ClassifiedMail, ContentKey, Outcome
from tests.databases import Databases
from tests.services.ticket_writer.conftest import DESK, Desk
from tests.services.ticket_writer.givens import COLLEAGUE, OUTSIDER, WHOLE, candidate, digest, mail, sender

MAILS = 24
_SETTINGS = """
    UPDATE helpdesks SET summary_after = 4, unknown_senders_per_hour = 3 WHERE id = 1;
    UPDATE importer_settings SET hold_strangers = true WHERE helpdesk_id = 1
"""
_OUTCOME = {
    "mails": """
        SELECT mail.mail_id, outcome, reasons::text, duplicate_of, ticket.number, supplement_id IS NULL AS no_supplement
        FROM imported_mails AS mail LEFT JOIN tickets AS ticket ON ticket.id = mail.ticket_id ORDER BY mail_id""",
    "tickets": """
        SELECT number, title, status_id, contact_id, organisation_id, mail_id, needs_review, verdict::text
        FROM tickets ORDER BY number""",
    "supplements": """
        SELECT supplement.mail_id, number, supplement.status_id, visible_to_customer, held_for_review, by_employee,
            informant_person_id
        FROM supplements AS supplement JOIN tickets AS ticket ON ticket.id = ticket_id ORDER BY mail_id""",
    "history": """
        SELECT number, history.mail_id, kind, description FROM ticket_history AS history
        JOIN tickets AS ticket ON ticket.id = ticket_id ORDER BY number, history.id""",
    "notifications": """
        SELECT mail_id, kind, recipient_address, state, reason, to_stranger, summary_id,
            collects_until IS NOT NULL AS collects
        FROM notifications ORDER BY mail_id, kind""",
    "content": "SELECT helpdesk_id, mail_id FROM content_keys ORDER BY helpdesk_id, mail_id",
}


@asynccontextmanager
async def a_desk(databases: Databases) -> AsyncIterator[Desk]:
    async with (
        databases.fresh() as database,
        database.pool("owner") as owner,
        database.pool("ticket_writer") as pool,
    ):
        await owner.execute(DESK)
        await owner.execute(_SETTINGS)
        yield Desk(pool, owner)


def some_mails(seed: int) -> list[ClassifiedMail]:
    """Mails with few senders, numbers, contents and Message-IDs between them, so that many have one in common."""
    chance = random.Random(seed)  # noqa: S311 - which mails come
    mails = []
    for turn in range(MAILS):
        mail_id = uuid.UUID(int=chance.getrandbits(128), version=4)
        content = digest(f"content {chance.randrange(MAILS)}")
        who = chance.choice(
            [
                sender(),
                sender("piet@klant.example", COLLEAGUE),
                sender("oom@elders.example", OUTSIDER),
                sender("tom@desk.example", employee_id=33),
                sender(f"vreemd{chance.randrange(4)}@ergens{chance.randrange(2)}.example", known=False),
            ]
        )
        mails.append(
            mail(
                mail_id=mail_id,
                helpdesk_id=1,
                sender=who,
                subject=chance.choice(["De printer", "Het netwerk", f"Iets {turn}"]),
                candidates=tuple(
                    candidate(str(1_000_001 + chance.randrange(4))) for _ in range(chance.choice([0, 1, 1, 2]))
                ),
                message_id=f"{chance.randrange(2 * MAILS)}@klant.example",
                content_key=ContentKey(key=content, text_digest=digest("Hele mail")),
                automatic=chance.choice([None] * 9 + [AutomaticKind.AUTO_REPLY]),
            )
        )
    mails.append(mails[chance.randrange(MAILS)])  # a message that comes twice
    return mails


async def outcome_of(desk: Desk) -> dict[str, list[tuple[object, ...]]]:
    return {name: [tuple(row) for row in await desk.rows(query)] for name, query in _OUTCOME.items()}


async def written(
    desk: Desk, mails: Sequence[ClassifiedMail], sizes: Sequence[int]
) -> dict[str, list[tuple[object, ...]]]:
    """What becomes of the mails when they come in batches of these sizes."""
    for each in {each.mail_id: each for each in mails}.values():
        await desk.fetch(each)
    writer, left = desk.writer, list(mails)
    for size in sizes:
        batch, left = left[:size], left[size:]
        await writer.write_all([Message(each, Bodies(whole=WHOLE), each.received_at) for each in batch])
    assert not left
    return await outcome_of(desk)


def sizes_of(seed: int) -> list[int]:
    chance = random.Random(seed)  # noqa: S311 - how they come
    sizes: list[int] = []
    while sum(sizes) < MAILS + 1:
        sizes.append(min(chance.randint(1, 12), MAILS + 1 - sum(sizes)))
    return sizes


@pytest.mark.parametrize("seed", range(8))
async def test_a_batch_is_as_one_after_the_other(databases: Databases, seed: int) -> None:
    mails = some_mails(seed)
    async with a_desk(databases) as desk:
        one_by_one = await written(desk, mails, [1] * len(mails))
    async with a_desk(databases) as desk:
        at_once = await written(desk, mails, [len(mails)])
    async with a_desk(databases) as desk:
        in_batches = await written(desk, mails, sizes_of(seed))
    for table, rows in one_by_one.items():
        assert at_once[table] == rows, table
        assert in_batches[table] == rows, table
    outcomes = {row[1] for row in one_by_one["mails"]}
    assert {Outcome.TICKET, Outcome.SUPPLEMENT} <= outcomes, "the mails are worth the comparison"


async def test_a_mail_that_cannot_be_written_costs_the_others_nothing(desk: Desk) -> None:
    good = [await desk.fetch(mail()) for _ in range(5)]
    unknown = mail()
    writer = desk.writer
    messages = [Message(each, Bodies(whole=WHOLE), each.received_at) for each in [*good[:2], unknown, *good[2:]]]
    with pytest.raises(UnknownMail):
        await writer.write_all(messages)
    assert (await desk.everything())["tickets"] == 0, "a batch is written as a whole or not at all"
    outcomes = await asyncio.gather(
        *(writer.write(each.mail, each.classified_at) for each in messages), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes].count(UnknownMail) == 1
    assert (await desk.everything())["tickets"] == 5
