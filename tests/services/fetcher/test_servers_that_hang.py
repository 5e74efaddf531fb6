"""A mail server that does not answer: what the mailboxes at the others notice of it, and how its own come back."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from services.fetcher import open_mailboxes
from services.fetcher.__main__ import FetcherConfiguration
from services.fetcher.mailboxes import registry
from services.fetcher.mailboxes.protocol import Mailbox, MailboxAccess, MailboxUnreachable, MailReference
from tests.services.fetcher.harness import ENCRYPTION, LEASE, Desk, Faulty, Fetching, fetcher, mail, minutes_ago
from tests.shared.broker.harness import eventually

PLACES: int = FetcherConfiguration.model_fields["workers"].default


class DeadServer:
    """An IMAP server as the settings tell, behind which lie Maildirs; and what becomes of a look into them."""

    NAME = "imap.dead.example"

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder = folder
        self._behind: dict[str, MailboxAccess] = {}
        self.looks = 0
        self.silent = False
        self.back = asyncio.Event()
        monkeypatch.setattr(open_mailboxes, "open_mailbox", self._open)

    async def desks(self, like: Desk, count: int, *, interval: int = 30) -> list[Desk]:
        """Helpdesks with a mail each at this server."""
        made = []
        secret = ENCRYPTION.public.seal(SecretStr("Welkom-01"))
        for n in range(count):
            name = f"dead {n}"
            desk = await Desk.make(
                name, self._folder, database=like.database, vhost=like.vhost, owner=like.owner, queues=like.queues
            )
            await desk.set(enabled=False, kind="imap", server=self.NAME, folder=name)
            await desk.set(username=name, password_encrypted=secret, check_interval_seconds=interval, enabled=True)
            desk.post_office.deliver(mail(f"Aan de dode server {n}"), minutes_ago(1))
            self._behind[name] = desk.post_office.access
            made.append(desk)
        return made

    async def _open(self, access: MailboxAccess) -> Mailbox:
        if access.server == self.NAME:
            return _AtDeadServer(await registry.open_mailbox(self._behind[access.folder]), self)
        return await registry.open_mailbox(access)


class _AtDeadServer(Faulty):
    def __init__(self, mailbox: Mailbox, server: DeadServer) -> None:
        super().__init__(mailbox)
        self._server = server

    async def unread(self, page_size: int) -> AsyncIterator[tuple[MailReference, ...]]:
        self._server.looks += 1
        if self._server.silent:
            await self._server.back.wait()
        if not self._server.back.is_set():
            raise MailboxUnreachable("De mailserver antwoordt niet.")
        async for page in self.mailbox.unread(page_size):
            yield page


async def test_a_server_that_hangs_keeps_no_mailbox_at_another_waiting(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All places are taken by checks that stand still when the other mailbox has its turn."""
    dead = DeadServer(tmp_path / "dead", monkeypatch)
    dead.silent = True
    await desk.set(enabled=False)
    desks = await dead.desks(desk, PLACES + 5)
    desk.post_office.deliver(mail("Aan een server die antwoordt"), minutes_ago(1))

    async def all_places_are_taken() -> bool:
        return dead.looks >= PLACES

    async def taken_in(count: int) -> bool:
        return await desk.queues.count("mail.raw") == count

    async with fetcher(desk):
        await eventually(all_places_are_taken)
        await desk.set(enabled=True)
        await eventually(lambda: taken_in(1))
        assert [(await each.state())["last_check_at"] for each in desks] == [None] * len(desks)
        assert dead.looks == PLACES, "no more wait for a server that does not answer"
        dead.back.set()
        await eventually(lambda: taken_in(1 + len(desks)))


async def test_when_a_server_answers_again_all_its_mailboxes_have_their_turn(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = DeadServer(tmp_path / "dead", monkeypatch)
    desks = await dead.desks(desk, 6, interval=86400)

    async def all_failed() -> bool:
        return all([(await each.state())["failed_checks"] for each in desks])

    async def all_taken_in() -> bool:
        return await desk.queues.count("mail.raw") == len(desks)

    async with fetcher(desk):
        await eventually(all_failed)
        dead.back.set()
        await desk.owner.execute(
            "UPDATE mailbox_states SET next_check_at = now() WHERE helpdesk_id = $1", desks[3].helpdesk_id
        )
        await eventually(all_taken_in)
    assert [(await each.state())["problem"] for each in desks] == [None] * len(desks)


async def test_who_waits_for_another_server_or_was_told_to_wait_goes_on_waiting(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unreachable, throttled = await DeadServer(tmp_path / "dead", monkeypatch).desks(desk, 2)
    await desk.owner.execute(
        "UPDATE mailbox_states SET next_check_at = now() + interval '9 minutes', problem = 'Wacht.',"
        " problem_kind = CASE WHEN helpdesk_id = $1 THEN 'throttled' ELSE 'unreachable' END, problem_since = now()",
        throttled.helpdesk_id,
    )
    async with Fetching.on(desk) as parts:
        await parts.mailboxes.wake("imap imap.other.example")
        assert await parts.mailboxes.claim(LEASE, 10) == []
        await parts.mailboxes.wake(f"imap {DeadServer.NAME}")
        (claimed,) = await parts.mailboxes.claim(LEASE, 10)
        assert claimed.helpdesk_id == unreachable.helpdesk_id
        await parts.mailboxes.release([claimed.helpdesk_id])
        assert await parts.mailboxes.claim(LEASE, 10, full=[claimed.server]) == []
