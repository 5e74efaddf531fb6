"""What the database's objects should be: a frozen list, and what differs from it told with what takes it away."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from shared.database.differences import GUARDS, Difference, differences, differences_of
from shared.database.migrate import newest_revision
from shared.database.objects import Kind, Living, Object, expected_objects, frozen_revision, list_of, living
from shared.database.pool import Connection
from shared.database.roles import ROLES
from tests.databases import Database


@pytest.fixture
async def superuser(filled_database: Database) -> AsyncIterator[asyncpg.Connection[Any]]:
    """A superuser's connection to a database with rows; what it does is rolled back."""
    server = filled_database.server.url.rpartition("/")[0]
    connection = await asyncpg.connect(f"{server}/{filled_database.name}")
    transaction = connection.transaction()
    await transaction.start()
    try:
        yield connection
    finally:
        await transaction.rollback()
        await connection.close()


async def mended(connection: Connection, found: list[Difference]) -> list[Difference]:
    """What differs still, after the statements that were told; those of a sequence that was made anew too."""
    for _ in range(2):
        for each in found:
            await connection.execute(each.statement.replace(" CONCURRENTLY", ""))  # within the test's transaction
        found = await differences_of(connection)
    return found


async def test_the_frozen_list_is_that_of_a_migrated_database(filled: Connection) -> None:
    anew = "write it anew: python -m shared.database.frozen, of a migrated database"
    assert frozen_revision() == newest_revision(), anew
    frozen = list_of(frozen_revision(), list(expected_objects().values()))
    there = (await living(filled, ROLES)).objects
    # as told apart, not as worded: the list is written by any version of PostgreSQL
    assert await differences_of(filled) == [], anew
    assert {(each.kind, each.name) for each in there} == set(expected_objects()), anew
    assert len(frozen.splitlines()) == len(there) + 1


async def test_a_role_without_any_right_on_them_sees_the_same(filled_database: Database) -> None:
    async with filled_database.connect("console") as console:
        assert await differences_of(console) == []
        assert await console.fetchval("SELECT current_setting('search_path')") == "helpdesk"


GRAVE, SLOW = True, False


