"""Each change of settings, repair and look at a raw mail is a row of the audit log, whoever makes it (issue 14)."""

from __future__ import annotations

import json
from typing import Any

import asyncpg
import pytest

from shared import acting
from shared.database.pool import Connection, connection, transaction
from tests.databases import Database
from tests.shared.database.conftest import EVERY_TABLE

MAIL = "00000000-0000-0000-0000-000000000001"
OF_ALL_MAIL = "SELECT content FROM ui_v1.original_mail_chunks"
SEALED = "'\\x01' || substr(sha256(sha256('key')), 1, 8) || sha256('secret') || sha256('y')"
"""As long as a sealed secret, and for the key of every_table.sql."""
NO_SETTINGS = {
    "alarm_digests", "alarm_tellings", "alarms",
    "attachment_copies", "attachments", "audit_log", "blob_chunks", "blobs", "content_keys", "dead_letters",
    "held_mails", "imported_mail_outcomes", "imported_mails", "installation", "login_states", "mail_blobs",
    "mailbox_checks", "mailbox_states", "notifications", "nightly_jobs", "review_requests", "sender_budgets",
    "service_questions",
    "supplements", "ticket_history", "ticket_numbers", "tickets", "web_job_mails", "web_jobs", "web_login_tries",
    "web_sessions",
}  # fmt: skip
"""Tables of what comes of mails, and of what services keep: repairs of them are recorded, each kind by its trigger."""


@pytest.fixture
async def filled(database: Database) -> Database:
    async with database.connect("owner") as owner:
        await owner.execute(EVERY_TABLE)
    return database


async def rows(database: Database, kind: str, since: int = 0) -> list[asyncpg.Record]:
    async with database.connect("console") as console:
        return await console.fetch("SELECT * FROM audit_log WHERE kind = $1 AND id > $2 ORDER BY id", kind, since)


async def newest(database: Database) -> int:
    async with database.connect("console") as console:
        newest: int = await console.fetchval("SELECT coalesce(max(id), 0) FROM audit_log")
        return newest


async def after(database: Database, role: str, statement: str, kind: str = "settings") -> list[asyncpg.Record]:
    """The rows that a statement of this role leaves."""
    before = await newest(database)
    async with database.pool(role) as pool, transaction(pool) as acquired:
        await acquired.execute(statement)
    return await rows(database, kind, before)


