"""`check-mailbox`: what it tells of a mailbox that can be used, and of one that cannot."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import pytest
from cryptography.fernet import Fernet

from tests.databases import Database
from tests.mailboxes.post_offices import MaildirPostOffice

ROOT = Path(__file__).parents[3]


class CommandLine(Protocol):
    """The fixture `importer`."""

    environment: dict[str, str]

    def __call__(self, *arguments: str, stdin: str = "", code: int = 0) -> str: ...

    def json(self, *arguments: str, code: int = 0) -> Any: ...

    async def says(self, *arguments: str, stdin: str = "", code: int = 0) -> str: ...

    async def answers(self, *arguments: str, code: int = 0) -> Any: ...


@pytest.fixture
def desk(importer: CommandLine, database: Database, tmp_path: Path) -> CommandLine:
    """A helpdesk whose mailbox is chosen, and whose importer is off."""
    importer("calendars", "add", "--name", "Kantooruren")
    importer("helpdesks", "add", "--name", "Servicedesk", "--calendar", "Kantooruren")
    importer("importer", "set", "Servicedesk", "--kind", "maildir", "--server", str(tmp_path / "mail"))
    importer.environment["PYTHONPATH"] = str(ROOT)
    without_login, password = database.dsn("console").get_secret_value().split("@"), "test"
    importer.environment["IMPORTER_DATABASE_URL"] = f"postgresql://{without_login[1]}"
    for role in ("console", "fetcher"):
        (tmp_path / f"database_password_{role}").write_text(password, encoding="ascii")
    return importer


def test_it_counts_the_unread_mails_and_reads_none(desk: CommandLine, tmp_path: Path) -> None:
    post_office = MaildirPostOffice(tmp_path)
    desk("importer", "set", "Servicedesk", "--server", str(post_office.root))
    keys = [post_office.deliver(b"Subject: x\r\n\r\n", datetime.now(UTC)) for _ in range(3)]
    post_office.read_by_somebody(keys[0])
    before = {path: path.stat().st_mtime_ns for path in post_office.root.rglob("*")}
    told = desk.json("check-mailbox", "servicedesk")
    assert (told["ok"], told["unread"], told["junk_unread"]) == (True, 2, None)
    assert (told["kind"], told["kind_is"]) == ("maildir", "chosen")
    assert told["server"] == str(post_office.root)
    assert str(post_office.root) in told["found"]
    assert "unread" in desk("check-mailbox", "Servicedesk")
    assert {path: path.stat().st_mtime_ns for path in post_office.root.rglob("*")} == before
    assert desk.json("importer", "show", "Servicedesk")["last_successful_check_at"] is None


def test_a_mailbox_that_is_away_is_a_sentence_with_what_to_do(desk: CommandLine) -> None:
    said = desk("check-mailbox", "Servicedesk", code=1)
    assert "controleer «Server» en de map" in said
    told = desk.json("check-mailbox", "Servicedesk", code=1)
    assert (told["ok"], told["trouble"]) == (False, "MailboxMissing")
    assert told["problem"] in said
    assert said.startswith("Server, address, path or folder lead nowhere: see the settings of the mailbox.")
    desk.environment["IMPORTER_LANGUAGE"] = "nl"
    assert desk("check-mailbox", "Servicedesk", code=1).strip() == told["problem"]
    assert desk.json("check-mailbox", "Servicedesk", code=1) == told


def test_a_helpdesk_without_a_mailbox_is_told_what_to_set(desk: CommandLine) -> None:
    desk("helpdesks", "add", "--name", "Facilitair", "--calendar", "Kantooruren")
    assert "name its server" in desk("check-mailbox", "Facilitair", code=78)
    assert "there is no helpdesk 'Weg'" in desk("check-mailbox", "Weg", code=1)


def test_S4_it_tells_a_kind_that_nobody_chose(desk: CommandLine) -> None:
    desk("importer", "set", "Servicedesk", "--kind", "")
    told = desk.json("check-mailbox", "Servicedesk", code=1)
    assert (told["kind"], told["kind_is"]) == ("maildir", "derived")


def test_S4_a_server_is_searched_for_by_a_person_and_never_by_itself(desk: CommandLine) -> None:
    desk("importer", "set", "Servicedesk", "--kind", "", "--server", "", "--username", "help@desk.invalid")
    desk("importer", "set-password", "Servicedesk", stdin="g3heim\n")
    told = desk.json("check-mailbox", "Servicedesk", code=1)
    assert (told["kind"], told["kind_is"], told["trouble"]) == ("ews", "derived", "MailboxMissing")
    assert "importer discover" in told["problem"]
    assert "desk.invalid" in desk("importer", "discover", "Servicedesk", code=1)
    assert desk.json("importer", "show", "Servicedesk")["server"] is None


def test_S3_a_password_that_no_key_opens_is_a_sentence(desk: CommandLine, tmp_path: Path) -> None:
    desk("importer", "set", "Servicedesk", "--username", "help")
    desk("importer", "set-password", "Servicedesk", stdin="g3heim\n")
    (tmp_path / "encryption_keys").write_bytes(Fernet.generate_key())
    told = desk.json("check-mailbox", "Servicedesk", code=1)
    assert (told["trouble"], told["problem_kind"]) == ("SecretUnreadable", "secret-unreadable")
    assert "stel het opnieuw in" in told["problem"]


async def test_a_refused_login_that_rests_is_tried_only_when_a_person_insists(
    importer: CommandLine, database: Database, desk: CommandLine, tmp_path: Path
) -> None:
    post_office = MaildirPostOffice(tmp_path)
    await desk.says("importer", "set", "Servicedesk", "--server", str(post_office.root), "--username", "help")
    async with database.connect("owner") as owner:
        await owner.execute(
            "UPDATE mailbox_states SET problem = 'Het wachtwoord klopt niet.', problem_kind = 'login-refused',"
            " problem_since = now(), next_check_at = now() + interval '2 hours'"
        )
        await owner.execute(
            "UPDATE login_states SET refused_logins = 2, refused_since = '2026-11-23 08:30+01',"
            " probe_at = now() + interval '2 hours', problem = 'Het wachtwoord klopt niet.'"
        )
        told = await importer.answers("check-mailbox", "Servicedesk", code=1)
        assert (told["trouble"], told["login_refused_since"]) == ("LoginRests", "2026-11-23T07:30:00Z")
        assert "2 keer" in told["problem"]
        assert "Het wachtwoord klopt niet." in told["problem"]
        told = await importer.answers("check-mailbox", "Servicedesk", "--again")
        assert (told["ok"], told["login_refused_since"]) == (True, "2026-11-23T07:30:00Z")
        assert await owner.fetchval("SELECT refused_logins = 0 FROM login_states")
        assert await owner.fetchval("SELECT next_check_at <= now() FROM mailbox_states")


def test_it_needs_the_fetchers_own_secret(desk: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "database_password_fetcher").unlink()
    assert "database_password_fetcher" in desk("check-mailbox", "Servicedesk", code=78)


async def test_changed_settings_are_tried_at_once(importer: CommandLine, database: Database) -> None:
    """A mailbox that rests after a refused login is asked again when somebody sets another password."""
    await importer.says("calendars", "add", "--name", "Kantooruren")
    await importer.says("helpdesks", "add", "--name", "Servicedesk", "--calendar", "Kantooruren")
    await importer.says("importer", "set", "Servicedesk", "--username", "help")
    async with database.connect("owner") as owner:
        for change in (("set-password", "Servicedesk"), ("set", "Servicedesk", "--server", "mail.desk.example")):
            await owner.execute("UPDATE mailbox_states SET next_check_at = now() + interval '1 day'")
            await importer.says("importer", *change, stdin="g3heim\n")
            assert await owner.fetchval("SELECT next_check_at <= now() FROM mailbox_states")
