"""A pool of the console in a process that lives on: opened once, for calls at the same time, also after a refusal."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from services.console.database import ConsoleConfiguration, Refused, one_transaction, open_database
from services.console.repairs import mails, senders
from services.console.repairs.mails import MailFilter, NotRepaired, Refusal
from shared.database.pool import Pool
from shared.messages import MailId
from tests.databases import Database

EVERY_TABLE = Path(__file__).parents[2] / "shared" / "database" / "every_table.sql"
NO_HELPDESK = 999


async def test_repairs_share_a_pool_and_a_refused_one_leaves_it_as_it_was(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMPORTER_DATABASE_URL", database.dsn("console").get_secret_value())
    async with database.connect("owner") as owner:
        await owner.execute(EVERY_TABLE.read_text(encoding="utf-8"))
    pattern = senders.pattern_of("reclame.example", is_list=False)

    async def blocks(pool: Pool, helpdesk_id: int | None) -> None:
        async with one_transaction(pool) as connection:
            await senders.put(connection, helpdesk_id, pattern, "block")
            await both_began.wait()

    async def replays_one_twice(pool: Pool, mail_id: MailId) -> None:
        async with one_transaction(pool) as connection:
            await mails.replay(connection, mail_id)
            await mails.replay(connection, mail_id)

    async with open_database(ConsoleConfiguration.load(), connections=2) as pool:
        async with one_transaction(pool) as connection:
            [quarantined] = await mails.mails(connection, MailFilter(outcome="quarantine"))
        both_began = asyncio.Barrier(2)
        await asyncio.gather(blocks(pool, None), blocks(pool, 1))  # neither ends before the other began
        with pytest.raises(Refused) as refused:
            await blocks(pool, NO_HELPDESK)
        with pytest.raises(NotRepaired) as not_repaired:
            await replays_one_twice(pool, MailId(quarantined.mail_id))
        async with one_transaction(pool) as connection:
            rules = await senders.rules(connection, None)
            [still_quarantined] = await mails.mails(connection, MailFilter(outcome="quarantine"))
    assert refused.value.constraint == "sender_rules_helpdesk_id_fkey"
    assert not_repaired.value.refusal is Refusal.BEING_REPLAYED
    assert still_quarantined == quarantined
    assert {rule.helpdesk for rule in rules if rule.pattern == pattern.text} == {None, "Support"}