@pytest.mark.parametrize(
    ("broken", "grave", "said", "statement"),
    [
        pytest.param(
            "DROP INDEX helpdesk.tickets_mail_subject", SLOW, "helpdesk.tickets_mail_subject (index) is gone: ",
            "CREATE INDEX CONCURRENTLY tickets_mail_subject ON helpdesk.tickets USING gin (mail_subject "
            "public.gin_trgm_ops)", id="an index is gone",
        ),
        pytest.param(
            "DROP INDEX helpdesk.held_once", GRAVE, "helpdesk.held_once (index) is gone: ",
            "CREATE UNIQUE INDEX CONCURRENTLY held_once ON ", id="an index that keeps unique is gone",
        ),
        pytest.param(
            "ALTER INDEX helpdesk.imported_mails_raw RENAME TO my_raw", SLOW,
            "helpdesk.imported_mails_raw (index) is called my_raw: ",
            "ALTER INDEX helpdesk.my_raw RENAME TO imported_mails_raw", id="an index was renamed",
        ),
        pytest.param(
            "DROP INDEX helpdesk.imported_mails_raw; CREATE INDEX imported_mails_raw ON imported_mails (helpdesk_id)",
            SLOW, "helpdesk.imported_mails_raw (index) is not what it was made to be: ",
            "DROP INDEX helpdesk.imported_mails_raw; CREATE INDEX", id="an index of other columns",
        ),
        pytest.param(
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'helpdesk.held_once'::regclass", GRAVE,
            "helpdesk.held_once (index) was not built to its end, and nothing is found by it: ",
            "REINDEX INDEX CONCURRENTLY helpdesk.held_once", id="an index is invalid",
        ),
        pytest.param(
            "ALTER TABLE sender_rules DROP CONSTRAINT sender_rule_is_unique", GRAVE,
            "helpdesk.sender_rules.sender_rule_is_unique (constraint) is gone: ",
            "ALTER TABLE helpdesk.sender_rules ADD CONSTRAINT sender_rule_is_unique UNIQUE NULLS NOT DISTINCT ",
            id="a constraint is gone",
        ),
        pytest.param(
            "ALTER TABLE sender_rules RENAME CONSTRAINT sender_rule_is_unique TO x", GRAVE,
            "helpdesk.sender_rules.sender_rule_is_unique (constraint) is called x: ",
            "ALTER TABLE helpdesk.sender_rules RENAME CONSTRAINT x TO sender_rule_is_unique",
            id="a constraint was renamed",
        ),
        pytest.param(
            "ALTER TABLE dead_letters DROP CONSTRAINT dead_letters_mail_id_fkey;"
            "ALTER TABLE dead_letters ADD CONSTRAINT dead_letters_mail_id_fkey FOREIGN KEY (mail_id)"
            " REFERENCES imported_mails ON DELETE CASCADE NOT VALID", SLOW,
            "helpdesk.dead_letters.dead_letters_mail_id_fkey (constraint) was never held against the rows that were ",
            "ALTER TABLE helpdesk.dead_letters VALIDATE CONSTRAINT dead_letters_mail_id_fkey",
            id="a constraint was left NOT VALID",
        ),
        pytest.param(
            "ALTER TABLE tickets DISABLE TRIGGER register_number", GRAVE,
            "helpdesk.tickets has triggers switched off (register_number): ",
            "ALTER TABLE helpdesk.tickets ENABLE TRIGGER register_number", id="a trigger is off",
        ),
        pytest.param(
            "ALTER TABLE tickets DISABLE TRIGGER ALL", GRAVE,
            "helpdesk.tickets has its triggers switched off, those of its foreign keys too; as a superuser: ",
            "ALTER TABLE helpdesk.tickets ENABLE TRIGGER ALL", id="all triggers of a table are off",
        ),
        pytest.param(
            "ALTER TABLE tickets ENABLE REPLICA TRIGGER register_number", GRAVE,
            "helpdesk.tickets has triggers switched off (register_number): ",
            "ALTER TABLE helpdesk.tickets ENABLE TRIGGER register_number", id="a trigger fires for replication alone",
        ),
        pytest.param(
            "DROP TRIGGER z_audit ON statuses", GRAVE, "helpdesk.statuses.z_audit (trigger) is gone: ",
            "CREATE TRIGGER z_audit AFTER INSERT OR DELETE OR UPDATE ON helpdesk.statuses ", id="a trigger is gone",
        ),
        pytest.param(
            "ALTER TRIGGER status_flag ON tickets RENAME TO zz", GRAVE,
            "helpdesk.tickets.status_flag (trigger) is called zz: ",
            "ALTER TRIGGER zz ON helpdesk.tickets RENAME TO status_flag", id="a trigger fires in another order",
        ),
        pytest.param(
            "CREATE OR REPLACE FUNCTION names_address(list jsonb, asked text) RETURNS boolean IMMUTABLE LANGUAGE sql"
            " AS 'SELECT true'", GRAVE,
            "helpdesk.names_address(list jsonb, asked text) (function) is not what it was made to be: "
            "helpdesk-importer doctor --sql prints the statement.",
            "CREATE OR REPLACE FUNCTION helpdesk.names_address(list jsonb, asked text)", id="a function was replaced",
        ),
        pytest.param(
            "DROP VIEW ui_v1.ticket_numbers", GRAVE, "ui_v1.ticket_numbers (view) is gone: ",
            "CREATE OR REPLACE VIEW ui_v1.ticket_numbers AS SELECT ", id="a view is gone",
        ),
        pytest.param(
            "ALTER TABLE helpdesks ALTER unknown_senders_per_hour DROP NOT NULL", GRAVE,
            "helpdesk.helpdesks.unknown_senders_per_hour (NOT NULL) is gone: ",
            "ALTER TABLE helpdesk.helpdesks ALTER COLUMN unknown_senders_per_hour SET NOT NULL",
            id="a column may be null",
        ),
        pytest.param(
            "ALTER TABLE mailbox_states ALTER backlog_waiting SET DEFAULT 7", GRAVE,
            "helpdesk.mailbox_states.backlog_waiting (default) is not what it was made to be: ",
            "ALTER TABLE helpdesk.mailbox_states ALTER COLUMN backlog_waiting SET DEFAULT 0", id="another default",
        ),
        pytest.param(
            "ALTER TABLE dead_letters ALTER reason TYPE varchar(9000)", GRAVE,
            "helpdesk.dead_letters.reason (column) is not what it was made to be: ",
            "ALTER TABLE helpdesk.dead_letters ALTER COLUMN reason TYPE text", id="another type",
        ),
        pytest.param(
            "ALTER TABLE nightly_jobs DROP told", GRAVE,
            "helpdesk.nightly_jobs.told (column) is gone, with what it held: ",
            "ALTER TABLE helpdesk.nightly_jobs ADD COLUMN told jsonb", id="a column is gone",
        ),
        pytest.param(
            "ALTER TABLE tickets ALTER id DROP IDENTITY", GRAVE, "helpdesk.tickets.id (identity column) is gone: ",
            "ALTER TABLE helpdesk.tickets ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY",
            id="no identity any more",
        ),
        pytest.param(
            "ALTER SEQUENCE ticket_number_seq INCREMENT BY 2", GRAVE,
            "helpdesk.ticket_number_seq (sequence) is not what it was made to be: ",
            "ALTER SEQUENCE helpdesk.ticket_number_seq AS bigint INCREMENT BY 1 ", id="a sequence counts otherwise",
        ),
        pytest.param(
            "ALTER TABLE blob_chunks SET UNLOGGED", GRAVE,
            "helpdesk.blob_chunks (table) is not what it was made to be: ",
            "ALTER TABLE helpdesk.blob_chunks SET LOGGED", id="a table that a crash empties",
        ),
        pytest.param(
            "ALTER TABLE logins ENABLE ROW LEVEL SECURITY", GRAVE,
            "helpdesk.logins (table) is not what it was made to be: ",
            "ALTER TABLE helpdesk.logins DISABLE ROW LEVEL SECURITY", id="a table that shows no rows",
        ),
    ],
)  # fmt: skip
async def test_what_was_broken_is_told_and_its_statement_mends_it(
    superuser: asyncpg.Connection[Any], broken: str, *, grave: bool, said: str, statement: str
) -> None:
    await superuser.execute("SET LOCAL search_path = helpdesk, public")
    await superuser.execute(broken)
    found = await differences_of(superuser)
    [told] = [each for each in found if each.sentence.startswith(said)]
    assert told.statement.startswith(statement)
    assert told.is_grave is grave
    assert await mended(superuser, found) == []


