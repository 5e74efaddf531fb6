"""The mailboxes beside the ledger, by the fetcher's own process: a Maildir, and an Exchange server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from services.console.reconcile import mailboxes
from services.console.reconcile.comparing import Servers, Wanted, compare
from services.console.reconcile.kinds import Kind
from shared.mail_identity import mail_id
from shared.sealing import Keyring, new_key
from tests.databases import DATABASE_PASSWORD
from tests.mailboxes.post_offices import EwsPostOffice, MaildirPostOffice
from tests.services.console.reconcile.conftest import Installation, told

ROOT = Path(__file__).parents[4]
LONG_AGO = datetime.now(UTC) - timedelta(hours=3)
KEY = new_key()
BYTES = b"Subject: x\r\n\r\nx\r\n"


@pytest.fixture
def post_office(tmp_path: Path) -> MaildirPostOffice:
    return MaildirPostOffice(tmp_path)


@pytest.fixture
async def desk(
    sound: Installation, post_office: MaildirPostOffice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Installation:
    """The sound installation, whose first helpdesk has this Maildir; the fetcher's process finds its secrets."""
    await sound.sql(
        "UPDATE importer_settings SET server = $1 WHERE helpdesk_id = 1 AND $1 <> ''", str(post_office.root)
    )
    await sound.sql("UPDATE logins SET password_encrypted = NULL")
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "database_password_fetcher").write_text(DATABASE_PASSWORD, encoding="ascii")
    (secrets / "encryption_keys").write_text(KEY.get_secret_value(), encoding="ascii")
    without_login = sound.database.dsn("fetcher").get_secret_value().partition("@")[2]
    monkeypatch.setenv("IMPORTER_DATABASE_URL", f"postgresql://{without_login}")
    monkeypatch.setenv("IMPORTER_SECRETS_DIR", str(secrets))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return sound


async def compared(desk: Installation, since: datetime | None = None) -> Any:
    """What the mailboxes have that the ledger has not."""
    async with desk.servers() as servers:
        return await mailboxes.compare(servers.pool, timedelta(hours=1), since, None)


async def taken_in(desk: Installation, key: str) -> None:
    """The ledger knows this mail, published and marked."""
    identity = mail_id(1, 1, "INBOX", key)
    await desk.sql(
        "INSERT INTO imported_mails (mail_id, helpdesk_id, generation, folder, item_key, raw_sha256, raw_size,"
        " full_size, received_at, published_at, marked_read_at)"
        " SELECT $1, 1, 1, 'INBOX', $2, sha256, 1, 1, now(), now(), now()"
        " FROM blobs LIMIT 1",
        identity,
        key,
    )


async def test_unread_mail_that_the_ledger_does_not_know_is_told_once_it_is_old_enough(
    desk: Installation, post_office: MaildirPostOffice
) -> None:
    old, new = post_office.deliver(BYTES, LONG_AGO), post_office.deliver(BYTES, datetime.now(UTC))
    seen = await compared(desk)
    assert (seen.compared, seen.mails, seen.not_compared) == (1, 2, [])
    (difference,) = seen.differences
    assert (difference.kind, difference.mail_id) == (Kind.NOT_TAKEN_IN, mail_id(1, 1, "INBOX", old))
    assert abs(difference.since - LONG_AGO) < timedelta(seconds=2)
    await taken_in(desk, old)
    await taken_in(desk, new)
    (harmless,) = (await compared(desk)).differences  # both are unread still: somebody set them back
    assert (harmless.kind, harmless.count) == (Kind.SET_BACK, 2)


async def test_it_is_mended_by_a_check_which_is_recorded(desk: Installation, post_office: MaildirPostOffice) -> None:
    post_office.deliver(BYTES, LONG_AGO)
    await desk.sql("UPDATE mailbox_states SET next_check_at = now() + interval '1 day'")
    async with desk.servers() as servers:
        report = await compare(Servers(servers.pool, servers.queues, servers.broker), Wanted(repairs=True))
    assert (told(report)[0][0], report.repaired_count, report.left) == (Kind.NOT_TAKEN_IN, 1, 0)
    (state,) = await desk.sql("SELECT next_check_at = '-infinity' AS due FROM mailbox_states WHERE helpdesk_id = 1")
    assert state["due"]
    (deed,) = await desk.sql("SELECT deed, helpdesk_id FROM audit_log WHERE kind = 'repair' AND tool = 'reconciler'")
    assert (deed["deed"], deed["helpdesk_id"]) == ("checked-now", 1)


async def test_D18_mail_that_the_settings_leave_alone_or_that_waits_for_a_person_is_no_difference(
    desk: Installation, post_office: MaildirPostOffice
) -> None:
    for days in (10, 11, 12):
        post_office.deliver(BYTES, datetime.now(UTC) - timedelta(days=days))
    await desk.sql("UPDATE importer_settings SET backlog_limit = 2")
    assert (await compared(desk)).differences == []
    await desk.sql("UPDATE importer_settings SET backlog_limit = 200, import_from = now() - interval '11 days 1 hour'")
    assert len((await compared(desk)).differences) == 2


