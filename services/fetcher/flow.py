"""One check of one mailbox, from listing to marking (SPEC W1; DESIGN 1).

    state of a mail              what a crash leaves there            what the next check, or the sweeper, does
    unread, unknown              nothing                              takes it in
    stored, not published        blob and ledger row                  publishes it from the blob, marks it
    published, not marked        a message, maybe a second one        marks it; consumers know a second message
    marked, not recorded         the mail read, the ledger not        marks it again, which changes nothing
    marked read                  nothing open                         nothing
    final outcome, to be moved   the mail where it was                moves or deletes it; gone is done

Store, publish (confirmed), mark read: a mail is marked only when the broker has it, and known by its identity however
often it is seen. A mail that cannot be read does not stop the others, nor does what goes wrong after the import
(`after_import`).
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, Final, Protocol, cast

import structlog

from services.fetcher.after_import import AfterImport, Stopped
from services.fetcher.concurrently import Attempts, ByteBudget, attempt_all
from services.fetcher.known import look_up
from services.fetcher.mailboxes.protocol import (
    Arrivals,
    ItemKey,
    Mailbox,
    MailGone,
    MailReference,
    MailTooLarge,
    MailUnreadable,
)
from services.fetcher.publishing import MailPublisher, StoredMail
from services.fetcher.repository.ledger import AlreadyTakenIn, Ledger, NewMail
from services.fetcher.repository.mailboxes import ClaimedMailbox
from services.fetcher.rules.backlog import Backlog, BacklogRule, Waiting
from services.fetcher.rules.batches import WINDOW, batches
from services.fetcher.rules.following import Reached
from services.fetcher.rules.known_mail import Need, need
from shared.blobs.store import BlobError
from shared.broker.envelope import travels_inline
from shared.errors import Outage
from shared.mail_identity import mail_id
from shared.messages import INLINE_LIMIT, MailId

PAGE: Final = 200
SHARE: Final = 1000
"""Mails after which a check ends at a page, so that one full mailbox does not keep others waiting."""
MOST_UNDECIDED: Final = 500
"""Mails of one mailbox that are on their way to an outcome at once: its backlog stays in the mailbox, the queues stay
short, and the new mail of other mailboxes waits behind no more than this."""
HEAD_BYTES: Final = 256 * 1024
"""What is fetched of a mail that is too large (SPEC D17): its headers and the beginning of its text."""

log = structlog.get_logger(__name__)


class SpoolFull(Outage):
    """No room for temporary files: no mailbox and no mail is to blame."""


@dataclass(slots=True)
class Findings:
    """What a check found, filled while it goes on."""

    unread: int = 0
    taken_in: int = 0
    waiting: Waiting | None = None
    """The old mails that wait for a person (SPEC D18)."""
    unreadable: int = 0
    """Mails that the mailbox did not give."""
    unreadable_because: str = ""
    """The sentence of the first of them."""
    reached: Reached | None = None
    """How far the mailbox was followed, to be kept where all of it was seen; None: keep what there was."""
    goes_on: bool = False
    """More came than a look gives; the next one goes on from what was reached."""
    more: bool = False
    """This mailbox had its share of mails; the rest comes when the others had theirs."""
    held_back: bool = False
    """So many of its mails are on their way that the rest waits until some have their outcome."""


class NewCheck(Protocol):
    """Makes a check, with what all checks of a process share."""

    def __call__(
        self, claimed: ClaimedMailbox, mailbox: Mailbox, /, *, stop: asyncio.Event, arrivals_alone: bool = False
    ) -> Check:
        """As `Check` itself."""
        ...


class Check:
    """A check of `claimed`, through the open `mailbox`."""

    def __init__(
        self,
        claimed: ClaimedMailbox,
        mailbox: Mailbox,
        *,
        ledger: Ledger,
        publisher: MailPublisher,
        budget: ByteBudget,
        stop: asyncio.Event,
        arrivals_alone: bool = False,
    ) -> None:
        """`arrivals_alone`: unread mail that is not among the arrivals is left alone, as in a folder of filed mail."""
        self._claimed = claimed
        self._arrivals_alone = arrivals_alone
        self._mailbox = mailbox
        self._ledger = ledger
        self._publisher = publisher
        self._budget = budget
        self._stop = stop
        self._room = 0
        self._listed = 0
        self._left_is_told = False
        self._got_on_at = time.monotonic()
        self.after_import = AfterImport(claimed, mailbox, ledger, stop)
        self._rule = BacklogRule.at(
            claimed.claimed_at,
            import_from=claimed.import_from,
            old_mail_days=claimed.old_mail_days,
            limit=claimed.backlog_limit,
            chosen=claimed.chosen,
        )
        self.findings = Findings()

    @property
    def got_on_at(self) -> float:
        """When it last got on (monotonic): a page was listed, a mail fetched, or some were marked, moved or deleted."""
        return max(self._got_on_at, self.after_import.got_on_at)

    async def run(self) -> Findings:
        """Do all that the unread mail needs. Raises MailboxError, Outage, TryAgain, or Stopped when told to stop."""
        backlog: Backlog[MailReference] = Backlog(self._rule)
        arrivals = await self._arrivals()
        async for page in self._listing(arrivals):
            self._listed += len(page)
            backlog, admitted = backlog.admit(await self._finish_known(page))
            self.findings.waiting = backlog.waiting
            await self._tell_what_is_left(len(admitted), arrivals)
            await self._take_in(admitted)
            if self.findings.taken_in >= SHARE or self.findings.held_back:
                self.findings.more = True
                break
        else:
            await self._take_in(backlog.close())
            if not (self.findings.unreadable or self.findings.held_back):
                self.findings.reached = self._reached(arrivals)
                self.findings.goes_on = arrivals is not None and arrivals.more and self.findings.reached is not None
            await self.after_import.catch_up()
        return self.findings

    async def _tell_what_is_left(self, admitted: int, arrivals: Arrivals | None) -> None:
        """Record how many mails are to be taken in, where they are many: what is known already, or waits, came first.

        Once in a check, which has its share of them; the next one lists what came meanwhile too.
        """
        if self._left_is_told or not admitted:
            return
        self._left_is_told = True
        unread = 0 if self._arrivals_alone else self._mailbox.listed
        left = max(unread, 0 if arrivals is None else len(arrivals.mails)) - self._listed + admitted
        if left > PAGE:
            await self._ledger.record_left(self._claimed, left)

    async def _arrivals(self) -> Arrivals | None:
        """What came into the folder since the last look and is new, whoever read it; None: that is not asked for."""
        following = self._claimed.following
        if following is None:
            return None
        given = await self._mailbox.arrivals(following.state, following.look_from)
        return replace(given, mails=tuple(mail for mail in given.mails if following.is_new(mail)))

    async def _listing(self, arrivals: Arrivals | None) -> AsyncIterator[list[MailReference]]:
        """The unread mails and the arrivals, oldest first, each once (or twice, where its time changed meanwhile)."""
        waiting = deque(() if arrivals is None else arrivals.mails)
        seen: set[ItemKey] = set()
        async for page in self._unread():
            self._got_on_at = time.monotonic()
            self.findings.unread += len(page)
            mails = {mail.key: mail for mail in page}
            while waiting and waiting[0].received_at <= page[-1].received_at:
                arrived = waiting.popleft()
                mails.setdefault(arrived.key, arrived)
            listed = [mail for mail in mails.values() if mail.key not in seen]
            seen |= mails.keys()
            yield sorted(listed, key=lambda mail: mail.received_at)
        rest = [mail for mail in waiting if mail.key not in seen]
        for start in range(0, len(rest), PAGE):
            yield rest[start : start + PAGE]

    async def _unread(self) -> AsyncIterator[Sequence[MailReference]]:
        if not self._arrivals_alone:
            async for page in self._mailbox.unread(PAGE):
                yield page

    def _reached(self, arrivals: Arrivals | None) -> Reached | None:
        """How far all was seen; not beyond old mail that waits for a person, since it is not listed otherwise."""
        following = self._claimed.following
        if arrivals is None or following is None:
            return None
        if self.findings.waiting is not None and any(map(self._rule.is_old, arrivals.mails)):
            return None
        return following.reached(arrivals.state, self._claimed.claimed_at, more=arrivals.more)

    async def _finish_known(self, page: Sequence[MailReference]) -> list[MailReference]:
        """Publish what the ledger knows and the broker does not; the mails that are to be taken in."""
        listed, known = await look_up(self._ledger, page, self._id)
        needs = {identity: need(known.get(identity)) for identity in listed}
        to_publish = [identity for identity, wanted in needs.items() if wanted is Need.PUBLISH]
        if to_publish:
            envelopes = await self._ledger.envelopes(to_publish)
            for start in range(0, len(to_publish), WINDOW):
                window = to_publish[start : start + WINDOW]
                loaded = await attempt_all([envelopes[identity] for identity in window], self._publisher.load)
                await self._publish_and_mark([mail for _, mail in loaded.done], listed)
                for identity, error in loaded.failed:
                    if not isinstance(error, BlobError):
                        raise error
                    log.error("mail_not_loaded", mail_id=str(identity), error=str(error))  # the sweeper parks it
        return [listed[identity] for identity, wanted in needs.items() if wanted is Need.TAKE_IN]

    async def _take_in(self, mails: Sequence[MailReference]) -> None:
        for batch in batches(mails, largest=self._claimed.max_mail_bytes):
            if self._stop.is_set():
                raise Stopped
            if not await self._has_room(len(batch.mails)):
                self.findings.held_back = self.findings.more = True
                return
            async with self._budget.reserve(batch.size):
                stored = await attempt_all(batch.mails, self._store)
                taken = [mail for _, mail in stored.done if mail is not None]
                self.findings.taken_in += len(taken)
                await self._publish_and_mark(taken, {self._id(mail): mail for mail in batch.mails})
            for mail in taken:
                log.info("mail_taken_in", mail_id=str(mail.mail_id), size=mail.envelope.full_size)
            self._pass_over_unreadable(stored)

    async def _has_room(self, mails: int) -> bool:
        """Whether so many more mails may be on their way; counted anew when the room that there was is used up."""
        if self._room < mails:
            self._room = MOST_UNDECIDED - await self._ledger.undecided(self._claimed, MOST_UNDECIDED)
        is_enough = self._room > 0
        self._room -= mails
        return is_enough

    async def _store(self, mail: MailReference) -> StoredMail | None:
        """Stream the mail into a file, then into the database; None when it is gone or another fetcher has it."""
        with SpooledTemporaryFile(max_size=INLINE_LIMIT) as spooled:
            file = cast(BinaryIO, spooled)
            try:
                with self._ledger.coming():
                    new = await self._fetch(mail, file)
                self._got_on_at = time.monotonic()
                if new.complete and new.full_size <= INLINE_LIMIT:  # in memory: the file was never written
                    file.seek(0)
                    payload = file.read()
                    return StoredMail(await self._ledger.take_in(self._claimed, new, payload), payload)
                await asyncio.to_thread(file.seek, 0)
                envelope = await self._ledger.take_in(self._claimed, new, file)
                if not travels_inline(envelope):
                    return StoredMail(envelope, b"")
                file.seek(0)
                return StoredMail(envelope, file.read())
            except (MailGone, AlreadyTakenIn):
                return None
            except OSError as error:
                raise SpoolFull(f"Temporary files cannot be written: {error}. Make room in TMPDIR.") from error

    async def _fetch(self, mail: MailReference, into: BinaryIO) -> NewMail:
        limit = self._claimed.max_mail_bytes
        try:
            if mail.size is not None and mail.size > limit:
                raise MailTooLarge  # noqa: TRY301 - the same as found while fetching
            size = await self._mailbox.fetch(mail, into, limit)
        except MailTooLarge:
            into.seek(0)
            into.truncate()
            size = await self._mailbox.fetch_head(mail, into, min(HEAD_BYTES, limit))
            log.info("mail_too_large", mail_id=str(self._id(mail)), size=size, limit=limit)
            return self._new(mail, full_size=max(size, limit + 1), complete=False)
        return self._new(mail, full_size=size, complete=True)

    def _new(self, mail: MailReference, *, full_size: int, complete: bool) -> NewMail:
        again = self._claimed.read_again
        return NewMail(
            self._id(mail),
            mail.key,
            mail.received_at,
            full_size=full_size,
            complete=complete,
            choice=self._rule.choice_for(mail) or (again.choice_for(mail) if again else None),
        )

    def _pass_over_unreadable(self, stored: Attempts[MailReference, StoredMail | None]) -> None:
        for mail, error in stored.failed:
            if not isinstance(error, MailUnreadable):
                raise error
            self.findings.unreadable += 1
            self.findings.unreadable_because = self.findings.unreadable_because or str(error)
            log.warning("mail_not_fetched", mail_id=str(self._id(mail)), error=str(error))

    async def _publish_and_mark(self, mails: Sequence[StoredMail], listed: dict[MailId, MailReference]) -> None:
        published = await self._publisher.publish(mails)
        await self.after_import.mark_new({mail.mail_id: listed[mail.mail_id] for mail, _ in published.done})
        published.raise_first()

    def _id(self, mail: MailReference) -> MailId:
        return mail_id(self._claimed.helpdesk_id, self._claimed.generation, self._claimed.access.folder, mail.key)
