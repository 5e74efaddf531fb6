"""`encryption key generate` and `encryption rotate`: no stored password is lost, and none is shown."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any, Protocol

import pytest
from pydantic import SecretStr

from shared.sealing import CannotOpen, Keyring, new_key
from tests.databases import Database
from tests.servers.certificates import app_pem


class CommandLine(Protocol):
    """The fixture `importer`."""

    environment: dict[str, str]

    async def says(self, *arguments: str, stdin: str = "", code: int = 0) -> str: ...


@pytest.fixture
async def stored(importer: CommandLine, database: Database) -> CommandLine:
    """A mailbox and an account, each with a password that the command line stored."""
    await importer.says("calendars", "add", "--name", "Kantooruren")
    await importer.says("helpdesks", "add", "--name", "Servicedesk", "--calendar", "Kantooruren")
    await importer.says("importer", "set", "Servicedesk", "--username", "help")
    await importer.says("importer", "set-password", "Servicedesk", stdin="brievenbus\n")
    await importer.says(
        "accounts", "add", "--name", "Post", "--host", "smtp.desk.example", "--port", "587", "--username", "post"
    )
    await importer.says("accounts", "set-password", "Post", stdin="postbode\n")
    importer.environment["IMPORTER_DATABASE_URL"] = database.dsn("owner").get_secret_value()
    return importer


def keys_file(importer: CommandLine) -> Path:
    return Path(importer.environment["IMPORTER_SECRETS_DIR"], "encryption_keys")


def keyring(importer: CommandLine) -> Keyring:
    return Keyring.from_secret(SecretStr(keys_file(importer).read_text(encoding="ascii")))


async def passwords(database: Database) -> list[bytes]:
    async with database.connect("owner") as owner:
        rows = await owner.fetch("""
            SELECT password_encrypted FROM importer_settings
            UNION ALL SELECT password_encrypted FROM outgoing_accounts""")
    return [row["password_encrypted"] for row in rows]


async def test_a_key_is_printed_and_is_a_key(importer: CommandLine) -> None:
    before = keys_file(importer).read_bytes()
    first, second = (
        await importer.says("encryption", "key", "generate"),
        await importer.says("encryption", "key", "generate"),
    )
    assert first != second
    assert Keyring.from_secret(SecretStr(first))
    assert keys_file(importer).read_bytes() == before


async def test_passwords_outlive_the_key_that_they_were_stored_with(stored: CommandLine, database: Database) -> None:
    old = keys_file(stored).read_text(encoding="ascii").strip()
    keys_file(stored).chmod(0o640)
    assert "Restart the services" in await stored.says("encryption", "key", "generate", "--add")
    newest, *others = keys_file(stored).read_text(encoding="ascii").split()
    assert others == [old]
    assert stat.S_IMODE(keys_file(stored).stat().st_mode) == 0o640
    assert list(keys_file(stored).parent.iterdir()) == [keys_file(stored)]  # no draft is left
    said = await stored.says("encryption", "rotate")
    assert "newest key: of 2 logins." in said
    keys_file(stored).write_text(newest, encoding="ascii")
    assert sorted(keyring(stored).open(each).get_secret_value() for each in await passwords(database)) == [
        "brievenbus", "postbode",
    ]  # fmt: skip
    assert "brievenbus" not in said


async def test_certificates_outlive_the_key_too_and_a_refused_login_goes_on_resting(
    stored: CommandLine, database: Database
) -> None:
    stored.environment["IMPORTER_DATABASE_URL"] = database.dsn("console").get_secret_value()
    await stored.says("importer", "set", "Servicedesk", "--tenant", "desk.example")
    await stored.says("importer", "set-certificate", "Servicedesk", stdin=(pem := app_pem()))
    stored.environment["IMPORTER_DATABASE_URL"] = database.dsn("owner").get_secret_value()
    async with database.connect("owner") as owner:
        await owner.execute(
            "UPDATE login_states SET refused_logins = 1, refused_since = now(), problem = 'Geweigerd.',"
            " probe_at = now() + interval '1 hour'"
        )
        await stored.says("encryption", "key", "generate", "--add")
        assert "of 2 logins" in await stored.says("encryption", "rotate")
        newest, _ = keys_file(stored).read_text(encoding="ascii").split()
        kept = await owner.fetchval("SELECT certificate_encrypted FROM importer_settings")
        assert Keyring.from_secret(SecretStr(newest)).open(kept).get_secret_value() == pem
        assert await owner.fetchval("SELECT min(refused_logins) FROM login_states") == 1


async def test_rotation_is_all_or_nothing(stored: CommandLine, database: Database) -> None:
    async with database.connect("owner") as owner:  # an account whose key is gone
        lost = Keyring.from_secret(new_key()).public.seal(SecretStr("weg"))
        await owner.execute("UPDATE outgoing_accounts SET password_encrypted = $1", lost)
    await stored.says("encryption", "key", "generate", "--add")
    before = await passwords(database)
    said = await stored.says("encryption", "rotate", code=1)
    assert "The login Post (account): A stored secret cannot be opened" in said
    assert "Nothing was changed" in said
    assert await passwords(database) == before


async def test_a_broken_key_stops_the_rotation_and_the_adding(stored: CommandLine, database: Database) -> None:
    before = await passwords(database)
    keys_file(stored).write_text("kort", encoding="ascii")
    for command in (("encryption", "rotate"), ("encryption", "key", "generate", "--add")):
        assert "Key 1 in the secret encryption_keys is no key" in await stored.says(*command, code=78)
    assert keys_file(stored).read_text(encoding="ascii") == "kort"
    assert await passwords(database) == before


async def test_adding_makes_the_first_key_for_its_owner_alone(importer: CommandLine) -> None:
    keys_file(importer).unlink()
    await importer.says("encryption", "key", "generate", "--add")
    assert stat.S_IMODE(keys_file(importer).stat().st_mode) == 0o600
    with pytest.raises(CannotOpen):
        keyring(importer).open(b"x")


async def test_keys_that_no_file_holds_cannot_be_added_to(importer: CommandLine, tmp_path: Path) -> None:
    given: dict[str, Any] = {"IMPORTER_ENCRYPTION_KEYS": new_key().get_secret_value()}
    importer.environment.update(given)
    said = await importer.says("encryption", "key", "generate", "--add", code=78)
    assert "IMPORTER_ENCRYPTION_KEYS itself" in said
    del importer.environment["IMPORTER_ENCRYPTION_KEYS"]
    importer.environment["IMPORTER_ENCRYPTION_KEYS_FILE"] = str(tmp_path / "no" / "such" / "folder")
    assert "cannot be written" in await importer.says("encryption", "key", "generate", "--add", code=78)


async def test_the_console_may_not_rotate(stored: CommandLine, database: Database) -> None:
    stored.environment["IMPORTER_DATABASE_URL"] = database.dsn("console").get_secret_value()
    before = await passwords(database)
    assert "importer_owner" in await stored.says("encryption", "rotate", code=78)
    assert await passwords(database) == before
