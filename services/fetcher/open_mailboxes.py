"""Mailboxes stay open between two checks: logging in once, and watching for new mail meanwhile.

Each is watched by the fetcher that checked it last; where several fetchers did, any of them may notice new mail, and
the lease decides who checks. What is open here is no state that others need: polling finds every mail without it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta

import structlog

from services.fetcher.mailboxes.protocol import Mailbox, MailboxError, SecretUnreadable
from services.fetcher.mailboxes.registry import open_mailbox
from services.fetcher.repository.mailboxes import ClaimedMailbox
from services.fetcher.rules.polling import next_poll
from shared.errors import TryAgain

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Open:
    mailbox: Mailbox
    settings_version: int
    watching: asyncio.Task[None] | None = None
    pause: timedelta | None = None
    """Before the look that comes next, where nothing tells of new mail."""


class OpenMailboxes:
    """The mailboxes that this process has open, by helpdesk. `changed` is awaited when one of them got new mail."""

    def __init__(self, changed: Callable[[int], Awaitable[None]]) -> None:
        self._changed = changed
        self._open: dict[int, _Open] = {}

    @property
    def settings_versions(self) -> Mapping[int, int]:
        """The open mailboxes, each with the version of the settings that it was opened with."""
        return {helpdesk_id: opened.settings_version for helpdesk_id, opened in self._open.items()}

    async def take(self, claimed: ClaimedMailbox) -> Mailbox:
        """The mailbox, for a check: the open one, or a new one when there is none with these settings.

        It is not watched while it is checked. Raises MailboxError.
        """
        opened = self._open.get(claimed.helpdesk_id)
        if opened is not None and opened.settings_version == claimed.settings_version:
            await _cancel(opened.watching)
            opened.watching = None
            return opened.mailbox
        await self.close(claimed.helpdesk_id)
        if claimed.unreadable_secret:
            raise SecretUnreadable
        mailbox = await open_mailbox(claimed.access)
        self._open[claimed.helpdesk_id] = _Open(mailbox, claimed.settings_version)
        return mailbox

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