async def test_triggers_that_a_setting_silences_are_told_of_whom(
    superuser: asyncpg.Connection[Any], filled_database: Database
) -> None:
    name = filled_database.name
    for whom in (f"DATABASE {name}", f"ROLE importer_web IN DATABASE {name}"):
        await superuser.execute(f"ALTER {whom} SET session_replication_role = replica")
    found = await differences_of(superuser)
    assert [each.statement for each in found] == [
        f"ALTER DATABASE {name} RESET session_replication_role",
        f"ALTER ROLE importer_web IN DATABASE {name} RESET session_replication_role",
    ]
    assert all(each.is_grave and each.by_superuser for each in found)
    assert await mended(superuser, found) == []


async def test_what_an_administrator_may_add_is_no_difference(superuser: asyncpg.Connection[Any]) -> None:
    await superuser.execute("""
        SET LOCAL search_path = helpdesk, public;
        CREATE INDEX own_index ON tickets (mail_subject);
        CREATE TABLE own_table (id bigint PRIMARY KEY);
        CREATE VIEW own_view AS SELECT id FROM tickets;
        ALTER TABLE tickets ADD own_column text, ADD own_number bigint NOT NULL DEFAULT 0;
        CREATE FUNCTION own_function() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE TRIGGER own_trigger BEFORE UPDATE ON tickets FOR EACH ROW EXECUTE FUNCTION own_function();
        ALTER TABLE tickets DISABLE TRIGGER own_trigger;
        ALTER TABLE tickets SET (fillfactor = 80)""")
    assert await differences_of(superuser) == []


async def test_what_may_refuse_or_change_what_we_write_is_for_a_person_to_judge(
    superuser: asyncpg.Connection[Any],
) -> None:
    await superuser.execute("""
        SET LOCAL search_path = helpdesk, public;
        CREATE UNIQUE INDEX own_index ON tickets (id, mail_subject);
        CREATE INDEX left_over ON tickets (mail_subject);
        UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'left_over'::regclass;
        ALTER TABLE tickets ADD own_column text CHECK (own_column <> '');
        ALTER TABLE nightly_jobs ADD own_number bigint NOT NULL DEFAULT 0;
        ALTER TABLE nightly_jobs ALTER own_number DROP DEFAULT;
        ALTER TABLE tickets ALTER priority_id SET DEFAULT 1""")
    found = await differences_of(superuser)
    cures = {each.sentence.rpartition(": ")[2] for each in found}
    assert cures == {
        "DROP INDEX CONCURRENTLY helpdesk.own_index;",
        "DROP INDEX CONCURRENTLY helpdesk.left_over;",
        "ALTER TABLE helpdesk.tickets DROP CONSTRAINT tickets_own_column_check;",
        "ALTER TABLE helpdesk.tickets ALTER COLUMN priority_id DROP DEFAULT;",
        "ALTER TABLE helpdesk.nightly_jobs ALTER COLUMN own_number DROP NOT NULL;",
    }
    assert not any(each.is_grave or each.statement for each in found)