async def test_S1_a_mailbox_that_is_off_or_paused_is_not_opened(
    desk: Installation, post_office: MaildirPostOffice
) -> None:
    post_office.deliver(BYTES, LONG_AGO)
    await desk.sql("UPDATE importer_settings SET paused_since = now(), paused_reason = 'x'")
    assert (await compared(desk)).compared == 0
    await desk.sql("UPDATE importer_settings SET paused_since = NULL, paused_reason = '', enabled = false,"
                   " imported_status_id = NULL")  # fmt: skip
    assert (await compared(desk)).compared == 0


async def test_after_a_restore_read_mail_that_the_ledger_does_not_know_is_told_since_a_moment(
    desk: Installation, post_office: MaildirPostOffice
) -> None:
    read, known = post_office.deliver(BYTES, LONG_AGO), post_office.deliver(BYTES, LONG_AGO)
    for key in (read, known):
        post_office.read_by_somebody(key)
    await taken_in(desk, known)
    assert (await compared(desk)).differences == []
    (difference,) = (await compared(desk, since=LONG_AGO - timedelta(hours=1))).differences
    assert (difference.kind, difference.mail_id) == (Kind.READ_UNKNOWN, mail_id(1, 1, "INBOX", read))
    assert (await compared(desk, since=LONG_AGO + timedelta(hours=1))).differences == []


async def test_where_read_mail_is_imported_too_it_is_due(desk: Installation, post_office: MaildirPostOffice) -> None:
    post_office.read_by_somebody(post_office.deliver(BYTES, LONG_AGO))
    await desk.sql("UPDATE importer_settings SET read_mail_from = now() - interval '2 days'")
    (difference,) = (await compared(desk)).differences
    assert difference.kind == Kind.NOT_TAKEN_IN


async def test_a_mailbox_that_cannot_be_used_keeps_no_other_from_being_compared(desk: Installation) -> None:
    await desk.sql("UPDATE importer_settings SET server = '/nowhere' WHERE helpdesk_id = 1")
    seen = await compared(desk)
    assert seen.compared == 0
    (trouble,) = seen.not_compared
    assert trouble.startswith("The mailbox of Support: ")


async def test_without_the_fetchers_secrets_it_says_which(desk: Installation, tmp_path: Path) -> None:
    (tmp_path / "secrets" / "database_password_fetcher").unlink()
    (trouble,) = (await compared(desk)).not_compared
    assert "database_password_fetcher" in trouble


async def test_an_exchange_mailbox_is_logged_in_to_as_a_check_does(desk: Installation, tmp_path: Path) -> None:
    office = EwsPostOffice(tmp_path)
    try:
        access = office.access
        await set_exchange(desk, office, str(access.password.get_secret_value() if access.password else ""))
        unread, read = (office.deliver(BYTES, LONG_AGO) for _ in range(2))
        office.read_by_somebody(read)
        seen = await compared(desk)
        assert seen.not_compared == []
        (difference,) = seen.differences
        assert (difference.kind, difference.mail_id) == (Kind.NOT_TAKEN_IN, mail_id(1, 1, "INBOX", unread))
        assert len((await compared(desk, since=LONG_AGO - timedelta(hours=1))).differences) == 2
        assert not office.is_read(unread)
        await desk.sql("UPDATE logins SET password_encrypted = $1 WHERE id = 99", sealed("een ander"))
        (trouble,) = (await compared(desk)).not_compared
        assert (await desk.sql("SELECT refused_logins FROM login_states WHERE login_id = 99"))[0][0] == 1
        (again,) = (await compared(desk)).not_compared  # it rests, as after a check: no account is locked
        assert (await desk.sql("SELECT refused_logins FROM login_states WHERE login_id = 99"))[0][0] == 1
        assert trouble != again
    finally:
        office.close()


def sealed(password: str) -> bytes:
    """A password as the database holds it."""
    return Keyring.from_secret(KEY).public.seal(SecretStr(password))


async def set_exchange(desk: Installation, office: EwsPostOffice, password: str) -> None:
    """The first helpdesk's mailbox is on this server."""
    access = office.access
    await desk.sql(
        "INSERT INTO logins (id, name, username, ca_file, password_encrypted) SELECT 99, 'Exchange', $1, $2, $3",
        access.username,
        access.ca_file,
        sealed(password),
    )
    await desk.sql("INSERT INTO login_states (login_id) VALUES (99)")
    await desk.sql(
        "UPDATE importer_settings SET kind = 'ews', server = $1, mailbox_address = $2, login_id = 99,"
        " username = 'importer' WHERE helpdesk_id = 1",
        access.server,
        access.address,
    )
