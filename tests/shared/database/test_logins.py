"""A login that several mailboxes and accounts use: one secret, one rest, and no server that it was not given for."""

# ruff: noqa: S608 - statements of our own words

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import pytest

from shared.database.logins import STANDING, note_fingerprint, record_refused, record_taken, standing
from shared.database.pool import Connection
from shared.logins import LoginStanding
from tests.databases import Database

HOUR = timedelta(hours=1)
ELSEWHERE = "a_secret_stays_with_its_place"
MAILBOX = "UPDATE importer_settings SET kind = 'imap', server = 'imap.desk.example', folder = 'INBOX',"
READ = f"""
    SELECT login.id AS login_id, {STANDING}
    FROM logins AS login JOIN login_states AS login_state ON login_state.login_id = login.id WHERE login.id = $1"""


@pytest.fixture
async def shared_login(owner: Connection) -> int:
    """A login with a password, which both mailboxes use at one server."""
    login = await owner.fetchval(
        "INSERT INTO logins (name, username, password_encrypted) VALUES ('Dienst', 'dienst@desk.example', '\\x07')"
        " RETURNING id"
    )
    async with owner.transaction():
        await owner.execute("UPDATE logins SET password_encrypted = '\\x08' WHERE id = $1", login)
        await owner.execute(
            f"{MAILBOX} mailbox_address = 'een@desk.example', login_id = $1 WHERE helpdesk_id = 1", login
        )
    await owner.execute(f"{MAILBOX} mailbox_address = 'twee@desk.example', login_id = $1 WHERE helpdesk_id = 2", login)
    return int(login)


@pytest.fixture
async def fetcher(database: Database, shared_login: int) -> AsyncIterator[Connection]:
    """A service's connection, when the login is there."""
    assert shared_login
    async with database.connect("fetcher") as connection:
        yield connection


async def stands(connection: Connection, login: int) -> LoginStanding:
    """The login as it stands now."""
    row = await connection.fetchrow(READ, login)
    assert row is not None
    read = standing(row)
    assert read is not None
    return read


async def refuses(owner: Connection, rule: str, statement: str, *values: object) -> None:
    """Assert that the database refuses this by that rule."""
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await owner.execute(statement, *values)
    assert refused.value.as_dict()["constraint_name"] == rule


async def test_one_secret_is_set_for_all_who_use_it(owner: Connection, shared_login: int) -> None:
    versions = "SELECT array_agg(row_version ORDER BY helpdesk_id) FROM importer_settings"
    before = await owner.fetchval(versions)
    await owner.execute("UPDATE logins SET password_encrypted = '\\x09' WHERE id = $1", shared_login)
    assert await owner.fetchval("SELECT array_agg(DISTINCT password_encrypted) FROM importer_settings") == [b"\t"]
    assert all(new > old for new, old in zip(await owner.fetchval(versions), before, strict=True))


async def test_a_shared_login_is_not_changed_by_way_of_one_mailbox(owner: Connection, shared_login: int) -> None:
    rule = "a_shared_login_is_changed_by_itself"
    await refuses(owner, rule, "UPDATE importer_settings SET username = 'anders' WHERE helpdesk_id = 1")
    await refuses(owner, rule, "UPDATE importer_settings SET password_encrypted = '\\x01' WHERE helpdesk_id = 2")
    await refuses(owner, rule, "SELECT helpdesk.login_of_mailbox(1)")
    await owner.execute("UPDATE importer_settings SET login_id = NULL WHERE helpdesk_id = 2")
    await owner.execute("UPDATE importer_settings SET username = 'anders' WHERE helpdesk_id = 1")
    assert await owner.fetchval("SELECT username FROM logins WHERE id = $1", shared_login) == "anders"


async def test_a_mailbox_that_leaves_a_login_keeps_nothing_of_it(owner: Connection, shared_login: int) -> None:
    await owner.execute("UPDATE importer_settings SET login_id = NULL WHERE helpdesk_id = 2")
    assert (
        await owner.fetchval(
            "SELECT num_nonnulls(username, password_encrypted) FROM importer_settings WHERE helpdesk_id = 2"
        )
        == 0
    )
    assert await owner.fetchval("SELECT password_is_set FROM logins WHERE id = $1", shared_login)


@pytest.mark.parametrize(
    "place",
    [
        "server = 'imap.anders.example'",
        "kind = 'ews'",
        "allow_unencrypted = true",
    ],
)
async def test_a_shared_secret_goes_to_no_other_server(owner: Connection, shared_login: int, place: str) -> None:
    await refuses(owner, ELSEWHERE, f"UPDATE importer_settings SET {place} WHERE helpdesk_id = 2")
    async with owner.transaction():
        await owner.execute("UPDATE logins SET password_encrypted = '\\x0a' WHERE id = $1", shared_login)
        await owner.execute(f"UPDATE importer_settings SET {place} WHERE helpdesk_id = 2")