async def test_a_table_that_is_gone_is_told_once_and_by_no_statement(superuser: asyncpg.Connection[Any]) -> None:
    await superuser.execute("DROP TABLE helpdesk.alarm_tellings")
    [told] = await differences_of(superuser)
    assert told.sentence == "helpdesk.alarm_tellings (table) is gone: restore it from a backup, with what it held."
    assert (told.statement, told.is_grave) == ("", True)


async def test_who_asks_for_the_guards_alone_hears_of_them_alone(superuser: asyncpg.Connection[Any]) -> None:
    await superuser.execute("ALTER TABLE helpdesk.helpdesks ALTER unknown_senders_per_hour DROP NOT NULL")
    await superuser.execute("ALTER TABLE helpdesk.tickets DISABLE TRIGGER register_number")
    [told] = await differences_of(superuser, GUARDS)
    assert "(register_number)" in told.sentence


def test_a_view_that_another_version_words_otherwise_is_the_same() -> None:
    def view(definition: str) -> Object:
        return Object(Kind.VIEW, "ui_v1.v", "", definition)

    of_17 = "CREATE OR REPLACE VIEW ui_v1.v AS SELECT id,\n    name\n   FROM helpdesk.tickets"
    ours = view("CREATE OR REPLACE VIEW ui_v1.v AS SELECT tickets.id,\n    tickets.name\n   FROM helpdesk.tickets")
    expected = {(ours.kind, ours.name): ours}
    assert differences(expected, Living((view(of_17),), (), ())) == []
    [told] = differences(expected, Living((view(of_17.replace("name", "title")),), (), ()))
    assert told.statement == ours.definition


async def test_a_sequence_that_gives_numbers_which_are_taken_is_told(superuser: asyncpg.Connection[Any]) -> None:
    await superuser.execute("SET LOCAL search_path = helpdesk, public")
    ((newest, number),) = await superuser.fetch("SELECT max(id), max(number::bigint) FROM tickets")
    await superuser.execute("SELECT setval('tickets_id_seq', 1, false), setval('ticket_number_seq', $1)", 1000001)
    found = await differences_of(superuser, GUARDS)
    assert [each.statement for each in found] == [
        f"SELECT setval('helpdesk.tickets_id_seq', {newest})",
        f"SELECT setval('helpdesk.ticket_number_seq', {number})",
    ]
    assert all(each.is_grave for each in found)
    assert await mended(superuser, found) == []


async def test_a_sequence_that_was_moved_past_what_is_taken_is_well_before_it_gives_a_number(
    superuser: asyncpg.Connection[Any],
) -> None:
    """So the trigger leaves it when old numbers become known (SPEC D1)."""
    await superuser.execute("SET LOCAL search_path = helpdesk, public")
    ((newest, number),) = await superuser.fetch("SELECT max(id), max(number::bigint) FROM tickets")
    for sequence, taken in (("tickets_id_seq", newest), ("ticket_number_seq", number)):
        await superuser.execute(f"ALTER SEQUENCE {sequence} RESTART WITH {taken + 1}")
    assert await differences_of(superuser, GUARDS) == []
    await superuser.execute(f"ALTER SEQUENCE ticket_number_seq RESTART WITH {number}")
    [told] = await differences_of(superuser, GUARDS)
    assert told.statement == f"SELECT setval('helpdesk.ticket_number_seq', {number})"


async def test_who_numbers_his_own_rows_is_not_called_to_account(superuser: asyncpg.Connection[Any]) -> None:
    """The helpdesk UI writes whole rows of some tables, with the numbers that another system gave them."""
    await superuser.execute("INSERT INTO helpdesk.organisations (id, name) VALUES (7000, 'Elders')")
    [told] = await differences_of(superuser)
    assert told.statement == "SELECT setval('helpdesk.organisations_id_seq', 7000)"
    assert not told.is_grave


@pytest.mark.parametrize(
    "gone",
    [
        pytest.param("DROP FUNCTION helpdesk.sequences_behind()", id="the function"),
        pytest.param("REVOKE EXECUTE ON FUNCTION helpdesk.sequences_behind() FROM importer_console", id="the right"),
    ],
)
async def test_who_cannot_ask_about_sequences_tells_the_rest(superuser: asyncpg.Connection[Any], gone: str) -> None:
    await superuser.execute(gone)
    await superuser.execute("ALTER TABLE helpdesk.tickets DISABLE TRIGGER register_number")
    await superuser.execute("SET LOCAL ROLE importer_console")
    [told] = await differences_of(superuser, GUARDS)
    assert "(register_number)" in told.sentence
