"""A copied database harms nobody: it reads no mailbox and mails nobody until a person confirms it (issue 14)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

import aio_pika
import asyncpg
import pytest
from pydantic import SecretStr

from services.console.idle import Situation
from services.console.repairs.installation import consequences
from services.fetcher.repository.mailboxes import MailboxRepository
from services.notifier.notification import Written
from services.notifier.repository import Repository
from shared.database.installation import Installation, presented
from shared.database.migrate import WouldLoseData, downgrade
from shared.standing import recorded
from tests.databases import Database, drop_database
from tests.postgres_programs import copy_by_dump
from tests.services.notifier.house import House, keyring
from tests.shared.broker.harness import Queues
from tests.vhosts import Vhost

OURS, ANOTHERS = b"\x01" * 32, b"\x02" * 32
"""What services present, with the secret of this installation and with that of another."""
DIFFERENCES = {
    "server": "UPDATE installation SET server_id = server_id + 1",
    "database": "UPDATE installation SET database_id = database_id + 1",
    "key": "UPDATE installation SET key_hash = '\\x02'",
    "restored": "UPDATE installation SET restored_at = now(), restored_to = now() - interval '1 hour'",
}


class CommandLine(Protocol):
    """The fixture `importer`."""

    environment: dict[str, str]

    async def says(self, *arguments: str, code: int = 0) -> str: ...

    async def answers(self, *arguments: str, code: int = 0) -> Any: ...


@pytest.fixture
async def house(database: Database) -> AsyncIterator[House]:
    """A helpdesk whose mailbox is on, with a mail out that is due; a fetcher was started, which confirmed it."""
    async with House.of(database) as house:
        await house.owner.execute(
            "UPDATE importer_settings SET enabled = true, default_contact_id = 1, default_employee_id = 1"
        )
        await house.plan()
        await house.pass_time(timedelta(minutes=3))
        await present(database)
        yield house


async def present(database: Database, what: bytes = OURS) -> str | None:
    """A service starts that presents this; what it says in /health/ready."""
    async with database.pool("fetcher", max_size=1) as pool:
        installation = Installation(pool, what)
        await installation.present()
        return installation.note()


async def works(database: Database, what: bytes = OURS) -> tuple[int, int]:
    """How many mailboxes a fetcher takes and how many mails a notifier; it gives both back."""
    async with database.pool("fetcher") as fetching, database.pool("notifier") as notifying:
        fetcher = MailboxRepository(fetching, "fetcher", keyring(), what)
        mailboxes = await fetcher.claim(timedelta(minutes=1), 10)
        await fetcher.release([each.helpdesk_id for each in mailboxes])
        notifier = Repository(notifying, "notifier", what)
        mails = await notifier.claim_due(10)
        await notifier.give_back([each.id for each in mails])
        ids = await notifying.fetch("SELECT id FROM notifications")
        assert len(await notifier.claim_of_events([row["id"] for row in ids])) == len(mails)
        await notifier.give_back([each.id for each in mails])
        written = [(row["id"], Written(f"{row['id']}@desk.example", "Onderwerp", b"mail")) for row in ids]
        assert len(await notifier.claim_written(written)) == len(mails)
        await notifier.give_back([each.id for each in mails])
        await notifying.execute("UPDATE notifications SET message_id = NULL, subject = NULL, mime = NULL")
    return len(mailboxes), len(mails)


async def audited(owner: Any) -> list[str]:
    """What the audit log says of the installation, in turn."""
    rows = await owner.fetch("SELECT deed FROM audit_log WHERE kind = 'installation' ORDER BY id")
    return [row["deed"] for row in rows]


async def test_the_first_start_confirms_the_database_without_a_hand(database: Database) -> None:
    async with database.connect("owner") as owner:
        assert (await recorded.installation(owner)).confirmed_at is None
        for _ in range(2):
            assert await present(database) is None
        standing = await recorded.installation(owner)
        assert (standing.differs, standing.confirmed_at is None) == ((), False)
        assert await audited(owner) == ["bound"]


@pytest.mark.parametrize("differs", DIFFERENCES)
async def test_where_something_differs_no_mailbox_is_read_and_no_mail_sent(
    house: House, database: Database, importer: CommandLine, differs: str
) -> None:
    assert await works(database) == (1, 1)
    await house.owner.execute(DIFFERENCES[differs])
    assert await works(database) == (0, 0)
    for _ in range(3):
        said = await present(database)
    assert said is not None
    assert "installation confirm" in said
    assert (await recorded.installation(house.owner)).differs == (differs,)
    assert await audited(house.owner) == ["bound", "held"]
    [waits] = await until_idle(house)
    assert "No mailbox is read and no mail is sent" in waits

    shown = await importer.says("installation", "confirm")
    assert "1 mailbox would be read: ICT." in shown
    assert "1 mail of ICT, decided since" in shown
    assert await works(database) == (0, 0), "nothing was confirmed without --yes"
    assert await importer.says("installation", "confirm", "--yes") == "Confirmed.\n"
    assert await present(database) is None
    assert await works(database) == (1, 1)
    assert await audited(house.owner) == ["bound", "held", "confirmed"]
    shown = await importer.says("installation", "show")
    assert "is confirmed for this installation since" in shown


async def until_idle(house: House) -> list[str]:
    """What a run until idle waits for."""
    unfinished, mailboxes = await recorded.unfinished(house.owner), tuple(await recorded.mailboxes(house.owner))
    now, installation = await recorded.now(house.owner), await recorded.installation(house.owner)
    assert unfinished.mails_due == 0
    return list(Situation(now, mailboxes, unfinished, (), {}, installation).waits())


async def test_a_check_that_goes_on_loses_its_lease_and_connections_are_closed(
    house: House, database: Database
) -> None:
    async with database.pool("fetcher") as pool:
        mailboxes = MailboxRepository(pool, "fetcher", keyring(), OURS)
        [claimed] = await mailboxes.claim(timedelta(minutes=1), 10)
        held, opened = {1: claimed.generation}, {1: claimed.settings_version}
        assert await mailboxes.renew(timedelta(minutes=1), held) == {1} == await mailboxes.unchanged(opened)
        await house.owner.execute(DIFFERENCES["restored"])
        assert await mailboxes.renew(timedelta(minutes=1), held) == set() == await mailboxes.unchanged(opened)


async def test_what_waits_is_never_sent_when_a_person_says_so(
    house: House, database: Database, importer: CommandLine
) -> None:
    await house.owner.execute(DIFFERENCES["database"])
    said = await importer.says("installation", "confirm", "--discard-waiting", "--yes")
    assert said == "Confirmed. 1 mail discarded.\n"
    assert await works(database) == (1, 0)
    row = await house.owner.fetchrow("SELECT state, reason FROM notifications")
    assert row is not None
    assert tuple(row) == ("not-sent", "discarded-by-person")


async def test_mail_that_a_person_held_stays_held_after_the_confirmation(
    house: House, database: Database, importer: CommandLine
) -> None:
    await importer.says("notifications", "hold")
    await house.owner.execute(DIFFERENCES["database"])
    assert [waiting.held for waiting in (await consequences(house.owner)).mails] == [True]
    assert "stays held" in await importer.says("installation", "confirm")
    await importer.says("installation", "confirm", "--yes")
    assert await works(database) == (1, 0)


@pytest.mark.usefixtures("house")
async def test_the_secret_of_the_command_line_counts_where_no_service_runs(
    database: Database, importer: CommandLine
) -> None:
    folder = Path(importer.environment["IMPORTER_SECRETS_DIR"])
    (folder / "installation_id").write_text("another\n", encoding="ascii")
    await importer.says("installation", "confirm", "--yes")
    assert await works(database, presented(SecretStr("another"))) == (1, 1)
    assert await works(database, OURS) == (0, 0)


@pytest.mark.usefixtures("house")
async def test_a_copy_by_dump_stands_still_beside_the_original_that_goes_on(
    database: Database, importer: CommandLine, tmp_path: Path
) -> None:
    superuser = await asyncpg.connect(database.server.url)
    name = f"{database.name}_copy"
    copy = Database(name, database.server)
    await superuser.execute(f"CREATE DATABASE {name} OWNER importer_owner TEMPLATE template0 ENCODING 'UTF8'")
    try:
        copy_by_dump(database.server, database.name, database.server, name, tmp_path)
        assert await works(database) == (1, 1)
        assert await works(copy) == (0, 0)
        assert await present(copy) is not None
        importer.environment["IMPORTER_DATABASE_URL"] = copy.dsn("console").get_secret_value()
        assert (await importer.answers("installation", "show"))["differs"] == ["database"]
        await importer.says("installation", "confirm", "--yes")
        assert await works(copy) == (1, 1)
        assert await works(database) == (1, 1)
    finally:
        await superuser.close()
        await drop_database(database.server, name)


async def test_a_service_with_another_secret_is_kept_from_its_work_and_may_be_confirmed(
    house: House, database: Database, importer: CommandLine
) -> None:
    assert await present(database, ANOTHERS) is not None
    assert await works(database, ANOTHERS) == (0, 0)
    assert (await recorded.installation(house.owner)).differs == ("key",)
    await importer.says("installation", "confirm", "--yes")
    assert await works(database, ANOTHERS) == (1, 1)


async def test_going_back_to_a_version_that_does_not_ask_is_refused_in_a_copy(house: House, database: Database) -> None:
    await house.owner.execute(DIFFERENCES["server"])
    with pytest.raises(WouldLoseData, match="installation"):
        await downgrade(database.dsn("owner").get_secret_value(), to="0026")


async def test_after_a_restore_the_queues_are_emptied_and_nothing_goes_out_before_it_is_confirmed(
    house: House, database: Database, importer: CommandLine, vhost: Vhost
) -> None:
    importer.environment.update(
        {
            "IMPORTER_RABBITMQ_MANAGEMENT_URL": vhost.empty.server.management_url,
            "IMPORTER_AMQP_URL": vhost.empty.amqp_url,
        }
    )
    async with Queues.of(vhost.admin_dsn) as queues:
        await queues.channel.default_exchange.publish(aio_pika.Message(b"of another time"), "mail.raw")
        said = await importer.says("installation", "restored", "--to", "2026-11-01", "--last-number", "1000500")
        assert said.startswith("The next ticket is 1000501. 1 mailbox will be read again, ")
        assert await queues.count("mail.raw") == 0
    assert await works(database) == (0, 0)
    assert "is imported again, in 1 mailbox" in await importer.says("installation", "show")
    await importer.says("installation", "confirm", "--without-mails", "--discard-waiting", "--yes")
    assert await works(database) == (1, 0)
    assert await house.owner.fetchval("SELECT read_again_silent FROM mailbox_states")
    assert (await audited(house.owner))[-2:] == ["brought back", "confirmed"]
