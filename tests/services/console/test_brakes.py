"""Brakes: what a person stops stays stopped until he lets it go, and the audit log has it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, Protocol

import pytest

from services.console import progress
from services.console.idle import Situation
from services.fetcher.repository.mailboxes import MailboxRepository
from services.notifier.notification import Written
from services.notifier.repository import Repository
from shared.standing import recorded
from tests.databases import Database
from tests.services.notifier.house import House, keyring


class CommandLine(Protocol):
    """The fixture `importer`."""

    async def says(self, *arguments: str, code: int = 0) -> str: ...

    async def answers(self, *arguments: str, code: int = 0) -> Any: ...


@pytest.fixture
async def house(database: Database) -> AsyncIterator[House]:
    async with House.of(database) as house:
        yield house


async def due(house: House) -> Any:
    """A planned mail that a sweep takes."""
    notification = await house.plan()
    await house.pass_time(timedelta(minutes=3))
    return notification


@pytest.mark.parametrize("whose", [(), ("--helpdesk", "ICT")], ids=["all", "one helpdesk"])
async def test_held_mail_waits_until_it_is_released(
    importer: CommandLine, house: House, whose: tuple[str, ...]
) -> None:
    notification = await due(house)
    await importer.says("notifications", "hold", *whose, "--reason", "proef")
    [held] = await importer.answers("notifications", "held")
    assert (held["helpdesk"], held["reason"], held["mails"]) == ("ICT" if whose else None, "proef", 1)
    async with house.notifier() as notifier:
        assert await notifier.sweep() == 0
        await notifier.deliver([notification])
        assert (await house.row(notification))["tries"] == 0
        assert "is held already" in await importer.says("notifications", "hold", *whose, code=1)
        await importer.says("notifications", "release", *whose)
        assert await notifier.sweep() == 1


async def test_the_mail_of_another_helpdesk_goes_on(importer: CommandLine, house: House) -> None:
    await due(house)
    await house.owner.execute("INSERT INTO helpdesks (id, name, calendar_id) VALUES (2, 'HR', 1)")
    await importer.says("notifications", "hold", "--helpdesk", "HR")
    async with house.notifier() as notifier:
        assert await notifier.sweep() == 1


async def test_held_mail_is_discarded_with_a_reason_and_other_mail_is_not(importer: CommandLine, house: House) -> None:
    notification = await due(house)
    before = await house.owner.fetchval("SELECT coalesce(max(id), 0) FROM audit_log")
    nothing = await importer.says("notifications", "discard", "--all", "--reason", "x")
    assert nothing == "No such mail is held; nothing was changed.\n"
    await importer.says("notifications", "hold")
    assert (
        await importer.says("notifications", "discard", str(notification), "--reason", "proefmail")
        == "1 mail discarded.\n"
    )
    row = await house.row(notification)
    assert (row["state"], row["reason"]) == ("not-sent", "discarded-by-person")
    logged = await house.owner.fetch("SELECT deed, thing, after FROM audit_log WHERE id > $1 ORDER BY id", before)
    assert {entry["deed"] for entry in logged if entry["thing"] == "notifications"} == {"discarded"}
    assert [entry for entry in logged if "proefmail" in str(entry["after"])]
    assert ("added", "outgoing_holds") in [(entry["deed"], entry["thing"]) for entry in logged]


async def test_a_paused_mailbox_is_taken_up_by_no_fetcher_until_it_is_resumed(
    importer: CommandLine, house: House, database: Database
) -> None:
    await house.owner.execute(
        "UPDATE importer_settings SET enabled = true, default_contact_id = 1, default_employee_id = 1"
    )
    await importer.says("importer", "pause", "ICT", "--reason", "verhuizing")
    async with database.pool("fetcher") as pool:
        mailboxes = MailboxRepository(pool, "fetcher", keyring())
        assert await mailboxes.claim(timedelta(minutes=1), 10) == []
        await importer.says("importer", "resume", "ICT")
        assert [claimed.helpdesk_id for claimed in await mailboxes.claim(timedelta(minutes=1), 10)] == [1]
    assert "is not paused" in await importer.says("importer", "resume", "ICT", code=1)


async def test_a_paused_mailbox_is_silent_and_no_run_waits_for_it(
    importer: CommandLine, house: House, database: Database
) -> None:
    await house.owner.execute(
        "UPDATE importer_settings SET enabled = true, default_contact_id = 1, default_employee_id = 1"
    )
    async with database.pool("fetcher") as pool:
        mailboxes = MailboxRepository(pool, "fetcher", keyring())
        assert [state.helpdesk_id for state in await mailboxes.states()] == [1]
        await importer.says("importer", "pause", "ICT")
        assert await mailboxes.states() == []
    paused = tuple(await recorded.mailboxes(house.owner))
    unfinished = await recorded.unfinished(house.owner)
    assert list(Situation(await recorded.now(house.owner), paused, unfinished, (), {}).waits()) == []


async def test_a_check_of_a_mailbox_that_is_paused_loses_its_lease(
    importer: CommandLine, house: House, database: Database
) -> None:
    await house.owner.execute(
        "UPDATE importer_settings SET enabled = true, default_contact_id = 1, default_employee_id = 1"
    )
    async with database.pool("fetcher") as pool:
        mailboxes = MailboxRepository(pool, "fetcher", keyring())
        [claimed] = await mailboxes.claim(timedelta(minutes=1), 10)
        held = {claimed.helpdesk_id: claimed.generation}
        assert await mailboxes.renew(timedelta(minutes=1), held) == {1}
        await importer.says("importer", "pause", "ICT")
        assert await mailboxes.renew(timedelta(minutes=1), held) == set()
        await importer.says("importer", "resume", "ICT")
        assert await MailboxRepository(pool, "other", keyring()).claim(timedelta(minutes=1), 10) == []


async def test_held_mail_is_not_due_and_no_run_waits_for_it(importer: CommandLine, house: House) -> None:
    await due(house)
    assert (await recorded.unfinished(house.owner)).mails_due == 1
    await importer.says("notifications", "hold")
    unfinished = await recorded.unfinished(house.owner)
    assert (unfinished.mails_due, unfinished.mails_later) == (0, 1)
    assert await progress.mails_due(house.owner, 5) == []


async def test_mail_in_hand_is_not_discarded_and_what_was_sent_after_all_is_recorded_so(
    importer: CommandLine, house: House, database: Database
) -> None:
    notification = await due(house)
    async with database.pool("notifier") as pool:
        notifier = Repository(pool, "slow")
        [claimed] = await notifier.claim_due(1)
        await notifier.keep_written([(claimed.id, Written("<1@desk.example>", "Onderwerp", b"mail"))])
        await importer.says("notifications", "hold")
        discard = ("notifications", "discard", "--all", "--reason", "x")
        assert await importer.says(*discard) == "No such mail is held; nothing was changed.\n"
        await house.owner.execute("UPDATE notifications SET lease_until = now() - interval '1 second'")
        assert await importer.says(*discard) == "1 mail discarded.\n"
        await notifier.record_sent([(notification, "250 taken")])
    row = await house.row(notification)
    assert (row["state"], row["reason"]) == ("sent", None)
