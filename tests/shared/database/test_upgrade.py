"""A database of the first version, with rows in every table and stored secrets, under the version of now.

`upgrade/` is frozen: rows and statements as that version had them. Its services go on beside the new ones until the
first second half.
"""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import asyncpg
import pytest
from cryptography.fernet import Fernet

from deploy.local.endpoints import PostgresEndpoint
from shared.database.migrate import migrate, newest_before, newest_revision
from shared.database.pool import Connection
from shared.database.sealing_keys import publish, published_key
from shared.sealing import Keyring, new_key
from tests.databases import Database, Databases
from tests.shared.database.more_revisions import with_more_revisions

UPGRADE = Path(__file__).parent / "upgrade"
ROWS = (UPGRADE / "rows_of_0001.sql").read_text(encoding="utf-8")
STATEMENTS = re.findall(
    r"^-- === (\w+): (\S+)\n(.+?)(?=^-- === |\Z)",
    (UPGRADE / "statements_of_0001.sql").read_text(encoding="utf-8"),
    re.MULTILINE | re.DOTALL,
)
KEY = new_key()
SURVIVED = "0011"
"""The last revision before the first second half: what services of the first version survive."""
MOVED = {"outgoing_account_states"}
"""Tables whose rows are in another by now: `login_states`."""
A_SECOND_HALF = """
revision = "9999"
down_revision = "{newest}"
half = "after"


def upgrade() -> None:
    pass
"""
EXPECTED_LOGINS = [("Support (mailbox)", None, 2, "Geweigerd."), ("Uitgaand (account)", "support", 0, None)]
SERVICES = ("fetcher", "classifier", "ticket_writer", "notifier")


def encrypted(secret: str) -> bytes:
    """As the first version stored a secret."""
    return Fernet(KEY.get_secret_value()).encrypt(secret.encode())


async def counts(owner: Connection) -> dict[str, int]:
    """How many rows each table has."""
    tables = await owner.fetch(
        "SELECT relname FROM pg_class WHERE relnamespace = 'helpdesk'::regnamespace AND relkind = 'r'"
    )
    return {row["relname"]: await owner.fetchval(f"SELECT count(*) FROM {row['relname']}") for row in tables}  # noqa: S608 - names from the catalog


@pytest.fixture
async def old(empty_database: str, postgres_server: PostgresEndpoint, databases: Databases) -> Database:
    """A database at revision 0001, filled; the roles are there."""
    assert databases.template
    database = Database(empty_database.rsplit("/", 1)[-1].partition("?")[0], postgres_server)
    superuser = await asyncpg.connect(empty_database)
    await superuser.execute(f"ALTER DATABASE {database.name} OWNER TO importer_owner")
    await superuser.close()
    url = database.dsn("owner").get_secret_value()
    await migrate(url, to="0001")
    owner = await asyncpg.connect(url, server_settings={"search_path": "helpdesk,public"})
    await owner.execute(ROWS)
    await owner.execute("UPDATE importer_settings SET password_encrypted = $1 WHERE helpdesk_id = 1", encrypted("bus"))
    await owner.execute("UPDATE outgoing_accounts SET password_encrypted = $1", encrypted("post"))
    await owner.execute(
        "INSERT INTO outgoing_accounts (name, host, port, security) VALUES ('Relay', 'relay.example', 25, 'none')"
    )
    await owner.close()
    return database


async def test_nothing_is_lost_and_every_secret_opens_before_and_after_it_is_sealed(old: Database) -> None:
    url = old.dsn("owner").get_secret_value()
    first = await asyncpg.connect(url, server_settings={"search_path": "helpdesk,public"})
    before = await counts(first)
    await first.close()
    assert 0 not in before.values()
    await migrate(url)
    keyring = Keyring.from_secret(KEY)
    async with old.connect("owner") as owner:
        after = await counts(owner)
        assert before.keys() - after.keys() == MOVED
        assert {table: after[table] for table in before.keys() - MOVED} == {
            table: count for table, count in before.items() if table not in MOVED
        }
        await publish(owner, keyring.public)
        for table, secret in (("importer_settings", "bus"), ("outgoing_accounts", "post")):
            stored = await owner.fetchval(
                f"SELECT password_encrypted FROM {table} WHERE password_is_set"  # noqa: S608 - two names
            )
            assert keyring.open(stored).get_secret_value() == secret
            assert keyring.open(keyring.reseal(stored)).get_secret_value() == secret
        assert await owner.fetchval("SELECT allow_unencrypted FROM outgoing_accounts WHERE name = 'Relay'") is True
    async with old.connect("console") as console:
        assert await published_key(console) == keyring.public


async def test_logins_are_made_of_columns_and_the_first_versions_way_of_writing_them_goes_on(old: Database) -> None:
    url = old.dsn("owner").get_secret_value()
    first = await asyncpg.connect(url, server_settings={"search_path": "helpdesk,public"})
    await first.execute(
        "UPDATE mailbox_states SET refused_logins = 2, refused_since = now(), problem = 'Geweigerd.',"
        " problem_kind = 'login-refused', problem_since = now(), login_rests_until = now() + interval '1 hour'"
    )
    await first.close()
    await migrate(url, to=SURVIVED)
    await migrate(url)
    async with old.connect("owner") as owner:
        logins = await owner.fetch(
            "SELECT name, username, refused_logins, problem FROM logins JOIN login_states ON login_id = id"
            " WHERE password_is_set ORDER BY name"
        )
        assert [tuple(login) for login in logins] == EXPECTED_LOGINS
    async with old.connect("console") as console:  # as its command line writes a password
        await console.execute("UPDATE importer_settings SET password_encrypted = '\\x07' WHERE helpdesk_id = 1")
    async with old.connect("fetcher") as fetcher:
        assert (
            await fetcher.fetchval(
                "SELECT logins.password_encrypted FROM logins JOIN importer_settings ON login_id = logins.id"
                " WHERE helpdesk_id = 1"
            )
            == b"\x07"
        )


async def test_an_upgrade_stops_before_what_the_version_before_would_not_survive(
    old: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    newest = newest_revision()
    (tmp_path / "9999_after.py").write_text(A_SECOND_HALF.format(newest=newest), encoding="utf-8")
    monkeypatch.setattr("shared.database.migrate._alembic", partial(with_more_revisions, tmp_path))
    url = old.dsn("owner").get_secret_value()
    assert await migrate(url) == await migrate(url) == newest_before() == newest
    assert await migrate(url, finish=True) == await migrate(url) == newest_revision() == "9999"


async def test_the_services_of_the_first_version_go_on_beside_the_new_ones(old: Database) -> None:
    await migrate(old.dsn("owner").get_secret_value(), to=SURVIVED)
    assert {service for service, _, _ in STATEMENTS} == set(SERVICES)
    broken = []
    for role in SERVICES:
        connection = await asyncpg.connect(
            old.dsn(role).get_secret_value(), server_settings={"search_path": "helpdesk,public"}
        )
        for service, name, statement in STATEMENTS:
            if service == role:
                try:
                    await connection.prepare(statement)
                except Exception as error:  # noqa: BLE001 - all of them are shown at once
                    broken.append(f"{name}: {error}")
        await connection.close()
    assert broken == []
