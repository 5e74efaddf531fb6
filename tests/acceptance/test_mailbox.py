"""The mailbox itself: when it is read, with what login, and what stays in it (S1–S4, M5, D14, D17, D18)."""

import asyncio
import json
import sys
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from deploy.demo.maildir import Maildir
from tests.acceptance.desks import Desk, add_contact, add_employee, change_desk, mail_left_in, open_desk
from tests.acceptance.pipeline import Pipeline, a_mail, eventually
from tests.acceptance.story import Mail, one, written

MONTH_AGO = (datetime.now(UTC) - timedelta(days=30)).timestamp()
HOUR = 3600.0


async def check_now(pipeline: Pipeline, desk: Desk) -> None:
    """Have the mailbox checked, and wait for the end of that check."""
    asked = await pipeline.connection.fetchval(
        "UPDATE helpdesk.mailbox_states SET next_check_at = now() WHERE helpdesk_id = $1 RETURNING now()", desk.id
    )
    await pipeline.row(
        """SELECT last_check_at FROM helpdesk.mailbox_states
           WHERE helpdesk_id = $1 AND last_check_at > $2 AND next_check_at > now() AND lease_until <= now()""",
        desk.id,
        asked,
    )


async def in_ledger(pipeline: Pipeline, desk: Desk) -> set[str]:
    """The mails of a mailbox that were taken in."""
    rows = await pipeline.connection.fetch(
        "SELECT item_key FROM helpdesk.imported_mails WHERE helpdesk_id = $1", desk.id
    )
    return {row["item_key"] for row in rows}


