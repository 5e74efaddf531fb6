"""`doctor`: what can be broken in an installation is broken, and named with what to do."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_hex
from typing import Any, Protocol
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from services.console.doctor import broker, mail
from services.console.doctor.clocks import compared
from services.console.doctor.findings import Check, Finding, all_findings, well
from shared.broker import session
from shared.database.grants import expected_grants, grants_of
from shared.database.migrate import newest_revision
from shared.database.roles import ROLES
from tests.databases import Database
from tests.services.notifier.house import House
from tests.vhosts import Vhost

ROOT = Path(__file__).parents[3]
NOW = datetime(2026, 11, 28, 3, 0, tzinfo=UTC)


class CommandLine(Protocol):
    """The fixture `importer`."""

    environment: dict[str, str]
    monkeypatch: pytest.MonkeyPatch

    async def says(self, *arguments: str, stdin: str = "", code: int = 0) -> str: ...

    async def answers(self, *arguments: str, code: int = 0) -> Any: ...


@pytest.fixture
async def house(database: Database) -> AsyncIterator[House]:
    async with House.of(database) as house:
        yield house


def _without_login(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


@pytest.fixture
async def patient(importer: CommandLine, house: House, vhost: Vhost, tmp_path: Path) -> CommandLine:
    """An installation that is well: every secret at hand, and no mailbox that is on."""
    console = next(user.name for user in vhost.topology.users if user.service == "console")
    password = vhost.passwords["console"].get_secret_value()
    management = vhost.empty.server.management_url
    secrets = {f"database_password_{role}": "test" for role in ("fetcher", "classifier", "ticket_writer", "notifier")}
    secrets |= {f"database_password_{role}": "test" for role in ("console", "web", "operator", "ui")}
    secrets |= {f"amqp_password_{service}": secret.get_secret_value() for service, secret in vhost.passwords.items()}
    secrets |= {
        "amqp_password_admin": urlsplit(management).password or "",
        "message_id_key": "ab" * 32,
        "alarm_webhook_secret": "signs",
    }
    for name, secret in secrets.items():
        (tmp_path / name).write_text(secret, encoding="ascii")
        (tmp_path / name).chmod(0o600)
    importer.environment.update(
        PYTHONPATH=str(ROOT),
        IMPORTER_DATABASE_URL=_without_login(house.database.dsn("console").get_secret_value()),
        IMPORTER_AMQP_URL=_without_login(vhost.dsn("console").get_secret_value()),
        IMPORTER_RABBITMQ_MANAGEMENT_URL=_without_login(management),
        IMPORTER_ALARM_WEBHOOK_URL="http://127.0.0.1:9/alarms",
    )
    importer.monkeypatch.setattr(broker, "topology", lambda: vhost.topology)  # whose users have names of their own
    importer.monkeypatch.setattr("services.console.queues.USER", console)
    assert password
    return importer


async def examined(patient: CommandLine, *, code: int = 0) -> list[dict[str, str]]:
    found: list[dict[str, str]] = await patient.answers("doctor", "--within", "60", code=code)
    return found


async def of_part(patient: CommandLine, part: str, level: str) -> str:
    """The one finding of this level about a part; a failure is exit code 3."""
    found = await examined(patient, code=3 if level == "fail" else 0)
    [sentence] = [each["sentence"] for each in found if (each["part"], each["level"]) == (part, level)]
    return sentence


async def test_an_installation_that_is_well_has_nothing_to_do(patient: CommandLine) -> None:
    found = await examined(patient)
    assert [each for each in found if each["level"] != "ok"] == []
    assert {each["part"] for each in found} >= {
        "PostgreSQL", "RabbitMQ", "schema", "grants", "objects", "logins", "queues", "clocks", "secrets", "settings",
        "disk", "mailboxes", "accounts", "ticket numbers",
    }  # fmt: skip


async def test_dutch_has_the_same_findings_and_the_same_json(patient: CommandLine) -> None:
    def settled(found: list[dict[str, Any]]) -> list[tuple[str, str]]:
        return [(each["level"], each["part"]) for each in found]

    english = await examined(patient)
    patient.environment.update(IMPORTER_LANGUAGE="nl", COLUMNS="80")
    in_dutch = await examined(patient)
    assert settled(in_dutch) == settled(english)
    same = {each["sentence"] for each in english if each["part"] in {"grants", "roles", "schema", "queues"}}
    assert same <= {each["sentence"] for each in in_dutch}
    said = await patient.says("doctor", "--within", "60")
    assert max(map(len, said.splitlines())) <= 80
    assert "goed    PostgreSQL: Het antwoordt, versie " in said
    assert "goed    rechten: De rollen hebben hun " in said


@pytest.mark.parametrize("columns", [80, 60])
async def test_no_line_is_wider_than_the_terminal(patient: CommandLine, columns: int) -> None:
    patient.environment["COLUMNS"] = str(columns)
    lines = (await patient.says("doctor", "--within", "60")).splitlines()
    assert max(map(len, lines)) <= columns
    assert re.fullmatch(r"0 failures, 0 warnings, \d+ well\.", lines[-1])


async def test_no_secret_is_shown_whatever_fails(patient: CommandLine, tmp_path: Path) -> None:
    wrong = "hunter2-hunter2"
    for file in tmp_path.iterdir():
        if file.name.startswith(("database_password_fetcher", "amqp_password_notifier", "amqp_password_admin")):
            file.write_text(wrong, encoding="ascii")
    said = await patient.says("doctor", "--within", "60", code=3)
    assert wrong not in said
    assert "PostgreSQL refuses importer_fetcher" in said
    assert "with the secret amqp_password_notifier" in said
    assert "refuses the user importer_admin" in said


async def test_a_database_that_is_away_hides_nothing_of_rabbitmq(patient: CommandLine) -> None:
    patient.environment["IMPORTER_DATABASE_URL"] = "postgresql://127.0.0.1:1/helpdesk"
    found = await examined(patient, code=3)
    levels = {(each["part"], each["level"]) for each in found}
    assert {("PostgreSQL", "fail"), ("RabbitMQ", "ok"), ("queues", "ok"), ("secrets", "ok")} <= levels


async def test_a_rabbitmq_that_is_away_hides_nothing_of_the_database(patient: CommandLine) -> None:
    patient.environment["IMPORTER_AMQP_URL"] = "amqp://127.0.0.1:1/helpdesk"
    patient.environment["IMPORTER_RABBITMQ_MANAGEMENT_URL"] = "http://127.0.0.1:1"
    found = await examined(patient, code=3)
    levels = {(each["part"], each["level"]) for each in found}
    assert {("RabbitMQ", "fail"), ("PostgreSQL", "ok"), ("grants", "ok")} <= levels


async def test_a_schema_that_is_older_is_named_with_the_command(patient: CommandLine, house: House) -> None:
    await house.owner.execute("UPDATE public.alembic_version SET version_num = '0001'")
    try:
        assert "helpdesk-importer migrate" in await of_part(patient, "schema", "fail")
    finally:
        await house.owner.execute("UPDATE public.alembic_version SET version_num = $1", newest_revision())


async def test_a_right_that_is_gone_and_one_too_many_are_named(patient: CommandLine, house: House) -> None:
    await house.owner.execute("REVOKE SELECT ON helpdesk.outgoing_holds FROM importer_console")
    await house.owner.execute("GRANT DELETE ON helpdesk.tickets TO importer_classifier")
    try:
        found = await examined(patient, code=3)
        said = [(each["level"], each["sentence"]) for each in found if each["part"] == "grants"]
        assert [level for level, _ in said] == ["fail", "warn"]
        assert "importer_console SELECT table helpdesk.outgoing_holds" in said[0][1]
        assert "importer_classifier DELETE table helpdesk.tickets" in said[1][1]
    finally:
        await house.owner.execute("GRANT SELECT ON helpdesk.outgoing_holds TO importer_console")
        await house.owner.execute("REVOKE DELETE ON helpdesk.tickets FROM importer_classifier")


async def test_an_object_that_was_changed_is_named_with_its_statement(patient: CommandLine, house: House) -> None:
    await house.owner.execute("ALTER TABLE helpdesk.tickets DISABLE TRIGGER register_number")
    await house.owner.execute("ALTER INDEX helpdesk.imported_mails_raw RENAME TO other")
    try:
        found = await examined(patient, code=3)
        assert [
            (each["level"], each["sentence"].rpartition(": ")[2]) for each in found if each["part"] == "objects"
        ] == [
            ("warn", "ALTER INDEX helpdesk.other RENAME TO imported_mails_raw;"),
            ("fail", "ALTER TABLE helpdesk.tickets ENABLE TRIGGER register_number;"),
        ]
        patient.environment.update(IMPORTER_LANGUAGE="nl", COLUMNS="80")
        said = await patient.says("doctor", "--within", "60", code=3)
        assert max(map(len, said.splitlines())) <= 80
        assert "fout    objecten: Van helpdesk.tickets zijn triggers uitgeschakeld" in said
    finally:
        await house.owner.execute("ALTER INDEX helpdesk.other RENAME TO imported_mails_raw")
        await house.owner.execute("ALTER TABLE helpdesk.tickets ENABLE TRIGGER register_number")


async def test_the_sql_that_is_printed_brings_back_objects_and_rights(patient: CommandLine, house: House) -> None:
    await house.owner.execute("DROP VIEW ui_v1.ticket_numbers")
    await house.owner.execute("DROP INDEX helpdesk.imported_mails_raw")
    await house.owner.execute("REVOKE SELECT ON helpdesk.outgoing_holds FROM importer_console")
    script = await patient.says("doctor", "--sql", code=3)
    assert script.startswith("SET ROLE importer_owner;")
    await house.owner.execute(script.replace(" CONCURRENTLY", ""))  # psql sends its statements one by one
    nothing = await patient.says("doctor", "--sql")
    assert nothing.strip() == "-- Objects and rights of the schema are as they were made."
    await examined(patient)


async def test_a_table_that_is_locked_keeps_nothing_else_from_being_told(patient: CommandLine, house: House) -> None:
    async with house.database.connect("owner") as holder, holder.transaction():
        await holder.execute("LOCK TABLE helpdesk.tickets IN ACCESS EXCLUSIVE MODE")
        found = await examined(patient, code=3)
        refused = await patient.says("doctor", "--sql", code=1)
    unseen = "The rest cannot be seen while a session has locked a table: status and doctor name it."
    assert [each["sentence"] for each in found if (each["part"], each["level"]) == ("schema", "fail")] == [unseen]
    assert any("has locked a table of ours" in each["sentence"] for each in found if each["part"] == "PostgreSQL")
    assert refused.strip() == unseen


async def test_many_objects_that_were_changed_are_not_told_one_by_one(patient: CommandLine, house: House) -> None:
    tables = await house.owner.fetch(
        "SELECT DISTINCT relname AS name FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid"
        " WHERE relnamespace = 'helpdesk'::regnamespace AND NOT tgisinternal"
    )
    for table in tables:
        await house.owner.execute(f'ALTER TABLE helpdesk."{table["name"]}" DISABLE TRIGGER USER')
    try:
        found = [each["sentence"] for each in await examined(patient, code=3) if each["part"] == "objects"]
        assert found[-1].startswith("So it is with ")
    finally:
        for table in tables:
            await house.owner.execute(f'ALTER TABLE helpdesk."{table["name"]}" ENABLE TRIGGER USER')


async def test_a_password_that_has_ended_is_named_with_its_role(patient: CommandLine, house: House) -> None:
    """PostgreSQL says of it what it says of a wrong password, and no new password mends it."""
    role = f"test_{token_hex(4)}"  # ours are of the whole server
    patient.monkeypatch.setattr("services.console.doctor.database.ROLES", {**ROLES, role: "no_such_secret"})
    superuser = await asyncpg.connect(house.database.server.url)
    try:
        await superuser.execute(f"CREATE ROLE {role} LOGIN VALID UNTIL '2026-01-01'")
        said = await of_part(patient, "roles", "fail")
    finally:
        await superuser.execute(f"DROP ROLE {role}")
        await superuser.close()
    assert f"ALTER ROLE {role} VALID UNTIL 'infinity'" in said


async def test_a_system_that_sorts_otherwise_than_when_the_indexes_were_made_is_told(
    patient: CommandLine, house: House
) -> None:
    version = "UPDATE pg_database SET datcollversion = $2 WHERE datname = $1"
    name = house.database.name
    superuser = await asyncpg.connect(house.database.server.url)
    try:
        before = await superuser.fetchval("SELECT datcollversion FROM pg_database WHERE datname = $1", name)
        await superuser.execute(version, name, "0.1")
        said = await of_part(patient, "PostgreSQL", "fail")
        await superuser.execute(version, name, before)
    finally:
        await superuser.close()
    assert f"REINDEX DATABASE {name}, then ALTER DATABASE" in said


async def test_a_user_without_rights_is_named_not_what_a_library_says_of_it(patient: CommandLine, vhost: Vhost) -> None:
    user = next(user.name for user in vhost.topology.users if user.service == "notifier")
    await vhost.management.send("DELETE", f"permissions/{vhost.management.vhost}/{user}")
    said = await of_part(patient, "logins", "fail")
    assert said.startswith(f"RabbitMQ does not let {user} into the virtual host ")


async def test_the_table_of_grants_is_that_of_a_migrated_database(house: House) -> None:
    granted = await grants_of(house.owner)
    assert granted == expected_grants(), "write it anew: python -m shared.database.frozen, of a migrated database"


async def test_a_queue_that_is_missing_and_a_policy_that_differs_are_named(patient: CommandLine, vhost: Vhost) -> None:
    await vhost.management.send("DELETE", f"queues/{vhost.management.vhost}/ticket.events.dead")
    await vhost.management.send("DELETE", f"policies/{vhost.management.vhost}/importer.mail.raw")
    found = await examined(patient, code=3)
    failures = [each["sentence"] for each in found if each["level"] == "fail"]
    assert any(
        "queue ticket.events.dead is missing. Run helpdesk-importer deploy-topology" in each for each in failures
    )
    assert any("policy importer.mail.raw is missing" in each for each in failures)


async def test_a_service_of_another_version_is_named(patient: CommandLine, vhost: Vhost) -> None:
    patient.monkeypatch.setattr(session, "running_version", lambda: "0.0.9 (schema 0001)")
    async with await session.Session.open(vhost.admin_dsn, "classifier consumes"):
        async with asyncio.timeout(60):  # RabbitMQ lists a connection some seconds after it was made
            while not (
                said := [each["sentence"] for each in await examined(patient) if each["part"] == "versions"]
            ) or "classifier runs as version 0.0.9" not in " ".join(said):
                await asyncio.sleep(0.5)


async def test_a_mailbox_and_an_account_that_do_not_take_us_are_named(
    patient: CommandLine, house: House, tmp_path: Path
) -> None:
    await house.owner.execute(
        """INSERT INTO employees (id, name) VALUES (77, 'Importer');
           INSERT INTO outgoing_accounts (name, host, port, security) VALUES ('Post', '127.0.0.1', 1, 'none')"""
    )
    await house.owner.execute(
        """UPDATE importer_settings SET enabled = true, default_contact_id = 1, default_employee_id = 77,
               kind = 'maildir', server = $1""",
        str(tmp_path / "nowhere"),
    )
    found = await examined(patient, code=3)
    failures = {each["part"]: each["sentence"] for each in found if each["level"] == "fail"}
    assert failures["mailboxes"].startswith("ICT: ")
    assert failures["accounts"].startswith("Post: ")
    (tmp_path / "database_password_fetcher").unlink()
    assert "Not tried: database_password_fetcher" in next(
        each["sentence"] for each in await examined(patient, code=3) if each["part"] == "mailboxes"
    )
    assert mail.MOST >= 1


async def test_a_pattern_that_does_not_find_our_numbers_is_named(patient: CommandLine, house: House) -> None:
    await house.ticket()
    await house.owner.execute("UPDATE ticket_number_pattern SET pattern = '7[0-9]{6}'")
    assert "IMPORTER_TICKET_NUMBER_PATTERN" in await of_part(patient, "ticket numbers", "fail")


async def test_old_secrets_and_those_that_everybody_may_read_are_named(patient: CommandLine, tmp_path: Path) -> None:
    old = time.time() - 400 * 86400
    os.utime(tmp_path / "database_password_fetcher", (old, old))
    assert "database_password_fetcher is 40" in await of_part(patient, "secrets", "warn")
    (tmp_path / "message_id_key").chmod(0o644)
    tmp_path.chmod(0o755)
    assert "message_id_key" in await of_part(patient, "secrets", "fail")


async def test_alarms_that_reach_nobody_and_addresses_of_two_rabbitmqs_are_named(patient: CommandLine) -> None:
    address = patient.environment["IMPORTER_RABBITMQ_MANAGEMENT_URL"]
    patient.environment["IMPORTER_RABBITMQ_MANAGEMENT_URL"] = address.replace("127.0.0.1", "localhost")
    assert "IMPORTER_AMQP_URL leads to 127.0.0.1" in await of_part(patient, "settings", "warn")
    patient.environment["IMPORTER_ALARM_SMTP_URL"] = "smtp://127.0.0.1:1"
    assert "IMPORTER_ALARM_FROM is not set" in await of_part(patient, "alarms", "fail")
    patient.environment["IMPORTER_ALARM_FROM"] = "importer@desk.example"
    assert "IMPORTER_ALARM_TO names nobody" in await of_part(patient, "alarms", "fail")
    del patient.environment["IMPORTER_ALARM_SMTP_URL"]
    del patient.environment["IMPORTER_ALARM_WEBHOOK_URL"]
    assert "reach nobody" in await of_part(patient, "alarms", "warn")


async def test_a_full_disk_is_named(patient: CommandLine) -> None:
    class Usage:
        total, used, free = 1000, 990, 10

    patient.monkeypatch.setattr("shutil.disk_usage", lambda _folder: Usage)
    found = await examined(patient, code=3)
    assert any(each["part"] == "disk" and each["level"] == "fail" for each in found)


@pytest.mark.parametrize(
    ("seconds", "level"),
    [
        pytest.param(0, "ok", id="the same"),
        pytest.param(4.9, "ok", id="a rounded second and the way"),
        pytest.param(5, "warn", id="five seconds"),
        pytest.param(-119, "warn", id="behind"),
        pytest.param(120, "fail", id="two minutes"),
    ],
)
def test_clocks_that_differ_are_told(seconds: float, level: str) -> None:
    assert compared("PostgreSQL", NOW + timedelta(seconds=seconds), NOW).level.value == level


async def test_a_check_that_hangs_holds_up_nobody() -> None:
    async def hangs() -> AsyncIterator[Finding]:
        yield well("slow", "Begun.")
        await asyncio.Event().wait()

    async def answers() -> AsyncIterator[Finding]:
        yield well("quick", "Done.")

    found = await all_findings([Check("slow", hangs, 0.05), Check("quick", answers, 60)])
    assert [(each.part, each.level.value) for each in found] == [("slow", "ok"), ("slow", "fail"), ("quick", "ok")]


def commands_of_the_night() -> list[str]:
    """Each command that operations.md gives to who is called at night."""
    page = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    section = page.partition("## Ten things that go wrong at night")[2].partition("\n## ")[0]
    assert len(re.findall(r"^\| \d+\. ", section, flags=re.MULTILINE)) == 10
    return re.findall(r"`helpdesk-importer ([^`]+)`", section)


BY_THE_OWNER = {"migrate", "deploy-topology", "deploy-topology --wait 60"}
"""They need what no console has; tests of their own run them."""


async def test_the_commands_for_the_night_do_as_they_stand(patient: CommandLine, house: House, tmp_path: Path) -> None:
    await house.owner.execute("""
        INSERT INTO employees (id, name) VALUES (77, 'Importer');
        INSERT INTO logins (name, username) VALUES ('Dienst', 'dienst');
        INSERT INTO outgoing_accounts (name, host, port, security) VALUES ('Post', '127.0.0.1', 1, 'none')""")
    await house.owner.execute(
        """UPDATE importer_settings SET default_contact_id = 1, default_employee_id = 77, enabled = true,
               kind = 'maildir', server = $1""",
        str(tmp_path / "nowhere"),
    )
    fails = {"check-mailbox ICT", "accounts check Post"}  # that server is away in truth
    needs_a_person = {"status", "doctor", "doctor --within 60"}
    for command in dict.fromkeys(commands_of_the_night()):
        if command not in BY_THE_OWNER:
            code = 1 if command in fails else 3 if command in needs_a_person else 0
            await patient.says(*shlex.split(command), stdin="geheim\n", code=code)
    assert set(commands_of_the_night()) >= fails | BY_THE_OWNER


async def test_what_keeps_several_parts_from_being_seen_is_told_once(patient: CommandLine) -> None:
    patient.environment["IMPORTER_DATABASE_URL"] = "postgresql://127.0.0.1:1/helpdesk"
    found = await examined(patient, code=3)
    assert len([each for each in found if "The database does not answer" in each["sentence"]]) == 1