CHANGES = {
    "importer": (
        "console",
        "UPDATE importer_settings SET marker = '== nieuw ==' WHERE helpdesk_id = 1",
        ("changed", "importer_settings", "1", 1, {"marker": ""}, {"marker": "== nieuw =="}),
    ),
    "helpdesk by the UI": (
        "ui",
        "UPDATE ui_v1.helpdesk_settings SET send_import_mails = false WHERE id = 1",
        ("changed", "helpdesks", "1", 1, {"send_import_mails": True}, {"send_import_mails": False}),
    ),
    "sender": (
        "console",
        "DELETE FROM sender_rules WHERE pattern = 'reclame.example'",
        (
            "removed", "sender_rules", "1", None,
            {"pattern": "reclame.example", "verdict": "block", "kind": "domain"}, None,
        ),
    ),
    "template": (
        "operator",
        "UPDATE templates SET subject = 'Ticket [ticketnummer]'",
        (
            "changed", "templates", "1/ticket-added-customer", 1,
            {"subject": "[ticketnummer] is geregistreerd"}, {"subject": "Ticket [ticketnummer]"},
        ),
    ),
    "hours": (
        "ui",
        "DELETE FROM calendar_hours",
        ("removed", "calendar_hours", "1/1/08:30:00", None, {"weekday": 1, "opens": "08:30:00"}, None),
    ),
    "contact": (
        "ui",
        "UPDATE persons SET name = 'Iemand anders' WHERE id = 1",
        ("changed", "persons", "1", None, {"name": "changed"}, {"name": "changed"}),
    ),
    "address of a contact": (
        "ui",
        "INSERT INTO person_addresses (person_id, address) VALUES (1, 'geheim@korenaar.example')",
        ("added", "person_addresses", "101", None, None, {"person_id": 1, "address": "changed"}),
    ),
    "pattern of the classifier's configuration": (
        "classifier",
        "SELECT helpdesk.record_ticket_number_pattern('[1-9][0-9]{6}')",
        ("changed", "ticket_number_pattern", None, None, None, {"pattern": "[1-9][0-9]{6}"}),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("role", "statement", "expected"), CHANGES.values(), ids=CHANGES)
async def test_a_change_of_settings_is_a_row_with_before_and_after(
    filled: Database, role: str, statement: str, expected: tuple[Any, ...]
) -> None:
    (row,) = await after(filled, role, statement)
    assert (row["deed"], row["thing"], row["thing_id"], row["helpdesk_id"]) == expected[:4]
    for side, wanted in zip((row["before"], row["after"]), expected[4:], strict=True):
        assert side is None if wanted is None and row["deed"] != "changed" else (wanted or {}).items() <= side.items()
    role_of = "helpdesk_ui" if role == "ui" else f"importer_{role}"
    assert (row["database_role"], row["tool"], row["actor"]) == (role_of, role, None)


async def test_a_row_names_the_person_for_whom_the_tool_acts(filled: Database) -> None:
    before = await newest(filled)
    with acting.as_person("jan@example.org"):
        async with filled.pool("console") as pool, transaction(pool) as acquired:
            await acquired.execute("UPDATE helpdesks SET name = 'Hulp' WHERE id = 1")
    (row,) = await rows(filled, "settings", before)
    assert row["actor"] == "jan@example.org"


GIVE_A_PASSWORD = f"UPDATE importer_settings SET password_encrypted = {SEALED} WHERE helpdesk_id = 1"  # noqa: S608
SECRETS = {
    "by the command line": ("console", GIVE_A_PASSWORD),
    "by the UI": ("ui", f"SELECT ui_v1.set_mailbox_password(1, {SEALED})"),
    "of an account": ("ui", f"SELECT ui_v1.set_account_password(1, {SEALED})"),
}


@pytest.mark.parametrize(("role", "statement"), SECRETS.values(), ids=SECRETS)
async def test_S3_no_secret_stands_in_the_log_though_it_is_sealed(filled: Database, role: str, statement: str) -> None:
    recorded = await after(filled, role, statement)
    assert recorded
    assert any((row["after"] or {}).get("password_encrypted") == "changed" for row in recorded)
    async with filled.connect("owner") as owner:
        kept = await owner.fetch(
            "SELECT encode(password_encrypted, 'hex') FROM logins WHERE password_is_set UNION"
            " SELECT encode(password_encrypted, 'hex') FROM importer_settings WHERE password_is_set"
        )
    said = json.dumps([[row["before"], row["after"]] for row in await rows(filled, "settings")])
    assert not any(secret and secret in said for (secret,) in kept if len(secret) > 2)


REPAIRS = {
    "replay": (
        "console",
        "UPDATE imported_mails SET replay_number = replay_number + 1 WHERE outcome = 'quarantine'",
        "replayed",
    ),
    "discard": (
        "console",
        """UPDATE imported_mails SET reasons = reasons || '[{"id": "discarded-by-person"}]'
           WHERE outcome = 'quarantine'""",
        "discarded",
    ),
    "send now": ("operator", "UPDATE notifications SET next_try_at = now() WHERE state = 'planned'", "sent-now"),
    "old numbers": (
        "ui",
        "INSERT INTO ticket_numbers (number, ticket_id) VALUES ('2000001', 1), ('2000002', 1)",
        "added",
    ),
    "review": ("ui", "UPDATE tickets SET needs_review = false WHERE id = 1", "accepted"),
    "old mail": (
        "console",
        "UPDATE mailbox_states SET backlog_choice = 'import', backlog_chosen_at = now(), backlog_chosen_until = now()",
        "chosen-for-old-mail",
    ),
    "dead letter": (
        "console",
        "UPDATE dead_letters SET resolved_at = greatest(now(), recorded_at)",
        "closed-dead-letter",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("role", "statement", "deed"), REPAIRS.values(), ids=REPAIRS)
async def test_a_repair_is_a_row(filled: Database, role: str, statement: str, deed: str) -> None:
    async with filled.connect("owner") as owner:
        await owner.execute("UPDATE tickets SET needs_review = true")
        await owner.execute("UPDATE notifications SET state = 'planned', next_try_at = now() + interval '1 hour'")
    recorded = await after(filled, role, statement, "repair")
    assert {row["deed"] for row in recorded} == {deed}
    assert all(row["after"] or row["before"] for row in recorded)


SERVICES = {
    "outcome": ("ticket_writer", "UPDATE imported_mails SET reasons = '[]', decided_replay = 0 WHERE outcome IS NULL"),
    "next try": ("notifier", "UPDATE notifications SET next_try_at = now()"),
    "choice carried out": ("fetcher", "UPDATE mailbox_states SET backlog_choice = NULL"),
}


@pytest.mark.parametrize(("role", "statement"), SERVICES.values(), ids=SERVICES)
async def test_what_services_do_for_each_mail_is_no_repair(filled: Database, role: str, statement: str) -> None:
    assert await after(filled, role, statement, "repair") == []


async def test_a_look_at_a_raw_mail_is_a_row_for_each_mail_and_transaction(filled: Database) -> None:
    looks = await after(filled, "ui", f"{OF_ALL_MAIL} WHERE mail_id = '{MAIL}' ORDER BY position", "raw-mail")
    assert [(str(row["mail_id"]), row["helpdesk_id"], row["database_role"]) for row in looks] == [
        (MAIL, 1, "helpdesk_ui")
    ]
    async with filled.connect("owner") as owner:
        shown = await owner.fetchval("SELECT count(*) FROM imported_mails WHERE outcome IN ('ticket', 'supplement')")
    assert len(await after(filled, "ui", OF_ALL_MAIL, "raw-mail")) == shown
    again = f"SELECT content FROM raw_mail_chunks WHERE mail_id = '{MAIL}'"  # noqa: S608 - ours
    assert len(await after(filled, "console", again, "raw-mail")) == 1


async def test_a_look_that_is_rolled_back_stands_in_the_log_of_the_server(filled: Database) -> None:
    logged: list[tuple[str, str]] = []

    def listen(_: object, message: Any) -> None:
        logged.append((message.severity_en, message.message))

    before = await newest(filled)
    async with filled.connect("console") as console:
        console.add_log_listener(listen)
        await console.execute("SET client_min_messages = log")  # what goes to the log is said to the client too
        taken_back = console.transaction()
        await taken_back.start()
        await console.execute("SELECT set_config('helpdesk.actor', E'piet\nnobody', true)")
        await console.fetch(f"SELECT content FROM raw_mail_chunks WHERE mail_id = '{MAIL}'")  # noqa: S608 - ours
        await taken_back.rollback()
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await console.execute("SET log_min_messages = panic")
        console.remove_log_listener(listen)
    assert await rows(filled, "raw-mail", before) == []
    assert ("LOG", f'raw mail {MAIL} is looked at by "importer_console" ("piet\\nnobody")') in logged


async def test_who_may_not_write_does_not_look(filled: Database) -> None:
    async with filled.pool("ui") as pool, connection(pool) as acquired:
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            async with acquired.transaction(readonly=True):
                await acquired.fetch(OF_ALL_MAIL)


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_log SET actor = 'x'", "DELETE FROM audit_log", "TRUNCATE audit_log"]
)
async def test_what_was_recorded_stays_even_for_the_owner(filled: Database, statement: str) -> None:
    async with filled.connect("owner") as owner:
        with pytest.raises(asyncpg.IntegrityConstraintViolationError) as refused:
            await owner.execute(statement)
    assert refused.value.constraint_name == "the_audit_log_stays"


async def test_each_table_of_settings_is_watched(owner: Connection) -> None:
    tables = await owner.fetch(
        "SELECT relname, EXISTS (SELECT FROM pg_trigger WHERE tgrelid = pg_class.oid AND tgname = 'z_audit') AS watched"
        " FROM pg_class WHERE relnamespace = 'helpdesk'::regnamespace AND relkind = 'r'"
    )
    assert {row["relname"] for row in tables if not row["watched"]} == NO_SETTINGS - {"ticket_numbers"}