async def command(pipeline: Pipeline, *arguments: str, given: str = "", code: int = 0) -> str:
    """Run `helpdesk-importer`, which ends with `code`; what it says."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.console",
        *arguments,
        env=pipeline.installation.environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate(given.encode())
    assert process.returncode == code, said.decode()
    return said.decode()


async def test_S1_a_mailbox_that_is_off_is_never_opened_and_off_is_the_default(pipeline: Pipeline) -> None:
    assert (
        await pipeline.connection.fetchval(
            """SELECT column_default FROM information_schema.columns
               WHERE table_schema = 'helpdesk' AND table_name = 'importer_settings' AND column_name = 'enabled'"""
        )
        == "false"
    )
    desk, other = await open_desk(pipeline, enabled=False), await open_desk(pipeline)
    name = pipeline.drop(a_mail(), desk.name)
    await one(pipeline, other, Mail())
    await check_now(pipeline, other)
    assert await in_ledger(pipeline, desk) == set()
    assert len(mail_left_in(pipeline, desk)) == 1
    checked = "SELECT last_check_at FROM helpdesk.mailbox_states WHERE helpdesk_id = $1"
    assert await pipeline.connection.fetchval(checked, desk.id) is None
    await change_desk(pipeline, desk, enabled=True)
    assert (await pipeline.outcome(name))["outcome"] == "ticket"


async def test_S2_S3_the_login_is_kept_and_the_password_only_written(pipeline: Pipeline) -> None:
    desk = await open_desk(pipeline)
    secret = "Zeer-geheim-wachtwoord-17"
    await command(pipeline, "importer", "set", str(desk.id), "--username", "desk@oosterdam-services.example")
    assert secret not in await command(pipeline, "importer", "set-password", str(desk.id), given=secret + "\n")
    shown = await command(pipeline, "importer", "show", str(desk.id), "--json")
    assert secret not in shown
    assert "desk@oosterdam-services.example" in json.dumps(json.loads(shown))
    stored = await pipeline.connection.fetchval(
        "SELECT password_encrypted FROM helpdesk.importer_settings WHERE helpdesk_id = $1", desk.id
    )
    assert stored is not None
    assert secret.encode() not in stored
    for role in ("console", "ticket_writer", "classifier"):
        connection = await asyncpg.connect(pipeline.installation.database.dsn(role).get_secret_value())
        try:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.fetch("SELECT password_encrypted FROM helpdesk.importer_settings")
        finally:
            await connection.close()
    await one(pipeline, desk, Mail())
    logs = [path.read_text() for path in pipeline.mailboxes.parent.rglob("*.log")]
    assert logs
    assert not any(secret in log for log in logs)


async def test_S4_the_mailbox_is_read_where_the_settings_say(pipeline: Pipeline) -> None:
    desk = await open_desk(pipeline)
    elsewhere = pipeline.mailboxes / "verhuisd"
    await one(pipeline, desk, Mail())
    delivered = Maildir(elsewhere).deliver(a_mail().as_bytes())
    await change_desk(pipeline, desk, server=str(elsewhere))
    assert (await pipeline.outcome(delivered.unique_name))["outcome"] == "ticket"


async def test_S8_a_check_that_fails_leaves_the_last_successful_one(pipeline: Pipeline) -> None:
    desk = await open_desk(pipeline)
    await one(pipeline, desk, Mail())
    state = "SELECT last_successful_check_at, problem FROM helpdesk.mailbox_states WHERE helpdesk_id = $1"
    await check_now(pipeline, desk)
    good = await pipeline.connection.fetchrow(state, desk.id)
    assert good is not None
    assert good["last_successful_check_at"] is not None
    shown = json.loads(await command(pipeline, "importer", "show", str(desk.id), "--json"))
    assert datetime.fromisoformat(shown["last_successful_check_at"]) >= good["last_successful_check_at"]
    folder = pipeline.mailboxes / desk.name
    folder.rename(folder.with_name("weg"))
    await pipeline.connection.execute(
        "UPDATE helpdesk.mailbox_states SET next_check_at = now() WHERE helpdesk_id = $1", desk.id
    )
    bad = await pipeline.row(f"{state} AND problem IS NOT NULL", desk.id)
    assert bad["last_successful_check_at"] >= good["last_successful_check_at"]
    assert bad["problem"]


async def test_M5_D14_on_needs_a_status_with_the_flag(pipeline: Pipeline) -> None:
    desk = await open_desk(pipeline, enabled=False)
    await pipeline.connection.execute("UPDATE helpdesk.statuses SET flag = NULL WHERE helpdesk_id = $1", desk.id)
    with pytest.raises(asyncpg.CheckViolationError, match="geïmporteerd"):
        await change_desk(pipeline, desk, enabled=True)


@pytest.mark.parametrize("table", ["persons", "employees"])
async def test_D14_on_needs_an_active_default_contact_and_employee(table: str, pipeline: Pipeline) -> None:
    column = {"persons": "default_contact", "employees": "default_employee"}[table]
    inactive = {"persons": "Bas Willems", "employees": "Kees Vermeulen"}[table]
    with pytest.raises(asyncpg.CheckViolationError, match="is not active"):
        await open_desk(pipeline, **{column: inactive})


@pytest.mark.parametrize("who", ["contact", "employee"])
async def test_D14_who_is_needed_cannot_be_deleted_and_made_inactive_elsewhere_the_mailbox_pauses(
    who: str, pipeline: Pipeline
) -> None:
    table, screen = {
        "contact": ("persons", "«Standaard contactpersoon»"),
        "employee": ("employees", "«Standaard werknemer»"),
    }[who]
    name = f"Onmisbare {who}"
    organisation = await pipeline.connection.fetchval("SELECT min(id) FROM helpdesk.organisations")
    await add_contact(pipeline.connection, organisation, name, f"onmisbaar.{who}@elders.example")
    await add_employee(pipeline.connection, name, f"onmisbaar.{who}.e@elders.example")
    desk = await open_desk(pipeline, **{f"default_{who}": name})
    await one(pipeline, desk, Mail())
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await pipeline.connection.execute(f"DELETE FROM helpdesk.{table} WHERE name = $1", name)  # noqa: S608
    tool = {"contact": "contacts", "employee": "employees"}[who]
    assert "is on and needs this" in await command(pipeline, tool, "set", name, "--no-active", code=1)
    await pipeline.connection.execute(f"UPDATE helpdesk.{table} SET active = false WHERE name = $1", name)  # noqa: S608
    waiting = pipeline.drop(a_mail(), desk.name)
    await pipeline.connection.execute(
        "UPDATE helpdesk.mailbox_states SET next_check_at = now() WHERE helpdesk_id = $1", desk.id
    )
    paused = await pipeline.row(
        "SELECT problem FROM helpdesk.mailbox_states WHERE helpdesk_id = $1 AND problem IS NOT NULL", desk.id
    )
    assert screen in paused["problem"]
    taken_in = await in_ledger(pipeline, desk)
    if waiting not in taken_in:  # a check that was already under way may have taken it
        assert [path.name for path in mail_left_in(pipeline, desk)] == [waiting]
    await pipeline.connection.execute(f"UPDATE helpdesk.{table} SET active = true WHERE name = $1", name)  # noqa: S608
    await pipeline.connection.execute(
        "UPDATE helpdesk.mailbox_states SET next_check_at = now() WHERE helpdesk_id = $1", desk.id
    )
    assert (await pipeline.outcome(waiting))["outcome"] == "ticket"


async def test_D17_mail_that_is_too_large_stays_in_the_mailbox_marked_read(pipeline: Pipeline) -> None:
    desk = await open_desk(pipeline, max_mail_bytes=20_000, after_import="delete")
    large = pipeline.drop(a_mail(text="te groot\n" * 5_000), desk.name)
    small = pipeline.drop(a_mail(text="klein"), desk.name)
    folder = pipeline.mailboxes / desk.name / "cur"
    for name in (large, small):
        assert (await pipeline.outcome(name))["outcome"] == "ticket"
    assert "too-large" in await pipeline.reasons(large)

    async def small_is_gone() -> bool:
        await check_now(pipeline, desk)
        return not any(path.name.startswith(small) for path in folder.iterdir())

    await eventually(small_is_gone, "the small mail deleted")
    assert [path.name for path in folder.iterdir()] == [f"{large}:2,S"]
    raw = await pipeline.connection.fetchrow(
        "SELECT complete, raw_size, full_size FROM helpdesk.imported_mails WHERE item_key = $1", large
    )
    assert raw is not None
    assert not raw["complete"]
    assert raw["raw_size"] <= 20_000 < raw["full_size"]


async def test_D18_older_mail_than_import_from_is_left_alone(pipeline: Pipeline) -> None:
    since = datetime.now(UTC) - timedelta(hours=2)
    desk = await open_desk(pipeline, import_from=since)
    before = pipeline.drop(a_mail(), desk.name, arrived=since.timestamp() - HOUR)
    after = pipeline.drop(a_mail(), desk.name, arrived=since.timestamp() + HOUR)
    assert (await pipeline.outcome(after))["outcome"] == "ticket"
    await check_now(pipeline, desk)
    assert await in_ledger(pipeline, desk) == {after}
    assert [path.name for path in mail_left_in(pipeline, desk)] == [before]


async def test_D18_a_few_old_mails_are_imported_by_themselves(pipeline: Pipeline) -> None:
    desk = await open_desk(pipeline, enabled=False, backlog_limit=3)
    old = {pipeline.drop(a_mail(), desk.name, arrived=MONTH_AGO + n) for n in range(3)}
    await change_desk(pipeline, desk, enabled=True)
    for name in old:
        assert (await pipeline.outcome(name))["outcome"] == "ticket"


async def test_D18_of_too_many_old_mails_at_once_only_the_newer_mail_is_imported(pipeline: Pipeline) -> None:
    desk = await open_desk(pipeline, enabled=False, backlog_limit=3)
    old = {pipeline.drop(a_mail(), desk.name, arrived=MONTH_AGO + n) for n in range(4)}
    new = pipeline.drop(a_mail(), desk.name)
    await change_desk(pipeline, desk, enabled=True)
    assert (await pipeline.outcome(new))["outcome"] == "ticket"
    await check_now(pipeline, desk)
    assert await in_ledger(pipeline, desk) == {new}
    assert {path.name for path in mail_left_in(pipeline, desk)} == old


async def test_W1_D13_a_mail_set_back_to_unread_changes_nothing(pipeline: Pipeline) -> None:
    desk = await open_desk(pipeline)
    first = await one(pipeline, desk, Mail())
    folder = pipeline.mailboxes / desk.name / "cur"
    read = folder / f"{first['unique_name']}:2,S"
    await eventually(lambda: asyncio.to_thread(read.exists), "marked read")
    read.rename(folder / f"{first['unique_name']}:2,")
    await one(pipeline, desk, Mail())
    await check_now(pipeline, desk)
    assert [path.name for path in mail_left_in(pipeline, desk)] == [f"{first['unique_name']}:2,"]
    assert (
        await pipeline.connection.fetchval("SELECT count(*) FROM helpdesk.tickets WHERE helpdesk_id = $1", desk.id)
        == len(await in_ledger(pipeline, desk))
        == 2
    )


async def test_D9_the_mailboxs_address_is_a_setting_of_its_own(pipeline: Pipeline) -> None:
    r"""A login like `DOM\user` is no address: mail from the address set beside it is still known as our own (D19)."""
    desk = await open_desk(pipeline, username=r"OOSTERDAM\desk")
    content = written(Mail(sender="{desk}"), {"desk": desk.address, "contact": ""})
    assert (await pipeline.outcome(pipeline.drop(content, desk.name)))["outcome"] == "quarantine"
