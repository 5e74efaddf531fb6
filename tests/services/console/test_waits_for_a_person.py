"""Which quarantined mails wait for a person is one rule: `status`, alarms, Vandaag and the work lists count alike."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from services.console.repairs import mails
from services.console.repairs.mails import MailFilter
from services.console.web.pages.today.query import today
from shared.database.pool import Connection
from shared.messages import ReasonId
from shared.standing import recorded
from shared.standing.needs import NEEDS_A_PERSON
from shared.standing.quarantine import DECIDED
from tests.databases import Database

EVERY_TABLE = Path(__file__).parents[2] / "shared" / "database" / "every_table.sql"
QUARANTINED = """
    INSERT INTO imported_mails (mail_id, helpdesk_id, generation, folder, item_key, raw_removed_at, raw_size, full_size,
        received_at, fetched_at, published_at, marked_read_at, outcome, outcome_at, decided_replay, reasons)
    SELECT mail_id, (SELECT id FROM helpdesks ORDER BY id LIMIT 1), generation, folder, mail_id::text, now(), 1, 1,
        now(), now(), now(), now(), 'quarantine', now(), 0, $2
    FROM unnest($1::uuid[]) AS mail_id, (SELECT generation, folder FROM imported_mails LIMIT 1) AS one
"""
OLD = 20_000
SCANS = "SELECT pg_stat_get_xact_numscans('imported_mails_undecided'::regclass)"


async def add(owner: Connection, *reasons: str, count: int = 1) -> uuid.UUID:
    """Mails in quarantine for these reasons; the id of the last."""
    ids = [uuid.uuid4() for _ in range(count)]
    await owner.execute(QUARANTINED, ids, [{"id": reason} for reason in reasons])
    return ids[-1]


async def counted(database: Database) -> dict[str, set[int]]:
    """How many wait, as each says who counts or lists them."""
    async with database.connect("console") as console:
        of_status = {one.helpdesk_id: one.quarantined for one in await recorded.undecided(console)}
        work_list = MailFilter(undecided=True, limit=99)
        everywhere = {
            "status": {sum(of_status.values())},
            "list": {len(await mails.mails(console, work_list))},
            "ids": {len(await mails.ids(console, work_list))},
            "count": {await mails.count(console, work_list)},
        }
        everywhere["all of it"] = {
            sum(one.quarantined for one in (await recorded.recorded(console, NEEDS_A_PERSON)).undecided)
        }
    async with database.connect("web") as web:
        everywhere["Vandaag"] = {(await today(web, list(of_status), frozenset())).waiting.quarantine}
    return everywhere


async def test_everybody_counts_the_same_for_every_reason(database: Database) -> None:
    async with database.connect("owner") as owner:
        await owner.execute(EVERY_TABLE.read_text(encoding="utf-8"))
        await owner.execute("UPDATE dead_letters SET resolved_at = recorded_at")
        before = (await counted(database))["status"].pop()
        for number, reason in enumerate(ReasonId, start=1):
            await add(owner, "no-sender", reason)
            waiting = before + number - len([one for one in list(ReasonId)[:number] if one in DECIDED])
            assert {who: said for who, said in (await counted(database)).items() if said != {waiting}} == {}, reason

        await owner.execute("UPDATE imported_mails SET replay_number = 1 WHERE item_key = 'item-5'")
        waiting -= 1  # awaits its next outcome
        parked = await add(owner, "dead-letter")
        await owner.execute("INSERT INTO dead_letters (mail_id, queue, reason) VALUES ($1, 'mail.raw', 'x')", parked)
        assert {who: said for who, said in (await counted(database)).items() if said != {waiting}} == {}


@pytest.mark.parametrize("who", ["status", "the work list"])
async def test_who_waits_is_found_by_the_index_of_them(database: Database, who: str) -> None:
    async with database.connect("owner") as owner:
        await owner.execute(EVERY_TABLE.read_text(encoding="utf-8"))
        await add(owner, ReasonId.SENDER_BLOCKED, count=OLD)
        await add(owner, ReasonId.NO_SENDER)
        await owner.execute("VACUUM ANALYZE imported_mails")
    async with database.connect("console") as console, console.transaction():
        if who == "status":
            await recorded.undecided(console)
        else:
            await mails.mails(console, MailFilter(undecided=True))
        assert await console.fetchval(SCANS) > 0
