"""A mailbox on an IMAP server (RFC 3501, RFC 9051): the mailbox kind `imap`.

Identity is UIDVALIDITY and UID (RFC 3501 §2.3.1.1). When a server gives a folder a new UIDVALIDITY, what was listed
before is gone, as if each mail had left the folder, and the next listing tells all of it under new keys; the content
key keeps it from becoming a second ticket.

One connection a mailbox, used by one thread at a time; while nothing is to be done it waits in IDLE, which takes no
thread. A connection that the server dropped is opened again without a word, a few times a check.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import BinaryIO, Final, Self, TypeVar

from services.fetcher.mailboxes.imap import fetching
from services.fetcher.mailboxes.imap.changes import arrivals
from services.fetcher.mailboxes.imap.credentials import credentials, server_of
from services.fetcher.mailboxes.imap.descriptions import Descriptions
from services.fetcher.mailboxes.imap.keys import parsed, reference
from services.fetcher.mailboxes.imap.login import Credentials
from services.fetcher.mailboxes.imap.server import ImapServer
from services.fetcher.mailboxes.imap.session import ImapSession
from services.fetcher.mailboxes.imap.trouble import Lost
from services.fetcher.mailboxes.protocol import (
    Arrivals,
    LoginRefused,
    MailboxAccess,
    MailboxError,
    MailboxHealth,
    MailGone,
    MailReference,
    MailUnreadable,
)
from shared import dialogue
from shared.batches import Batches

THREADS: Final = 32
"""Connections that work at the same time, in a process."""
AT_ONCE: Final = 20
"""Mails in one command."""
PATIENCE_SECONDS: Final = 60.0
"""What a check spends on connections that are lost before a mail comes again; then the server is left alone."""
LEAST_SECONDS: Final = 3.0
"""What a lost connection counts for at least: a server that ends each at once is not besieged."""
IDLE_SECONDS: Final = 25 * 60
"""A server may end an IDLE of half an hour (RFC 2177 §3)."""
HONEST_IDLE_SECONDS: Final = 60
"""A server that drops an IDLE sooner than this is not asked again before the next check."""

T = TypeVar("T")

_threads: Final = ThreadPoolExecutor(THREADS, thread_name_prefix="imap")


class ImapMailbox:
    """An open folder on an IMAP server; a `Mailbox`."""

    def __init__(self, access: MailboxAccess, server: ImapServer) -> None:
        self._access = access
        self._server = server
        self._session: ImapSession | None = None
        self._turn = asyncio.Lock()
        self._patience = PATIENCE_SECONDS
        # What a command as a whole met, each mail would meet alone.
        self._fetches = Batches(self._fetch_all, what="imap fetch", most=AT_ONCE, everybodys=Exception)
        self._marks = Batches(self._mark_all, what="imap mark", most=AT_ONCE, everybodys=Exception)
        self._moves = Batches(self._move_all, what="imap move", most=AT_ONCE, everybodys=Exception)
        self._dialogue = dialogue.current()
        """Of the check that uses it."""
        self._unread, self._arrived = Descriptions(), Descriptions()
        self.listed = 0

    @classmethod
    async def open(cls, access: MailboxAccess) -> Self:
        """Connect, log in and select the folder."""
        mailbox = cls(access, server_of(access))
        await mailbox._perform(lambda _: None)
        return mailbox

    @property
    def notifies(self) -> bool:
        """See `Mailbox.notifies`."""
        return self._session is not None and self._session.can_idle

    async def unread(self, page_size: int) -> AsyncIterator[tuple[MailReference, ...]]:
        """See `Mailbox.unread`: one SEARCH, and one FETCH for those that were not listed before."""
        self._patience = PATIENCE_SECONDS
        self._dialogue = dialogue.current()
        mails = await self._perform(self._list, learned=lambda: self._unread.learned)
        self.listed = len(mails)
        for start in range(0, len(mails), page_size):
            yield tuple(mails[start : start + page_size])

    async def arrivals(self, state: str | None, since: datetime) -> Arrivals:
        """See `Mailbox.arrivals`: the state is UIDVALIDITY and the highest UID; UIDs only grow (RFC 3501 §2.3.1.1)."""
        self._dialogue = dialogue.current()
        return await self._perform(
            lambda session: arrivals(session, self._arrived, state, since), learned=lambda: self._arrived.learned
        )

    async def fetch(self, mail: MailReference, into: BinaryIO, limit: int) -> int:
        """See `Mailbox.fetch`: in parts of PART_BYTES; small mails that are fetched at once are asked for at once."""
        if mail.size is not None and mail.size < min(fetching.PART_BYTES, limit):
            return await self._fetches.of((mail, into, limit))
        return await self._fetch_alone(mail, into, limit)

    async def _fetch_alone(self, mail: MailReference, into: BinaryIO, limit: int) -> int:
        return await self._perform_on(
            mail, lambda session, uid: fetching.fetch(session, uid, into, limit), fetching=True
        )

    async def fetch_head(self, mail: MailReference, into: BinaryIO, limit: int) -> int:
        """See `Mailbox.fetch_head`."""
        return await self._perform_on(
            mail, lambda session, uid: fetching.fetch_head(session, uid, into, limit), fetching=True
        )

    async def mark_read(self, mail: MailReference) -> None:
        """See `Mailbox.mark_read`; those that are marked at once go in one command."""
        await self._marks.of(mail)

    async def move(self, mail: MailReference, folder: str) -> None:
        """See `Mailbox.move`; as `mark_read`."""
        await self._moves.of((mail, folder))

    async def delete(self, mail: MailReference) -> None:
        """See `Mailbox.delete`: into the folder with that special use (RFC 6154), or the one that is usually it."""
        await self._moves.of((mail, None))

    async def health_check(self) -> MailboxHealth:
        """See `Mailbox.health_check`."""
        self._patience = PATIENCE_SECONDS
        unread, junk, description = await self._perform(lambda session: session.health())
        return MailboxHealth(unread, description, junk)

    async def wait_for_change(self) -> None:
        """See `Mailbox.wait_for_change`. Cancelling it leaves IDLE to the next command to end."""
        self._dialogue = None
        while True:
            session = await self._begin_idle()
            if session is None:
                await asyncio.Event().wait()
                return
            if session.arrived:
                session.arrived = False
                return
            began = time.monotonic()
            try:
                async with asyncio.timeout(IDLE_SECONDS):
                    await _readable(session)
            except TimeoutError:
                await self._in_thread(session, ImapSession.end_idle)
                continue
            try:
                await self._in_thread(session, ImapSession.read_idle)
            except Lost:
                self._forget(session)
                if time.monotonic() - began < HONEST_IDLE_SECONDS:
                    await asyncio.Event().wait()  # a server that drops us at once: polling finds the mail
                return

    async def close(self) -> None:
        """See `Mailbox.close`."""
        async with self._turn:
            session, self._session = self._session, None
            if session is not None:
                await asyncio.get_running_loop().run_in_executor(_threads, session.close)

    # ── inside

    async def _begin_idle(self) -> ImapSession | None:
        """The session, waiting in IDLE; None where the server has none, or is gone until the next check."""
        session = self._session
        if session is None or not session.can_idle:
            return None
        if session.is_idling or session.arrived:
            return session
        try:
            begun = await self._in_thread(session, ImapSession.begin_idle)
        except (Lost, MailboxError):
            self._forget(session)
            return None
        return session if begun else None

    async def _fetch_all(self, wanted: Sequence[tuple[MailReference, BinaryIO, int]]) -> Sequence[int | Exception]:
        """Ask for all of them at once; for what that did not give, by itself."""
        sizes: dict[int, int | Exception] = {}
        if len(wanted) > 1:
            async with self._turn:
                session = await self._opened()
                try:
                    await self._run(session, partial(fetching.fetch_small, wanted=wanted, sizes=sizes))
                except Lost:
                    self._forget(session)
        for place, (mail, into, limit) in enumerate(wanted):
            if place not in sizes:
                try:
                    sizes[place] = await self._fetch_alone(mail, into, limit)
                except Exception as error:  # noqa: BLE001 - it goes to whoever asked
                    sizes[place] = error
        return [sizes[place] for place in range(len(wanted))]

    async def _mark_all(self, mails: Sequence[MailReference]) -> Sequence[Exception | None]:
        return await self._file(mails, ImapSession.mark_read)

    async def _move_all(self, wanted: Sequence[tuple[MailReference, str | None]]) -> Sequence[Exception | None]:
        went: dict[int, Exception | None] = {}
        for folder in dict.fromkeys(folder for _, folder in wanted):
            places = [place for place, (_, target) in enumerate(wanted) if target == folder]
            filed = await self._file(
                [wanted[place][0] for place in places],
                ImapSession.delete if folder is None else partial(ImapSession.move, written=folder),
            )
            went |= dict(zip(places, filed, strict=True))
        return [went[place] for place in range(len(wanted))]

    async def _file(
        self, mails: Sequence[MailReference], act: Callable[[ImapSession, Sequence[int]], dict[int, MailboxError]]
    ) -> Sequence[Exception | None]:
        """Do it with the mails that the folder may still have; the others are gone, and so done."""
        keys = [parsed(mail.key) for mail in mails]

        def filed(session: ImapSession) -> list[Exception | None]:
            failed = act(session, [uid for validity, uid in keys if validity == session.uid_validity])
            return [failed.get(uid) if validity == session.uid_validity else None for validity, uid in keys]

        return await self._perform(filed)

    async def _perform_on(
        self, mail: MailReference, act: Callable[[ImapSession, int], T], *, fetching: bool = False
    ) -> T:
        """Do something with the mail; MailGone when its key is of a folder that was made anew since."""
        validity, uid = parsed(mail.key)

        def checked(session: ImapSession) -> T:
            if session.uid_validity != validity:
                raise MailGone("De mail is er niet meer.")
            return act(session, uid)

        return await self._perform(checked, fetching=fetching)

    async def _perform(
        self, act: Callable[[ImapSession], T], *, fetching: bool = False, learned: Callable[[], int] = lambda: 0
    ) -> T:
        """Do something with the connection, on another one when it is lost: everything done here may be done twice.

        A mail on which it is lost twice is unreadable: the others shall not wait for it. Of what `learned` something
        from the loss, another try gets further.
        """
        async with self._turn:
            for losses in itertools.count(1):
                opened_now, knew, began = self._session is None, learned(), time.monotonic()
                session = await self._opened()
                try:
                    done = await self._run(session, act)
                except Lost as lost:
                    self._forget(session)
                    if fetching and losses > 1:
                        raise MailUnreadable(
                            f"Bij een mail gaat de verbinding met de mailserver verloren ({lost.why}): laat de "
                            "beheerder van de mailserver nagaan of die mail daar nog te lezen is."
                        ) from None
                    self._patience -= max(time.monotonic() - began, LEAST_SECONDS)
                    ended = losses > 1 or (opened_now and not fetching)
                    if self._patience <= 0 or (ended and learned() == knew):
                        raise lost.sentence from None
                else:
                    if fetching:
                        self._patience = PATIENCE_SECONDS
                    return done
        raise AssertionError

    async def _opened(self) -> ImapSession:
        if self._session is None:
            login = await credentials(self._access)
            try:
                self._session = await self._open_session(login)
            except LoginRefused:
                if not login.token:
                    raise
                # a token may be older than the app's rights
                self._session = await self._open_session(await credentials(self._access, refused=login.token))
        return self._session

    async def _open_session(self, login: Credentials) -> ImapSession:
        opening = asyncio.get_running_loop().run_in_executor(
            _threads, dialogue.within, self._dialogue, ImapSession.open, self._access, self._server, login
        )
        try:
            return await asyncio.shield(opening)
        except Lost as lost:
            raise lost.sentence from None
        except asyncio.CancelledError:
            opening.add_done_callback(_close_unwanted)
            raise

    async def _in_thread(self, session: ImapSession, act: Callable[[ImapSession], T]) -> T:
        async with self._turn:
            return await self._run(session, act)

    async def _run(self, session: ImapSession, act: Callable[[ImapSession], T]) -> T:
        """In a thread, of which nothing is left when this is cancelled."""
        running = asyncio.get_running_loop().run_in_executor(_threads, dialogue.within, self._dialogue, act, session)
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            if not running.done():
                session.abort()
                await asyncio.wait([running])
                self._forget(session)
            if not running.cancelled():
                running.exception()
            raise

    def _forget(self, session: ImapSession) -> None:
        session.discard()
        if self._session is session:
            self._session = None

    def _list(self, session: ImapSession) -> list[MailReference]:
        described = self._unread.of(session, session.search())
        return [
            reference(session.uid_validity, uid, told)
            for uid, told in sorted(described.items(), key=lambda item: (item[1].received_at, item[0]))
        ]


async def _readable(session: ImapSession) -> None:
    """Wait until the server says something, without a thread."""
    loop, noticed, descriptor = asyncio.get_running_loop(), asyncio.Event(), session.socket.fileno()
    loop.add_reader(descriptor, noticed.set)
    try:
        await noticed.wait()
    finally:
        loop.remove_reader(descriptor)


def _close_unwanted(opening: asyncio.Future[ImapSession]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().discard()
