"""What nothing needs any more goes, never what something needs; a person's data is found and erased (issue 14)."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta, timezone
from typing import Any

import asyncpg
import pytest

from services.console.nightly.clock import each_night
from services.console.nightly.jobs import next_night, turn
from services.console.nightly.retention import remove_unneeded
from tests.databases import Database
from tests.shared.database.conftest import EVERY_TABLE

MAIL = "00000000-0000-0000-0000-00000000000"
LONG_AGO = (
    "UPDATE imported_mails SET outcome_at = now() - interval '2 years', received_at = now() - interval '2 years',"
    " event_published_at = now() WHERE outcome IS NOT NULL;"
    "UPDATE tickets SET status_id = (SELECT id FROM statuses s WHERE s.helpdesk_id = tickets.helpdesk_id"
    " AND category = 'closed'), completed_at = now() - interval '1 year' WHERE mail_id IS NOT NULL;"
    "UPDATE dead_letters SET resolved_at = greatest(now(), recorded_at);"
    "UPDATE blobs SET created_at = now() - interval '1 year';"
    "UPDATE retention SET raw_mail_days = 90"
)


async def without_triggers(database: Database, statements: str) -> None:
    """Make it so, however long ago: an outcome is final, and its moment too."""
    superuser = await asyncpg.connect(
        database.server.database(database.name),
        server_settings={"search_path": "helpdesk", "session_replication_role": "replica"},
    )
    try:
        await superuser.execute(statements)
    finally:
        await superuser.close()


@pytest.fixture
async def old(database: Database) -> Database:
    """All mails settled two years ago, their tickets completed a year ago; raw mails are kept for 90 days."""
    async with database.connect("owner") as owner:
        await owner.execute(EVERY_TABLE)
        await owner.execute("INSERT INTO statuses (helpdesk_id, name, category) VALUES (2, 'Dicht', 'closed')")
    await without_triggers(database, LONG_AGO)
    return database


async def emptied(database: Database) -> set[int]:
    """Which mails of every_table.sql have no bytes any more, after a night."""
    async with database.pool("operator") as pool:
        await remove_unneeded(pool)
    async with database.connect("owner") as owner:
        gone = await owner.fetch("SELECT mail_id FROM imported_mails WHERE raw_sha256 IS NULL")
    return {int(str(row["mail_id"])[-1]) for row in gone}


async def test_raw_mails_of_completed_tickets_go_with_their_bytes_and_it_is_recorded(old: Database) -> None:
    assert {1, 2, 3} <= await emptied(old)
    async with old.connect("console") as console:
        (entry,) = await console.fetch("SELECT * FROM audit_log WHERE kind = 'removal' AND thing = 'raw mails'")
        assert entry["after"]["mails"] >= 3
        left = "SELECT count(*) FROM blobs WHERE sha256 = (SELECT sha256('2'::bytea))"
        assert await console.fetchval(left) == 0
        # an image with the same bytes as the first mail is shown still
        shown = "SELECT count(*) FROM attachments JOIN blobs ON sha256 = blob_sha256"
        assert await console.fetchval(shown) == await console.fetchval(
            "SELECT count(*) FROM attachments WHERE blob_sha256 IS NOT NULL"
        )
    assert await emptied(old) >= {1, 2, 3}  # a second night finds nothing, and breaks nothing


NEEDED = {
    "nobody said how long": ("UPDATE retention SET raw_mail_days = NULL", {1, 2, 3}),
    "its ticket is open": (
        "UPDATE tickets SET status_id = 2, completed_at = NULL WHERE id = 1",
        {1, 3},
    ),
    "its ticket was completed lately": ("UPDATE tickets SET completed_at = now() WHERE id = 1", {1, 3}),
    "its ticket went up in one that is open": ("UPDATE tickets SET merged_into_id = 3 WHERE id = 1", {1, 3}),
    "it has its outcome since lately": ("UPDATE imported_mails SET outcome_at = now() WHERE item_key = 'item-2'", {2}),
    "its event was not told": (
        "UPDATE imported_mails SET event_published_at = NULL WHERE item_key = 'item-2'",
        {2},
    ),
    "it has an open dead letter": (f"SELECT record_dead_letter('{MAIL}2', 'ticket.events', 'x')", {2}),
}


@pytest.mark.parametrize(("need", "kept"), NEEDED.values(), ids=NEEDED)
async def test_a_raw_mail_stays_while(old: Database, need: str, kept: set[int]) -> None:
    await without_triggers(old, need)
    assert kept & await emptied(old) == set()


async def test_D7_what_waits_in_quarantine_for_a_person_stays_until_he_discards_it(old: Database) -> None:
    async with old.connect("owner") as owner:
        waiting = await owner.fetchval("SELECT mail_id FROM imported_mails WHERE outcome = 'quarantine'")
        assert int(str(waiting)[-1]) not in await emptied(old)
        discarded = """UPDATE imported_mails SET reasons = '[{"id": "discarded-by-person"}]',
            decided_replay = replay_number WHERE outcome = 'quarantine'"""
        await without_triggers(old, discarded)
    assert int(str(waiting)[-1]) in await emptied(old)


async def test_D13_a_content_is_remembered_longer_than_its_bytes(old: Database) -> None:
    async with old.connect("owner") as owner:
        await owner.execute(
            f"INSERT INTO content_keys SELECT 1, sha256('a'), sha256('b'), '{MAIL}1', 1 ON CONFLICT DO NOTHING"
        )
        await owner.execute("UPDATE retention SET identity_days = 400")
        await without_triggers(old, "UPDATE imported_mails SET outcome_at = now() - interval '399 days'")
        keys = await owner.fetchval("SELECT count(*) FROM content_keys")
        await emptied(old)
        assert await owner.fetchval("SELECT count(*) FROM content_keys") == keys > 0
        await without_triggers(old, "UPDATE imported_mails SET outcome_at = now() - interval '401 days'")
        await emptied(old)
        assert await owner.fetchval("SELECT count(*) FROM content_keys") == 0


async def test_checks_of_a_mailbox_are_forgotten_after_ninety_days(old: Database) -> None:
    async with old.connect("owner") as owner, old.pool("operator") as pool:
        await owner.execute("UPDATE mailbox_checks SET at = now() - interval '91 days' WHERE helpdesk_id = 1")
        await owner.execute("UPDATE mailbox_checks SET at = now() - interval '89 days' WHERE helpdesk_id = 2")
        assert (await remove_unneeded(pool)).mailbox_checks == 3
        assert await owner.fetchval("SELECT array_agg(DISTINCT helpdesk_id) FROM mailbox_checks") == [2]


async def test_of_two_one_does_it_and_once_a_night(database: Database) -> None:
    async with database.pool("operator") as one, database.pool("operator") as other:
        async with turn(one, "retention") as mine, turn(other, "retention") as theirs:
            assert (mine is None, theirs is None) == (False, True)
        async with turn(other, "retention") as again:
            assert again is None
        async with turn(other, "retention", at_once=True) as asked:
            assert asked is not None


async def test_who_died_over_it_leaves_it_to_the_next(database: Database) -> None:
    async with database.pool("operator") as pool:
        with pytest.raises(RuntimeError):
            async with turn(pool, "retention"):
                raise RuntimeError
        async with turn(pool, "retention") as mine:
            assert mine is not None


@pytest.mark.parametrize(("hour", "days"), [(2, 0), (3, 1), (23, 1)])
def test_the_night_begins_at_three(hour: int, days: int) -> None:
    zone = timezone(timedelta(hours=1))
    now = datetime(2026, 11, 28, hour, 0, 0, tzinfo=zone)
    assert next_night(now) == datetime(2026, 11, 28, 3, 0, 0, tzinfo=zone) + timedelta(days=days)


async def test_who_waits_for_the_night_ends_when_asked() -> None:
    stop = asyncio.Event()
    waiting = asyncio.create_task(each_night(stop))
    stop.set()
    await waiting


@pytest.fixture
def installed(importer: Any, database: Database) -> Any:
    """The command line with both logins, on a database with rows in every table."""

    async def fill() -> None:
        async with database.connect("owner") as owner:
            await owner.execute(EVERY_TABLE)
            await owner.execute("UPDATE notifications SET state = 'not-sent', reason = 'x' WHERE state = 'planned'")

    asyncio.run(fill())
    return importer


def as_operator(importer: Any, database: Database, *arguments: str, code: int = 0) -> str:
    before = importer.environment["IMPORTER_DATABASE_URL"]
    importer.environment["IMPORTER_DATABASE_URL"] = database.dsn("operator").get_secret_value()
    try:
        return str(importer(*arguments, code=code))
    finally:
        importer.environment["IMPORTER_DATABASE_URL"] = before


def test_the_commands_say_how_long_and_do_it(installed: Any, database: Database) -> None:
    assert "longer than raw mails" in installed("retention", "set", "--raw-mails", "400", "--identities", "365", code=1)
    installed("retention", "set", "--raw-mails", "90", "--identities", "3650")
    assert installed.json("retention", "show") == {"raw_mail_days": 90, "identity_days": 3650}
    assert as_operator(installed, database, "nightly", "--now", "--only", "retention").startswith(
        "retention: 0 raw mails"
    )
    assert "done already" in as_operator(installed, database, "nightly", "--now", "--only", "retention")
    installed("retention", "set", "--raw-mails", "")
    assert installed.json("retention", "show")["raw_mail_days"] is None


def test_a_person_is_found_and_erased_and_his_tickets_stay(installed: Any, database: Database) -> None:
    found = installed.json("people", "find", "ANNA@korenaar.example")
    assert {"contact", "ticket", "supplement"} <= {one["what"] for one in found}
    assert installed.json("people", "find", "anna de")[0]["what"] == "contact"
    as_operator(installed, database, "people", "erase", "anna@korenaar.example")
    assert installed.json("people", "find", "anna@korenaar.example") == found  # it has only shown it
    said = as_operator(installed, database, "people", "erase", "anna@korenaar.example", "--yes")
    assert "1 contacts" in said
    assert "1 tickets" in said
    assert installed.json("people", "find", "anna@korenaar.example") == []
    assert installed.json("people", "find", "Anna") == []
    entry = installed.json("audit", "list", "--kind", "removal")[0]
    assert (entry["deed"], entry["after"]["tickets"]) == ("erased", 1)
    assert "nna" not in str(installed.json("audit", "list", "--thing", "persons"))


def test_S5_the_standard_contact_is_not_erased(installed: Any, database: Database) -> None:
    async def name_him() -> None:
        async with database.connect("owner") as owner:
            await owner.execute("INSERT INTO person_addresses (person_id, address) VALUES (2, 'onbekend@x.example')")

    asyncio.run(name_him())
    refused = as_operator(installed, database, "people", "erase", "onbekend@x.example", "--yes", code=1)
    assert "Standaard contactpersoon" in refused
