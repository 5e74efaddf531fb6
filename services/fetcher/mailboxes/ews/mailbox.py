"""A mailbox on an Exchange server of one's own (2007 SP1 to Subscription Edition), over EWS: the mailbox kind `ews`.

`server` is a host, `host:port` or URL; `folder` INBOX, or a path like `Facturen/2026`. Without `address` it is the
login's own mailbox; with one, a mailbox to which the login has full access, or which it may impersonate. The key of a
mail is its ItemId. There are no notifications: a poll is one request, and the mailbox itself is the state.

What blocks runs in threads of its own (at most 32), one at a time for a mailbox. Docs: docs/exchange.md; why it is done
so: docs/decisions/exchange-web-services.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from typing import BinaryIO, Final, Self, TypeVar
from urllib.parse import urlsplit

from services.fetcher.mailboxes.ews.connection import PATIENCE, EwsConnection, Patience, ews_url
from services.fetcher.mailboxes.ews.errors import Place
from services.fetcher.mailboxes.ews.folder import EwsFolder
from services.fetcher.mailboxes.ews.session import EwsSession
from services.fetcher.mailboxes.ews.together import SMALL_BYTES, ToFetch
from services.fetcher.mailboxes.protocol import (
    Arrivals,
    ItemKey,
    LoginRefused,
    MailboxAccess,
    MailboxError,
    MailboxHealth,
    MailboxMissing,
    MailboxUnreachable,
    MailError,
    MailReference,
)
from services.fetcher.mailboxes.trusting import tls_context
from shared import dialogue
from shared.batches import Batches

AT_ONCE: Final = 20
"""Mails in one request."""
THREADS: Final = 32
"""For all mailboxes of this process."""

_threads: Final = ThreadPoolExecutor(THREADS, thread_name_prefix="ews")

T = TypeVar("T")


class EwsMailbox:
    """An open folder of an Exchange mailbox; a `Mailbox`."""

    def __init__(self, connection: EwsConnection, folder: EwsFolder, patience: Patience) -> None:
        self._connection = connection
        self._folder = folder
        self._patience = patience
        self._turn = asyncio.Lock()
        # What a request as a whole met, each mail would meet alone.
        self._fetches = Batches(self._fetch_all, what="ews fetch", most=AT_ONCE, everybodys=Exception)
        self._marks = Batches(self._mark_all, what="ews mark", most=AT_ONCE, everybodys=Exception)
        self._moves = Batches(self._move_all, what="ews move", most=AT_ONCE, everybodys=Exception)
        self._deletes = Batches(self._delete_all, what="ews delete", most=AT_ONCE, everybodys=Exception)
        self._dialogue = dialogue.current()
        """Of the check that uses it."""
        self.listed = 0
        self._refused: LoginRefused | None = None
        self._busy: tuple[MailboxUnreachable, float] | None = None
        """What the server said when it wanted to be left alone, and until when (the loop's time)."""

    @classmethod
    async def open(cls, access: MailboxAccess, patience: Patience = PATIENCE) -> Self:
        """Log in, agree on a version and find the folder. Raises MailboxError."""
        url = ews_url(access.server, allow_unencrypted=access.allow_unencrypted)
        if not access.username or access.password is None or not access.password.get_secret_value():
            raise MailboxMissing("De inlognaam of het wachtwoord ontbreekt: vul beide in.")
        login_address = access.username if "@" in access.username else None
        address = access.address or (login_address if access.impersonate else None)
        if access.impersonate and address is None:
            raise MailboxMissing(
                "Het adres van de mailbox ontbreekt: het is nodig om de mailbox namens de eigenaar te openen."
            )
        host = urlsplit(url).hostname or url
        place = Place(host, access.username, address, access.impersonate, access.ca_file)
        connection = EwsConnection(
            url,
            access.password.get_secret_value(),
            place,
            await asyncio.to_thread(tls_context, access.ca_file, "https"),
            address or login_address,
            patience,
        )
        mailbox = cls(connection, EwsFolder(EwsSession(connection, place), access.folder), patience)
        try:
            await mailbox._run(mailbox._folder.open)
        except BaseException:
            await mailbox.close()
            raise
        return mailbox

    @property
    def notifies(self) -> bool:
        """See `Mailbox.notifies`."""
        return False

    async def unread(self, page_size: int) -> AsyncIterator[tuple[MailReference, ...]]:
        """See `Mailbox.unread`: the whole listing is read first. What the server did not name is told at the end."""
        self._dialogue = dialogue.current()
        mails, incomplete = await self._run(self._folder.listing.unread, self._patience.mail)
        self.listed = len(mails)
        for start in range(0, len(mails), page_size):
            yield tuple(mails[start : start + page_size])
        if incomplete is not None:
            raise incomplete

    async def arrivals(self, state: str | None, since: datetime) -> Arrivals:
        """See `Mailbox.arrivals`: the state is that of SyncFolderItems."""
        self._dialogue = dialogue.current()
        return await self._run(lambda: self._folder.changes.since(state, since), self._patience.mail)

    async def fetch(self, mail: MailReference, into: BinaryIO, limit: int) -> int:
        """See `Mailbox.fetch`; small mails that are fetched at once go in one request."""
        if mail.size is not None and mail.size <= min(SMALL_BYTES, limit):
            return await self._fetches.of(ToFetch(mail, into, limit))
        return await self._fetch_alone(ToFetch(mail, into, limit))

    async def fetch_head(self, mail: MailReference, into: BinaryIO, limit: int) -> int:
        """See `Mailbox.fetch_head`."""
        return await self._run(lambda: self._folder.reading.fetch_head(mail, into, limit), self._patience.mail)

    async def mark_read(self, mail: MailReference) -> None:
        """See `Mailbox.mark_read`; those that are marked at once go in one request."""
        await self._marks.of(mail)

    async def move(self, mail: MailReference, folder: str) -> None:
        """See `Mailbox.move`; as `mark_read`."""
        await self._moves.of((mail, folder))

    async def delete(self, mail: MailReference) -> None:
        """See `Mailbox.delete`; as `mark_read`."""
        await self._deletes.of(mail)

    async def health_check(self) -> MailboxHealth:
        """See `Mailbox.health_check`."""
        unread, junk, description = await self._run(self._folder.health)
        return MailboxHealth(unread, description, junk)

    async def wait_for_change(self) -> None:
        """See `Mailbox.wait_for_change`: never; a poll of seconds is cheaper and safer than a kept request."""
        self._dialogue = None
        await asyncio.Event().wait()

    async def close(self) -> None:
        """See `Mailbox.close`: once no thread uses the connection."""
        async with self._turn:
            self._connection.close()

    async def _fetch_alone(self, wanted: ToFetch) -> int:
        return await self._run(
            lambda: self._folder.reading.fetch(wanted.mail, wanted.into, wanted.limit), self._patience.mail
        )

    async def _fetch_all(self, wanted: Sequence[ToFetch]) -> Sequence[int | Exception]:
        """Those that one request gave whole; each of the others by itself, which tells what is wrong with it."""
        sizes: dict[int, int] = {}
        if len(wanted) > 1:
            sizes = await self._run(lambda: self._folder.together.fetch(wanted), self._patience.mail)
        given: list[int | Exception] = []
        for place, each in enumerate(wanted):
            try:
                size = sizes.get(place)
                given.append(await self._fetch_alone(each) if size is None else size)
            except (MailError, OSError) as error:
                given.append(error)
        return given

    async def _mark_all(self, mails: Sequence[MailReference]) -> Sequence[Exception | None]:
        failed = await self._run(lambda: self._folder.filing.mark_read(mails), self._patience_for(mails))
        return [failed.get(mail.key) for mail in mails]

    async def _move_all(self, wanted: Sequence[tuple[MailReference, str]]) -> Sequence[Exception | None]:
        failed: dict[ItemKey, MailboxError] = {}
        for folder in dict.fromkeys(folder for _, folder in wanted):
            mails = [mail for mail, target in wanted if target == folder]
            failed |= await self._run(partial(self._folder.filing.move, mails, folder), self._patience_for(mails))
        return [failed.get(mail.key) for mail, _ in wanted]

    async def _delete_all(self, mails: Sequence[MailReference]) -> Sequence[Exception | None]:
        failed = await self._run(lambda: self._folder.filing.delete(mails), self._patience_for(mails))
        return [failed.get(mail.key) for mail in mails]

    def _patience_for(self, mails: Sequence[MailReference]) -> float:
        return self._patience.answer if len(mails) == 1 else self._patience.mail

    async def _run(self, call: Callable[[], T], seconds: float | None = None) -> T:
        """The call's result, from a thread; cut off after so many seconds, and when nobody waits for it any more."""
        loop = asyncio.get_running_loop()
        timers: list[asyncio.TimerHandle] = []

        def start_timer() -> None:
            timers.append(loop.call_later(seconds or self._patience.answer, self._connection.abort))

        def in_thread() -> T:
            self._connection.begin()
            loop.call_soon_threadsafe(start_timer)  # from here, since all threads may be busy
            return dialogue.within(self._dialogue, call)

        async with self._turn:
            self._check_welcome()
            running = loop.run_in_executor(_threads, in_thread)
            try:
                return await asyncio.shield(running)
            except LoginRefused as error:
                self._refused = error
                raise
            except MailboxUnreachable as error:
                if error.after is not None:
                    self._busy = error, loop.time() + error.after.total_seconds()
                raise
            except asyncio.CancelledError:
                self._connection.abort()
                await asyncio.wait([running])
                raise
            finally:
                for timer in timers:
                    timer.cancel()

    def _check_welcome(self) -> None:
        """Raise what the server said: many calls wait their turn, and none may go on where it refused or is busy."""
        if self._refused is not None:
            refused = self._refused
            raise LoginRefused(str(refused), kind=refused.kind, by_sign_in=refused.by_sign_in) from refused
        if self._busy is not None:
            error, until = self._busy
            left = until - asyncio.get_running_loop().time()
            if left > 0:
                raise MailboxUnreachable(str(error), after=timedelta(seconds=left), kind=error.kind) from error
