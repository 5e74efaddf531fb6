"""What goes wrong after the import (marking, moving, deleting) never delays new mail, on real servers."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
from prometheus_client import REGISTRY

from services.fetcher import after_import, open_mailboxes
from services.fetcher.mailboxes import registry
from services.fetcher.mailboxes.protocol import (
    AccessDenied,
    LoginRefused,
    Mailbox,
    MailboxAccess,
    MailboxUnreachable,
    MailReference,
)
from services.fetcher.rules.batches import WINDOW
from tests.services.fetcher.harness import LEASE, Desk, Faulty, Fetching, fetcher, mail, minutes_ago
from tests.shared.broker.harness import eventually


class NoRights(Faulty):
    """Rights to read, and no others."""

    async def mark_read(self, mail: MailReference) -> None:
        del mail
        raise AccessDenied("De login mag niets wijzigen.")

    async def move(self, mail: MailReference, folder: str) -> None:
        del mail
        raise AccessDenied(f"De login mag niets naar «{folder}» verplaatsen.")


class Full(Faulty):
    """The target has no room."""

    async def move(self, mail: MailReference, folder: str) -> None:
        del mail
        raise MailboxUnreachable(f"De map «{folder}» is vol.")


class Hangs(Faulty):
    """The server answers everything but this."""

    async def move(self, mail: MailReference, folder: str) -> None:
        del mail, folder
        await asyncio.Event().wait()


class Buggy(Faulty):
    """A bug of ours."""

    async def move(self, mail: MailReference, folder: str) -> None:
        raise ZeroDivisionError(mail, folder)


def opened_through(monkeypatch: pytest.MonkeyPatch, fault: Callable[[Mailbox], Mailbox]) -> None:
    async def open_faulty(access: MailboxAccess) -> Mailbox:
        return fault(await registry.open_mailbox(access))

    monkeypatch.setattr(open_mailboxes, "open_mailbox", open_faulty)


async def a_mail_to_move(desk: Desk) -> None:
    """One of two mails has an outcome after which it is to be moved."""
    await desk.set(after_import_folder="Archief")
    await desk.set(after_import="move")
    key, _ = [desk.post_office.deliver(mail(f"{n}"), minutes_ago(9 - n)) for n in range(2)]
    async with Fetching.on(desk) as parts:
        await parts.check()
    await desk.conclude("duplicate", key)
    await desk.messages()


@pytest.mark.parametrize("fault", [NoRights, Full, Hangs, Buggy])
async def test_new_mail_is_noticed_and_imported_while_nothing_can_be_moved(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, fault: type[Faulty]
) -> None:
    monkeypatch.setattr(after_import, "LONGEST", timedelta(seconds=0.5))
    await a_mail_to_move(desk)
    await desk.set(check_interval_seconds=86400)
    opened_through(monkeypatch, fault)

    async def tells_of_it() -> bool:
        return bool((await desk.state())["problem_kind"] == "after-import")

    async with fetcher(desk):
        await eventually(tells_of_it)
        for count in (1, 2):
            desk.post_office.deliver(mail(f"nieuw {count}"), minutes_ago(0))
            await eventually(lambda: in_queue(desk, count))  # noqa: B023 - awaited at once
        await eventually(lambda: all_published(desk))
    state = await desk.state()
    assert (state["failed_checks"], state["after_import_failures"]) == (0, 1)
    assert state["last_successful_check_at"] == state["last_check_at"]
    assert state["problem"].startswith("Nieuwe mail komt binnen, maar")
    assert state["problem"].endswith(state["after_import_problem"])


async def in_queue(desk: Desk, count: int) -> bool:
    return await desk.queues.count("mail.raw") == count


async def all_published(desk: Desk) -> bool:
    return all(row["published_at"] for row in await desk.rows())


async def standing(desk: Desk) -> tuple[int, float | None]:
    """Failures in a row, and the pause after the last in minutes."""
    state = await desk.state()
    resumes_at = state["after_import_resumes_at"]
    pause = None if resumes_at is None else (resumes_at - state["last_check_at"]).total_seconds() / 60
    return state["after_import_failures"], pause


async def checked_again(desk: Desk, *, rested: bool) -> None:
    """The fetcher has checked once more."""
    before = (await desk.state())["last_check_at"]
    if rested:
        await desk.owner.execute("UPDATE mailbox_states SET after_import_resumes_at = now()")
    await desk.owner.execute("UPDATE mailbox_states SET next_check_at = '-infinity'")

    async def later() -> bool:
        return bool((await desk.state())["last_check_at"] != before)

    await eventually(later)


async def test_pauses_grow_are_kept_by_other_checks_and_end_when_it_goes_well(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[MailReference] = []
    broken = True

    class Full(Faulty):
        async def move(self, mail: MailReference, folder: str) -> None:
            tries.append(mail)
            if broken:
                raise MailboxUnreachable("De map is vol.")
            await self.mailbox.move(mail, folder)

    await a_mail_to_move(desk)
    await desk.set(check_interval_seconds=86400)
    opened_through(monkeypatch, Full)
    label = {"helpdesk_id": str(desk.helpdesk_id), "kind": "AfterImport"}
    counted = REGISTRY.get_sample_value("importer_mailbox_failures_total", label) or 0
    await desk.owner.execute("UPDATE mailbox_states SET last_check_at = NULL")
    async with fetcher(desk):

        async def failed() -> bool:
            state = await desk.state()
            return bool(state["after_import_failures"] == 1 and state["last_check_at"])

        await eventually(failed)
        await checked_again(desk, rested=False)
        assert len(tries) == 1
        assert (await desk.state())["problem_kind"] == "after-import"
        for failures, minutes in ((2, 2), (3, 4)):
            await checked_again(desk, rested=True)
            assert (await standing(desk))[0] == failures
            assert minutes <= ((await standing(desk))[1] or 0) + 0.1 <= 1.3 * minutes
        await desk.set(marker="===")  # somebody changed the settings: it is tried at once
        await checked_again(desk, rested=False)
        assert (await standing(desk))[0] == len(tries) == 4
        broken = False
        await checked_again(desk, rested=True)
    assert await standing(desk) == (0, None)
    assert (await desk.state())["problem"] is None
    assert len(desk.post_office.contents("Archief")) == 1
    assert REGISTRY.get_sample_value("importer_mailbox_failures_total", label) == counted + 4


async def test_mails_that_cannot_be_moved_keep_no_other_from_being_moved(desk: Desk, fetching: Fetching) -> None:
    await desk.set(after_import_folder="Archief")
    await desk.set(after_import="move")
    keys = [desk.post_office.deliver(mail(f"{n}"), minutes_ago(200 - n)) for n in range(WINDOW + 7)]
    await fetching.check()
    for key in keys[:-1]:
        await desk.conclude("duplicate", key)
    stuck = keys[: WINDOW - 1]

    class ManyStuck(Faulty):
        async def move(self, mail: MailReference, folder: str) -> None:
            if mail.key in stuck:
                raise MailboxUnreachable("Deze mail wil niet.")
            await self.mailbox.move(mail, folder)

    went = (await fetching.whole_check(ManyStuck)).after_import
    assert (went.done, str(went.trouble)) == (WINDOW + 6 - len(stuck), "Deze mail wil niet.")
    assert len(desk.post_office.contents("Archief")) == went.done


@pytest.mark.parametrize(
    "error",
    [LoginRefused("Het wachtwoord klopt niet."), MailboxUnreachable("Wacht even.", after=timedelta(minutes=5))],
    ids=["login refused", "asked to wait"],
)
async def test_trouble_of_the_mailbox_as_a_whole_ends_the_check(
    desk: Desk, fetching: Fetching, error: Exception
) -> None:
    class Whole(Faulty):
        async def mark_read(self, mail: MailReference) -> None:
            del mail
            raise error

    desk.post_office.deliver(mail("een"), minutes_ago(1))
    with pytest.raises(type(error)):
        await fetching.check(Whole)


async def test_much_to_be_moved_gives_way_to_new_mail(
    desk: Desk, fetching: Fetching, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(after_import, "SHARE", WINDOW)
    await desk.set(after_import="delete")
    keys = [desk.post_office.deliver(mail(f"{n}"), minutes_ago(300 - n)) for n in range(2 * WINDOW + 2)]
    await fetching.check()
    for key in keys[:-1]:
        await desk.conclude("duplicate", key)
    went: list[tuple[int, bool]] = []
    for _ in range(3):
        check = await fetching.whole_check()
        went.append((check.after_import.done, check.after_import.more))
    assert went == [(WINDOW, True), (WINDOW, True), (1, False)]


async def test_what_rests_is_not_tried_and_a_new_mail_is(desk: Desk, fetching: Fetching) -> None:
    calls: list[str] = []

    class Noting(Faulty):
        async def mark_read(self, mail: MailReference) -> None:
            calls.append(mail.key)
            raise AccessDenied("Geen rechten.")

    old = desk.post_office.deliver(mail("oud"), minutes_ago(2))
    (claimed,) = await fetching.mailboxes.claim(LEASE, 1)
    first = await fetching.whole_check(Noting, claimed=claimed)
    assert calls == [old, old]  # as it came, and at the end
    assert first.after_import.tried
    await desk.owner.execute(
        "UPDATE mailbox_states SET after_import_failures = 1, after_import_resumes_at = now() + interval '1 minute',"
        " after_import_problem = 'Geen rechten.', after_import_settings_version ="
        " (SELECT row_version FROM importer_settings), lease_until = now()"
    )
    new = desk.post_office.deliver(mail("nieuw"), minutes_ago(1))
    second = await fetching.whole_check(Noting)
    assert calls[2:] == [new]
    assert not second.after_import.tried
