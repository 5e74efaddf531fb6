"""What happens to a mail once it is taken in: it is marked read, and moved or deleted after its outcome.

New mail never waits for that. What cannot be done now rests, longer each time, and people read why; meanwhile the
mailbox is checked and watched as ever.

    trouble                                   what follows
    one mail cannot be marked, moved          the others go on; it is tried again after the pause
    a whole window cannot                     all of it rests (a right is missing, a quota is full)
    it takes longer than LONGEST, or SHARE    the rest comes after a look for new mail
    the login is refused, the server asks     the check fails: that is trouble of the mailbox as a whole
    to be left alone
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import timedelta
from typing import Final

from services.fetcher.concurrently import attempt_all
from services.fetcher.mailboxes.protocol import (
    LoginRefused,
    Mailbox,
    MailboxUnreachable,
    MailReference,
    SecretUnreadable,
)
from services.fetcher.repository.ledger import Ledger
from services.fetcher.repository.mailboxes import ClaimedMailbox
from services.fetcher.rules.batches import WINDOW
from shared.errors import TryAgain
from shared.messages import MailId

SHARE: Final = 500
"""Mails that a check marks and moves at most, besides those that it takes in."""
LONGEST: Final = timedelta(minutes=1)
"""How long a check does so; a server that hangs here keeps new mail waiting no longer than that."""

Waiting = Callable[[ClaimedMailbox, int, Collection[MailId]], Awaitable[dict[MailId, MailReference]]]
Act = Callable[[MailReference], Awaitable[None]]
Record = Callable[[Sequence[MailId]], Awaitable[None]]


class Stopped(Exception):
    """The process is stopping; what is left is for the next check."""


class AfterImportTooSlow(MailboxUnreachable):
    """Nothing was done within LONGEST."""

    def __init__(self) -> None:
        super().__init__(
            f"De mailserver was na {LONGEST.total_seconds():.0f} seconden nog niet klaar: laat de beheerder van de "
            "mailserver nagaan waarom."
        )


class AfterImport:
    """What one check of `claimed` does with mails that are taken in, through the open `mailbox`.

    Its methods raise LoginRefused, MailboxUnreachable with a time to wait, TryAgain, or Stopped when told to stop.
    """

    def __init__(self, claimed: ClaimedMailbox, mailbox: Mailbox, ledger: Ledger, stop: asyncio.Event) -> None:
        self._claimed = claimed
        self._mailbox = mailbox
        self._ledger = ledger
        self._stop = stop
        self._window_failed = False
        self.done = 0
        """Mails that were moved or deleted, or marked later than they were taken in."""
        self.trouble: Exception | None = None
        """The first that went wrong."""
        self.more = False
        """There is more to do, and nothing against it but that new mail is looked for first."""
        self.tried = False
        """It did not rest, and all new mail was taken in."""
        self.got_on_at = 0.0
        """When the mailbox last did what it was asked for here (monotonic)."""

    async def mark_new(self, mails: dict[MailId, MailReference]) -> None:
        """Mark mails that were just taken in; those that cannot be marked are left for later."""
        if mails and not self._window_failed:
            await self._attempt(mails, self._mailbox.mark_read, self._record_marked)

    async def catch_up(self) -> None:
        """Mark what a crash, or a refusal, left unmarked; move or delete what has its outcome, where settings say so.

        Much of it is no longer listed, since it is read already.
        """
        if self._claimed.after_import_standing.rests:
            return
        self.tried, self.trouble, self._window_failed = True, None, False  # what could not be marked is tried again
        try:
            async with asyncio.timeout(LONGEST.total_seconds()) as deadline:
                await self._work_off(self._ledger.to_mark, self._mailbox.mark_read, self._record_marked)
                if self._claimed.after_import != "mark-read":
                    await self._work_off(self._ledger.to_act_on, self._file, self._ledger.acted)
        except TimeoutError:
            if not deadline.expired():
                raise
            if self.done:
                self.more = True
            else:
                self.trouble = self.trouble or AfterImportTooSlow()

    async def _work_off(self, waiting: Waiting, act: Act, record: Record) -> None:
        failed: list[MailId] = []
        while not self._window_failed and (mails := await waiting(self._claimed, WINDOW, failed)):
            if self._stop.is_set():
                raise Stopped
            if self.done >= SHARE:
                self.more = True
                return
            failed += await self._attempt(mails, act, record)
            self.done += len(mails.keys() - set(failed))

    async def _attempt(self, mails: dict[MailId, MailReference], act: Act, record: Record) -> list[MailId]:
        """Do this with all of them, and record with which it was done; the others."""
        attempts = await attempt_all(list(mails), lambda identity: act(mails[identity]))
        if attempts.done:
            self.got_on_at = time.monotonic()
            await record([identity for identity, _ in attempts.done])
        self._window_failed = not attempts.done
        for _, error in attempts.failed:
            if _is_of_the_mailbox(error):
                raise error
            self.trouble = self.trouble or error
        return [identity for identity, _ in attempts.failed]

    async def _record_marked(self, mails: Sequence[MailId]) -> None:
        await self._ledger.marked_read(mails, final=self._claimed.after_import == "mark-read")

    async def _file(self, mail: MailReference) -> None:
        if self._claimed.after_import == "delete":
            await self._mailbox.delete(mail)
        else:
            await self._mailbox.move(mail, self._claimed.after_import_folder or "")


def _is_of_the_mailbox(error: Exception) -> bool:
    """Whether it would be the same with whatever else is asked of the mailbox."""
    asked_to_wait = isinstance(error, MailboxUnreachable) and error.after is not None
    return asked_to_wait or isinstance(error, LoginRefused | SecretUnreadable | TryAgain)
