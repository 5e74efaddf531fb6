"""Who waits until when, as the database counts (SPEC D18): the same for mails together and one by one."""

import random
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import pairwise

import pytest

from services.classifier.repository import hold_floods
from services.classifier.rules.flood import Budget
from shared.database.pool import Connection, Pool
from shared.messages import MailId
from tests.databases import Database
from tests.services.classifier.test_service import DESK

ALLOWED = 6
PACE = timedelta(hours=1) / ALLOWED


@dataclass(frozen=True, slots=True)
class Ledger:
    owner: Connection
    pool: Pool

    async def mails(self, count: int, changes: str = "") -> list[MailId]:
        """So many mails that were just taken in, with other columns as `changes` says."""
        ids = [MailId(uuid.uuid4()) for _ in range(count)]
        await self.owner.execute(
            "INSERT INTO imported_mails (mail_id, helpdesk_id, generation, folder, item_key, raw_sha256, raw_size,"
            " full_size, received_at) SELECT id, 1, 1, 'INBOX', id, sha256('raw'), 3, 3, now()"
            " FROM unnest($1::uuid[]) AS id",
            ids,
        )
        if changes:
            await self.owner.execute(f"UPDATE imported_mails SET {changes} WHERE mail_id = ANY($1)", ids)  # noqa: S608
        return ids

    async def hold(self, ids: list[MailId], sender: str = "piet@elders.example") -> list[datetime | None]:
        return await hold_floods(self.pool, [(each, of(sender)) for each in ids])


def of(sender: str) -> Budget:
    return Budget(1, sha256(sender.encode()).hexdigest(), sender)


@pytest.fixture
async def ledger(database: Database) -> AsyncIterator[Ledger]:
    async with database.connect("owner") as owner, database.pool("classifier", max_size=2) as pool:
        await owner.execute(DESK)
        await owner.execute("INSERT INTO blobs (sha256, byte_size) VALUES (sha256('raw'), 3)")
        await owner.execute("UPDATE importer_settings SET mails_per_sender_per_hour = $1", ALLOWED)
        yield Ledger(owner, pool)


def waits(due: list[datetime | None]) -> int:
    return sum(each is not None for each in due)


async def test_D18_beyond_the_number_each_waits_its_turn(ledger: Ledger) -> None:
    due = await ledger.hold(await ledger.mails(ALLOWED + 4))
    assert due[:ALLOWED] == [None] * ALLOWED
    turns = [each for each in due[ALLOWED:] if each is not None]
    assert [b - a for a, b in pairwise(turns)] == [PACE] * 3
    assert waits(await ledger.hold(await ledger.mails(ALLOWED), "ander@elders.example")) == 0


async def test_D18_nothing_waits_longer_than_four_hours_however_many_came(ledger: Ledger) -> None:
    for _ in range(3):
        due = await ledger.hold(await ledger.mails(10 * ALLOWED))
    now = await ledger.owner.fetchval("SELECT now()")
    assert all(each is not None and each <= now + timedelta(hours=4) for each in due)


async def test_D18_the_same_mail_waits_once_and_then_goes_on(ledger: Ledger) -> None:
    mails = await ledger.mails(ALLOWED + 2)
    first = await ledger.hold(mails)
    assert await ledger.hold(mails[ALLOWED:]) == first[ALLOWED:], "delivered again before its time"
    await ledger.owner.execute("UPDATE held_mails SET held_until = now() - interval '1 second'")
    assert waits(await ledger.hold(mails[ALLOWED:])) == 0
    spent = await ledger.owner.fetchval("SELECT spent_until - now() FROM sender_budgets")
    assert spent <= (ALLOWED + 2) * PACE, "counted once"


@pytest.mark.parametrize("seed", range(5))
async def test_D18_mails_of_one_batch_wait_as_single_ones_do(ledger: Ledger, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - which senders, no secret
    senders = [chance.choice("abc") for _ in range(5 * ALLOWED)]
    mails = await ledger.mails(len(senders))
    together = await hold_floods(ledger.pool, [(id_, of(s)) for id_, s in zip(mails, senders, strict=True)])
    await ledger.owner.execute("DELETE FROM held_mails; DELETE FROM sender_budgets")
    alone = [(await ledger.hold([id_], s))[0] for id_, s in zip(mails, senders, strict=True)]
    assert [each is None for each in together] == [each is None for each in alone]
    apart = [abs(a - b) for a, b in zip(together, alone, strict=True) if a is not None and b is not None]
    assert max(apart) < PACE / 10, "but for the moment in which it was asked"


@pytest.mark.parametrize(
    "changes",
    ["outcome = 'quarantine', outcome_at = now(), reasons = '[{\"id\": \"our-error\"}]'", "choice = 'import'"],
)
async def test_D18_what_a_person_decided_is_not_counted(ledger: Ledger, changes: str) -> None:
    assert waits(await ledger.hold(await ledger.mails(3 * ALLOWED, changes))) == 0
    assert await ledger.owner.fetchval("SELECT count(*) FROM sender_budgets") == 0


async def test_D18_an_empty_setting_holds_nothing(ledger: Ledger) -> None:
    await ledger.owner.execute("UPDATE importer_settings SET mails_per_sender_per_hour = NULL")
    assert waits(await ledger.hold(await ledger.mails(3 * ALLOWED))) == 0
