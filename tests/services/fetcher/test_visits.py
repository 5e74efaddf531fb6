"""How long a mailbox is looked into that nobody imports from meanwhile: as long as it gives something."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from services.fetcher.mailbox_check import GotOn, visit
from services.fetcher.mailboxes.protocol import Mailbox, MailboxAccess, MailboxUnreachable
from services.fetcher.repository.trial import MailboxToTry
from services.fetcher.rules.backlog import BacklogRule
from shared.database.pool import Pool

PATIENCE = 300.0


@pytest.fixture
def tried(tmp_path: Path) -> MailboxToTry:
    """An empty Maildir."""
    for part in ("new", "cur", "tmp"):
        (tmp_path / part).mkdir()
    now = datetime.now(UTC)
    return MailboxToTry(
        helpdesk_id=1,
        access=MailboxAccess("maildir", str(tmp_path)),
        login=None,
        unreadable_secret=False,
        kind_is_chosen=False,
        problem=None,
        problem_since=None,
        read_mail_from=None,
        generation=1,
        at=now,
        old_mail=BacklogRule.at(now, import_from=None, old_mail_days=7, limit=100),
    )


class Clock:
    """A loop's clock, which a test puts forward."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._ahead = 0.0
        self._of_the_loop = loop.time

    def __call__(self) -> float:
        return self._of_the_loop() + self._ahead

    async def pass_(self, seconds: float) -> None:
        """Let so many seconds be over, and what is due by then be done."""
        self._ahead += seconds
        for _turn_of_the_loop in range(3):
            await asyncio.sleep(0)


def visited(tried: MailboxToTry, look: Callable[[Clock, GotOn], Awaitable[None]]) -> None:
    """Look into the mailbox, in a loop whose clock is the test's."""

    async def visiting() -> None:
        loop = asyncio.get_running_loop()
        clock = Clock(loop)
        cast(Any, loop).time = clock

        async def look_into(_: Mailbox, got_on: GotOn) -> None:
            await look(clock, got_on)

        await visit(cast(Pool, None), tried, look_into, within=PATIENCE)

    asyncio.run(visiting())


def test_a_mailbox_that_goes_on_giving_may_take_as_long_as_it_likes(tried: MailboxToTry) -> None:
    async def look(clock: Clock, got_on: GotOn) -> None:
        for _page in range(10):
            await clock.pass_(PATIENCE * 0.8)
            got_on()

    visited(tried, look)


def test_a_mailbox_that_stands_still_is_given_up(tried: MailboxToTry) -> None:
    async def look(clock: Clock, got_on: GotOn) -> None:
        got_on()
        await clock.pass_(PATIENCE * 1.2)

    with pytest.raises(MailboxUnreachable, match="binnen 300 seconden"):
        visited(tried, look)
