"""Rights and guards that are gone are seen at once, by who watches, not by the first mail that meets it."""

from __future__ import annotations

from shared.database.migrate import newest_revision
from shared.standing.schema import NOTHING_MISSING, schema_standing
from tests.databases import Database


async def test_nothing_is_missing_of_a_database_that_was_migrated(database: Database) -> None:
    async with database.connect("console") as console:
        assert await schema_standing(console) == NOTHING_MISSING


async def test_a_right_that_was_withdrawn_and_a_trigger_that_is_off_are_seen(database: Database) -> None:
    async with database.connect("owner") as owner, database.connect("console") as console:
        await owner.execute("REVOKE INSERT ON helpdesk.tickets FROM importer_ticket_writer")
        await owner.execute("ALTER TABLE helpdesk.tickets DISABLE TRIGGER register_number")
        await owner.execute("DROP INDEX helpdesk.imported_mails_raw")  # slow, and no guard
        seen = await schema_standing(console)
    assert seen.rights == ("importer_ticket_writer INSERT table helpdesk.tickets",)
    [guard] = seen.guards
    assert "(register_number)" in guard


async def test_a_schema_of_another_revision_is_not_judged(database: Database) -> None:
    """In an upgrade the program that watches may be older than the schema, and newer than its second half."""
    async with database.connect("owner") as owner, database.connect("console") as console:
        await owner.execute("REVOKE INSERT ON helpdesk.tickets FROM importer_ticket_writer")
        newer = f"{int(newest_revision()) + 1:04}"
        await owner.execute("UPDATE public.alembic_version SET version_num = $1", newer)
        assert await schema_standing(console) == NOTHING_MISSING
