"""Mailboxes stay open between two checks: logging in once, and watching for new mail meanwhile.

Each is watched by the fetcher that checked it last; where several fetchers did, any of them may notice new mail, and
the lease decides who checks. What is open here is no state that others need: polling finds every mail without it.

Where a server allows fewer connections than there are mailboxes, they take turns: the one that was looked into the
longest ago is closed for the next. Those that are closed are polled.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog

from services.fetcher.connection_limits import ConnectionLimits, Holder, holders
from services.fetcher.mailboxes.protocol import Mailbox, MailboxError, SecretUnreadable, TooManyConnections
from services.fetcher.mailboxes.registry import open_mailbox
from services.fetcher.repository.mailboxes import ClaimedMailbox
from services.fetcher.rules.polling import next_poll
from shared.errors import TryAgain

TRY_AGAIN_SECONDS: Final = 0.2
"""The pause before a connection is asked for again whose place a server did not yet notice to be free."""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Open:
    mailbox: Mailbox
    settings_version: int
    holders: Collection[Holder]
    """Among whose connections its own counts."""
    watching: asyncio.Task[None] | None = None
    pause: timedelta | None = None
    """Before the look that comes next, where nothing tells of new mail."""


class NoRoom(Exception):
    """Its server allows no more connections now, and all that it allows are in use for checks: the next turn."""


class OpenMailboxes:
    """The mailboxes that this process has open, by helpdesk. `changed` is awaited when one of them got new mail."""

    def __init__(self, changed: Callable[[int], Awaitable[None]]) -> None:
        self._changed = changed
        self._open: dict[int, _Open] = {}
        """Those that were looked into the longest ago first."""
        self._opening: list[Collection[Holder]] = []
        self._limits = ConnectionLimits()

    @property
    def settings_versions(self) -> Mapping[int, int]:
        """The open mailboxes, each with the version of the settings that it was opened with."""
        return {helpdesk_id: opened.settings_version for helpdesk_id, opened in self._open.items()}

    async def take(self, claimed: ClaimedMailbox) -> Mailbox:
        """The mailbox, for a check: the open one, or a new one when there is none with these settings.

        It is not watched while it is checked. Raises MailboxError, NoRoom.
        """
        opened = self._open.get(claimed.helpdesk_id)
        if opened is not None and opened.settings_version == claimed.settings_version:
            watching, opened.watching = opened.watching, None  # in use from now on: nobody closes it to make room
            self._open[claimed.helpdesk_id] = self._open.pop(claimed.helpdesk_id)
            await _cancel(watching)
            return opened.mailbox
        await self.close(claimed.helpdesk_id)
        if claimed.unreadable_secret:
            raise SecretUnreadable
        ours = holders(claimed)
        self._opening.append(ours)
        try:
            for holder in ours:
                await self._make_room(holder)
            mailbox = await self._opened(claimed)
        except TooManyConnections as refusal:
            others = Counter(holder for each in self._held() for holder in each)
            others.subtract(ours)
            if self._limits.refused(claimed, refusal, others):
                log.warning("connections_at_their_limit", problem=str(refusal))
                raise NoRoom from refusal
            raise
        finally:
            self._opening.remove(ours)
        self._open[claimed.helpdesk_id] = _Open(mailbox, claimed.settings_version, ours)
        return mailbox

    async def _opened(self, claimed: ClaimedMailbox) -> Mailbox:
        while True:
            try:
                return await open_mailbox(claimed.access)
            except TooManyConnections:
                if not self._limits.may_be_unnoticed(claimed):
                    raise
            await asyncio.sleep(TRY_AGAIN_SECONDS)

    def _held(self) -> Iterator[Collection[Holder]]:
        yield from self._opening
        for opened in self._open.values():
            yield opened.holders

    async def _make_room(self, holder: Holder) -> None:
        """Close those that wait for nothing but new mail, until no more are held than the server allows."""
        limit = self._limits.of(holder)
        while limit is not None and sum(holder in each for each in self._held()) > limit:
            idle = (
                helpdesk_id
                for helpdesk_id, opened in self._open.items()
                if holder in opened.holders and opened.watching is not None
            )
            if (longest_ago := next(idle, None)) is None:
                raise NoRoom
            await self.close(longest_ago)
            self._limits.closed(holder)

    def pause(self, claimed: ClaimedMailbox, *, arrived: bool) -> timedelta:
        """How long until the next look into this mailbox, which was just looked into; `arrived`: it had new mail."""
        opened = self._open[claimed.helpdesk_id]
        if opened.mailbox.notifies:
            return claimed.check_interval
        opened.pause = next_poll(claimed.check_interval, last_pause=opened.pause, arrived=arrived)
        return opened.pause

    def watch(self, helpdesk_id: int) -> None:
        """The check is done: notice new mail until the next one, and what arrived since the check began."""
        opened = self._open[helpdesk_id]
        opened.watching = asyncio.create_task(
            self._watch(helpdesk_id, opened.mailbox), name=f"watch mailbox {helpdesk_id}"
        )

    async def close(self, helpdesk_id: int) -> None:
        """Close a mailbox, if it is open."""
        opened = self._open.pop(helpdesk_id, None)
        if opened is not None:
            await _cancel(opened.watching)
            with contextlib.suppress(MailboxError):
                await opened.mailbox.close()

    async def close_all(self, *, but: Collection[int] = ()) -> None:
        """Close all mailboxes except these."""
        for helpdesk_id in [each for each in self._open if each not in but]:
            await self.close(helpdesk_id)

    async def _watch(self, helpdesk_id: int, mailbox: Mailbox) -> None:
        try:
            await mailbox.wait_for_change()
            await self._changed(helpdesk_id)
        except (MailboxError, TryAgain) as error:
            log.warning("mailbox_watch_ended", helpdesk_id=helpdesk_id, error=str(error))


async def _cancel(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        task.cancel()
        await asyncio.wait([task])