@pytest.mark.parametrize("change", ["ca_file = '/tmp/mijn.pem'", "cloud = 'china'", "tenant = 'anders.example'"])
async def test_a_shared_secret_is_sent_by_no_other_way(owner: Connection, shared_login: int, change: str) -> None:
    await refuses(owner, ELSEWHERE, f"UPDATE logins SET {change} WHERE id = $1", shared_login)
    await owner.execute(f"UPDATE logins SET {change}, password_encrypted = '\\x0a' WHERE id = $1", shared_login)


async def test_an_account_of_ones_own_does_not_get_the_secret_of_others(owner: Connection, shared_login: int) -> None:
    account = "INSERT INTO outgoing_accounts (name, host, port, login_id) VALUES ($2, 'smtp.anders.example', 587, $1)"
    await refuses(owner, ELSEWHERE, account, shared_login, "Dief")
    async with owner.transaction():
        await owner.execute("UPDATE logins SET password_encrypted = '\\x0a' WHERE id = $1", shared_login)
        await owner.execute(account, shared_login, "Post")
    await owner.execute(account, shared_login, "Post aan dezelfde server")


async def test_a_secret_sealed_anew_is_not_given_anew(owner: Connection, shared_login: int) -> None:
    async with owner.transaction():
        await owner.execute("SET LOCAL helpdesk.reencrypting = 'on'")
        await owner.execute("UPDATE logins SET password_encrypted = '\\x0a' WHERE id = $1", shared_login)
        await refuses(owner, ELSEWHERE, "UPDATE importer_settings SET server = 'dief.example' WHERE helpdesk_id = 2")


async def test_nobody_removes_a_login_that_is_used(owner: Connection, shared_login: int) -> None:
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await owner.execute("DELETE FROM logins WHERE id = $1", shared_login)
    await owner.execute("UPDATE importer_settings SET enabled = false, login_id = NULL")
    await owner.execute("DELETE FROM logins WHERE id = $1", shared_login)


async def test_a_refusal_counts_for_all_and_a_login_that_is_taken_wakes_what_waited(
    owner: Connection, fetcher: Connection, shared_login: int
) -> None:
    await record_refused(fetcher, await stands(fetcher, shared_login), "Geweigerd.", HOUR)
    login = await stands(fetcher, shared_login)
    assert (login.refused_logins, login.refusal) == (1, "Geweigerd.")
    assert login.rests_for is not None
    assert HOUR - timedelta(minutes=1) < login.rests_for <= HOUR
    await owner.execute(
        "UPDATE mailbox_states SET problem = 'Geweigerd.', problem_kind = 'login-refused', problem_since = now(),"
        " next_check_at = now() + interval '1 hour'"
    )
    await record_taken(fetcher, login)
    assert (await stands(fetcher, shared_login)).rests_for is None
    assert await owner.fetchval("SELECT bool_and(next_check_at <= now()) FROM mailbox_states")


async def test_two_logins_that_are_one_account_rest_together(
    owner: Connection, fetcher: Connection, shared_login: int
) -> None:
    other = await owner.fetchval("SELECT login_id FROM outgoing_accounts")
    await record_refused(fetcher, await stands(fetcher, shared_login), "Geweigerd.", HOUR)
    await note_fingerprint(fetcher, await stands(fetcher, shared_login), b"f" * 32)
    assert (await stands(fetcher, other)).rests_for is None
    twin = await note_fingerprint(fetcher, await stands(fetcher, other), b"f" * 32)
    assert (twin.rests_for is None, twin.refusal, twin.refused_logins) == (False, "Geweigerd.", 1)
    await record_refused(fetcher, twin, "Weer.", 2 * HOUR)
    assert {(await stands(fetcher, each)).refused_logins for each in (shared_login, other)} == {2}
    await record_taken(fetcher, await stands(fetcher, other))
    assert {(await stands(fetcher, each)).refused_logins for each in (shared_login, other)} == {0}
    await owner.execute("UPDATE logins SET password_encrypted = '\\x0b' WHERE id = $1", other)
    await record_refused(fetcher, await stands(fetcher, other), "Geweigerd.", HOUR)
    assert (await stands(fetcher, shared_login)).refused_logins == 0  # another secret is another login


async def test_what_came_of_a_login_that_was_changed_meanwhile_does_not_count(
    owner: Connection, fetcher: Connection, shared_login: int
) -> None:
    before = await stands(fetcher, shared_login)
    await owner.execute("UPDATE logins SET password_encrypted = '\\x0b' WHERE id = $1", shared_login)
    await record_refused(fetcher, before, "Geweigerd.", HOUR)
    assert (await stands(fetcher, shared_login)).refused_logins == 0


async def test_a_chosen_login_that_rests_goes_on_resting(owner: Connection, shared_login: int) -> None:
    await owner.execute(
        "UPDATE login_states SET refused_logins = 1, refused_since = now(), probe_at = now() + interval '1 hour',"
        " problem = 'Geweigerd.' WHERE login_id = $1",
        shared_login,
    )
    await owner.execute("UPDATE importer_settings SET login_id = NULL WHERE helpdesk_id = 2")
    await owner.execute("UPDATE importer_settings SET login_id = $1 WHERE helpdesk_id = 2", shared_login)
    assert await owner.fetchval("SELECT refused_logins FROM login_states WHERE login_id = $1", shared_login) == 1
