"""Which mailboxes are in the middle of an import, on a real database."""

from __future__ import annotations

import pytest

from shared.standing.importing import imports
from tests.databases import Database
from tests.services.notifier.house import House

MIDDLE = "last_check_at = now(), last_successful_check_at = "


@pytest.mark.parametrize(
    ("states", "found"),
    [
        pytest.param("last_check_at = NULL", [], id="nobody looked yet"),
        pytest.param("lease_until = now() + interval '1 minute'", [(True, 2)], id="the first check goes on"),
        pytest.param(MIDDLE + "NULL", [(True, 2)], id="a check left mail, and there was none before"),
        pytest.param(
            MIDDLE + "now() - interval '1 hour'", [(False, 1)], id="a check left mail, since the last good one"
        ),
        pytest.param(MIDDLE + "now()", [], id="all of it was seen"),
        pytest.param(
            MIDDLE + "NULL, problem = 'Weg.', problem_kind = 'unreachable', problem_since = now(), failed_checks = 1",
            [],
            id="a problem is told instead",
        ),
    ],
)
async def test_S8_a_mailbox_is_imported_until_all_of_it_was_seen(
    database: Database, states: str, found: list[tuple[bool, int]]
) -> None:
    async with House.of(database) as house:
        await house.mail("<a@b>")
        await house.mail("<c@d>")
        await house.owner.execute(f"""
            INSERT INTO employees (id, name) VALUES (7, 'Importer');
            UPDATE importer_settings SET enabled = true, default_contact_id = 1, default_employee_id = 7;
            UPDATE imported_mails SET fetched_at = now() - interval '2 hours' WHERE message_id_header = '<a@b>';
            UPDATE mailbox_states SET {states}""")  # noqa: S608 - our own words
        async with database.connect("console") as connection:
            assert [(each.first, each.taken_in) for each in await imports(connection)] == found


@pytest.mark.parametrize(
    ("states", "total"),
    [
        pytest.param("import_left = NULL, import_left_at = NULL", None, id="it was never many"),
        pytest.param("import_left = 9, import_left_at = now() - interval '1 day'", 9, id="before the first mail"),
        pytest.param("import_left = 9, import_left_at = now() - interval '1 hour'", 10, id="listed again meanwhile"),
        pytest.param("import_left = 1, import_left_at = now() - interval '1 day'", 2, id="more came than was listed"),
    ],
)
async def test_S8_how_many_mails_an_import_has_is_what_the_mailbox_said_last(
    database: Database, states: str, total: int | None
) -> None:
    async with House.of(database) as house:
        await house.mail("<a@b>")
        await house.mail("<c@d>")
        await house.owner.execute(f"""
            INSERT INTO employees (id, name) VALUES (7, 'Importer');
            UPDATE importer_settings SET enabled = true, default_contact_id = 1, default_employee_id = 7;
            UPDATE imported_mails SET fetched_at = now() - interval '2 hours' WHERE message_id_header = '<a@b>';
            UPDATE mailbox_states SET last_check_at = now(), {states}""")  # noqa: S608 - our own words
        async with database.connect("console") as connection:
            (found,) = await imports(connection)
            assert (found.taken_in, found.total) == (2, total)
            await house.owner.execute("UPDATE mailbox_states SET last_successful_check_at = now() - interval '3 hours'")
            (later,) = await imports(connection)
            assert later.total == (None if "1 day" in states else total)
