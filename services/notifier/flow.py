"""The story of a notification: write it once, claim it, send it, record what the server said.

What the database does of that is done for all that wait at once (`shared.batches`). What nobody has tried yet is read,
written and claimed with its mail in one commit; what waited for its next try, or collected others (a summary), is
claimed first, and written then where it is not.

    state     lease, next_try_at       means                                        a crash here leaves
    planned   –, –                     decided with the ticket, nobody tried yet     it to its event, or to the sweeper
    planned   held, –                  a notifier is writing or sending it, and      it until the lease ends, then again
                                       renews its claim
    planned   –, some time             postponed: `reason`, `server_reply` say why   it to the sweeper
    sent      –, –                     a server took it: `sent_at`, `server_reply`   –
    failed    –, –                     refused for good, or 72 hours of tries        –

Written before it is sent (message_id and mime committed): each try sends the same bytes with the same Message-ID. Only
a notifier that dies between an SMTP server's 250 and its own commit sends them twice, and one whose server gave no
clear answer for them: such a mail is tried three times more, after growing pauses, and then fails for a person to see.
A database that is away after the 250 is waited for. A notifier whose claim may have run out meanwhile (it stood still,
or could not renew it) hands nothing over. By Graph a draft is made, its id committed, then sent: a later try asks
whether that one went. An event that comes twice finds its rows sent, held or not due, and sends nothing.
"""

from __future__ import annotations

import asyncio
import math
import random
import time
import uuid
from collections.abc import Awaitable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import product
from typing import Final

import structlog
from prometheus_client import Counter, Histogram

from services.notifier.notification import Account, Notification, Written
from services.notifier.repository import LEASE, Repository
from services.notifier.rules.addresses import UnusableAddress, parse_address
from services.notifier.rules.compose import Composed, NoSender, compose, return_path
from services.notifier.rules.replies import without_addresses
from services.notifier.rules.retry import LAST_TRY, delay_after, delay_in_doubt
from services.notifier.transport import (
    AccountTrouble,
    InDoubt,
    KeepDraft,
    NotDelivered,
    OutgoingMail,
    Postponed,
    Refused,
)
from services.notifier.transports import Transports
from shared.batches import Batches
from shared.errors import TryAgain
from shared.logins import LoginStanding, rest_after_refusals
from shared.messages import NotificationKind
from shared.portal.delivery import DeliveryReason

TRY_SECONDS: Final = 1_200
"""The longest that one try may take: a server has ten minutes to answer for a whole mail. Its claim is renewed."""
RENEW_SECONDS: Final = LEASE.total_seconds() / 4
AT_ONCE: Final = 8
"""Rows that the sweeper claims at a time: as many as are soon under way, so that no lease ends while it waits."""
SWEEPS: Final = 8
"""Sweeps side by side: a server that is slow to answer holds up its own, and the next ones go on."""
SWEEP_SECONDS: Final = 5
RECORD_AGAIN_SECONDS: Final = 1
PATIENCE_SECONDS: Final = 0.02
"""How long events wait for as many as came together before."""

_log = structlog.get_logger(__name__)
_ended = Counter(
    "importer_notifications_total", "Tries to deliver a notification, by how they ended", ["kind", "result"]
)
for _labels in product(NotificationKind, ("sent", "postponed", "failed")):
    _ended.labels(*_labels)  # a counter that first appears as 1 is no increase to who watches it
_seconds = Histogram(
    "importer_notification_send_seconds",
    "Seconds that the mail server took for a mail",
    buckets=(0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 150),
)


class Notifier:
    """Delivers notifications. `key` is the secret `message_id_key`."""

    def __init__(self, repository: Repository, transports: Transports, key: bytes) -> None:
        self._repository = repository
        self._transports = transports
        self._key = key
        self._claiming = Batches(self._claim, what="claims", patience_seconds=PATIENCE_SECONDS, as_many_as_before=True)
        self._keeping = Batches(repository.keep_written, what="written mails")
        self._taken = Batches(repository.record_sent, what="recording sent mails")
        self._recording: set[asyncio.Task[None]] = set()
        self._in_hand: set[uuid.UUID] = set()
        self._held_until: dict[uuid.UUID, float] = {}
        """Until when, by our own clock, nobody else takes what we have in hand."""
        self._claims = asyncio.Lock()
        """Claims are made and given back in turn: one that was just made must not be given back for an earlier one."""
        self._unsent: set[uuid.UUID] = set()
        """Claimed, perhaps, when the database went away, and not sent: given back once it answers, not when the claim
        has run out."""

    async def deliver(self, ids: Sequence[uuid.UUID]) -> None:
        """Deliver what is still to be sent among the notifications of an event."""
        if ids:
            await self._deliver(await self._claiming.of(ids))

    async def _claim(self, events: Sequence[Sequence[uuid.UUID]]) -> list[list[Notification]]:
        """Each event's own, of all that could be claimed; of an event that is there twice, the first has them.

        What is new is read and written before it is claimed: its claim keeps it, in one commit. Whatever else is free,
        and what could not be written, is claimed as it is: its try tells why, or finds how it was written.
        """
        free = [id_ for ids in events for id_ in ids if id_ not in self._in_hand]
        new = await self._repository.read_new(free) if free else []
        written = await asyncio.to_thread(self._write_what_can_be, new) if new else []
        async with self._claims:
            began = _clock()
            try:
                claimed = await self._claim_written(written)
                if others := [id_ for id_ in free if id_ not in claimed]:
                    claimed |= {each.id: each for each in await self._repository.claim_of_events(others)}
            except Exception:
                self._unsent.update(free)  # a claim may have been committed all the same
                raise
            self._unsent.difference_update(claimed)
            self._hold(claimed, began)
        return [[notification for id_ in ids if (notification := claimed.pop(id_, None))] for ids in events]

    def _write_what_can_be(self, notifications: Sequence[Notification]) -> list[tuple[Notification, Composed]]:
        mails = []
        for notification in notifications:
            with suppress(Exception):
                mails.append((notification, compose(notification, key=self._key, now=datetime.now(UTC))))
        return mails

    async def _claim_written(self, mails: Sequence[tuple[Notification, Composed]]) -> dict[uuid.UUID, Notification]:
        if not mails:
            return {}
        ours = await self._repository.claim_written([(each.id, mail.written) for each, mail in mails])
        for each, mail in mails:
            if each.id in ours:
                _tell_of_template(mail, each)
        return {each.id: replace(each, written=mail.written) for each, mail in mails if each.id in ours}

    async def send_once(self, notification: Notification) -> str:
        """Write and send one that is planned nowhere; what the server said.

        Raises NotDelivered, NoSender where the helpdesk has no address, UnusableAddress, and TryAgain.
        """
        composed = await asyncio.to_thread(compose, notification, key=self._key, now=datetime.now(UTC))
        return await self._send(notification, composed.written, None)

    async def sweep(self) -> int:
        """Deliver some of what is due without an event, the longest due first; return how many rows were tried."""
        async with self._claims:
            await self._give_back()
            began = _clock()
            due = await self._repository.claim_due(AT_ONCE)
            self._unsent.difference_update(each.id for each in due)
            self._hold((each.id for each in due), began)
        claimed = [each for each in due if each.id not in self._in_hand]
        await self._deliver(claimed)
        return len(claimed)

    async def _give_back(self) -> None:
        if unsent := self._unsent - self._in_hand:
            await self._repository.give_back(list(unsent))
            self._unsent -= unsent

    async def sweep_until(self, stop: asyncio.Event) -> None:
        """Sweep until `stop`, with a pause whenever nothing is due; then wait for what is being sent and recorded."""
        stopping = asyncio.create_task(stop.wait())
        sweeps: set[asyncio.Task[int]] = set()
        try:
            while not stop.is_set():
                if len(sweeps) < SWEEPS:
                    sweeps.add(asyncio.create_task(self._sweep_or_tell()))
                ended, _ = await asyncio.wait(
                    {*sweeps, stopping}, timeout=SWEEP_SECONDS, return_when=asyncio.FIRST_COMPLETED
                )
                tried = sum(sweep.result() for sweep in sweeps & ended)
                sweeps -= ended
                if tried or not ended:
                    continue
                await self._transports.close_idle()
                await asyncio.wait({stopping}, timeout=SWEEP_SECONDS)
            await asyncio.gather(*sweeps)
        finally:
            for task in (*sweeps, stopping):
                task.cancel()
            await asyncio.wait({*sweeps, stopping})
        await self.finish()

    async def _sweep_or_tell(self) -> int:
        try:
            return await self.sweep()
        except TryAgain as trouble:
            _log.warning("sweep_postponed", trouble=str(trouble))
            return 0

    async def renew_until(self, stop: asyncio.Event) -> None:
        """Renew the claims on what is in hand, again and again until `stop`, and then once more."""
        stopped = False
        while not stopped:
            with suppress(TimeoutError):
                async with asyncio.timeout(RENEW_SECONDS):
                    await stop.wait()
            stopped = stop.is_set()
            try:
                if self._in_hand:
                    began = _clock()
                    self._hold(await self._repository.renew(list(self._in_hand)), began)
            except Exception as error:  # noqa: BLE001 - the next renewal may be in time
                _log.warning("renewal_failed", trouble=str(error))

    async def finish(self) -> None:
        """Wait until everything that a server took is recorded."""
        await asyncio.gather(*self._recording)

    async def _deliver(self, claimed: Sequence[Notification]) -> None:
        self._in_hand.update(each.id for each in claimed)
        results = await asyncio.gather(*(self._try(each) for each in claimed), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def _try(self, notification: Notification) -> None:
        """One try: whatever comes of it stands in the row afterwards. Raises only what the database is to blame for."""
        log = _log_of(notification)
        try:
            await self._try_once(notification, log)
        finally:
            self._in_hand.discard(notification.id)
            self._held_until.pop(notification.id, None)

    async def _try_once(self, notification: Notification, log: structlog.stdlib.BoundLogger) -> None:
        try:
            if notification.tries > LAST_TRY:  # a notifier died in each try before: let it rest
                raise Postponed(DeliveryReason.OUR_ERROR, "No try was ever finished.")  # noqa: TRY301
            written = notification.written or await self._write_or_give_back(notification)
            reply = await self._send(notification, written, partial(self._keep_draft, notification))
        except Refused as refused:
            await self._repository.record_failed(notification.id, refused.reason, refused.reply)
            _count(notification, "failed")
            log.warning(
                "notification_failed", reason=refused.reason.value, server_reply=without_addresses(refused.reply)
            )
        except Postponed as postponed:
            await self._postpone(notification, postponed, log)
        except TryAgain:
            raise
        except Exception as error:  # our bug in one mail: the others go on, this one waits for a mended version
            log.exception("notification_not_written")
            said = f"An error of ours ({type(error).__name__}); the log has it as notification_not_written."
            await self._postpone(notification, Postponed(DeliveryReason.OUR_ERROR, said), log)
        else:
            await self._to_the_end(self._record_sent(notification, reply, log))

    async def _write_or_give_back(self, notification: Notification) -> Written:
        try:
            return await self._write(notification)
        except TryAgain:
            self._unsent.add(notification.id)
            raise

    async def _write(self, notification: Notification) -> Written:
        """Write the mail and keep it, before anything leaves."""
        try:
            composed: Composed = await asyncio.to_thread(compose, notification, key=self._key, now=datetime.now(UTC))
        except NoSender as error:
            raise Postponed(DeliveryReason.NO_ACCOUNT, str(error)) from error
        except UnusableAddress as error:
            raise Refused(DeliveryReason.REFUSED, str(error)) from error
        _tell_of_template(composed, notification)
        if not await self._keeping.of((notification.id, composed.written)):
            raise LostClaim("Another notifier took this notification over.")
        return composed.written

    def _hold(self, ids: Iterable[uuid.UUID], since: float) -> None:
        self._held_until.update(dict.fromkeys(ids, since + LEASE.total_seconds()))

    async def _send(self, notification: Notification, written: Written, keep_draft: KeepDraft | None) -> str:
        if notification.account is None:
            raise Postponed(
                DeliveryReason.NO_ACCOUNT,
                f"Helpdesk {notification.sender.helpdesk} has no outgoing account: choose one in its settings.",
            )
        handed_over = False

        def hand_over() -> None:
            nonlocal handed_over
            if (
                self._held_until.get(notification.id, math.inf) < _clock()
            ):  # one that is planned nowhere is nobody else's
                raise LostClaim("The claim on this notification may have run out.")
            handed_over = True

        mail = OutgoingMail(
            return_path=return_path(notification.sender),
            recipient=parse_address(notification.recipient_address),
            content=written.mime,
            message_id=written.message_id,
            tried_before=notification.tries > 1,
            draft_id=notification.draft_id,
            keep_draft=keep_draft,
            hand_over=hand_over,
        )
        account = notification.account
        login = await self._login(account)
        try:
            with _seconds.time():
                async with asyncio.timeout(TRY_SECONDS):
                    reply = await self._transports.of(account).send(mail)
        except AccountTrouble as trouble:
            if login is not None and trouble.refused_login:
                rest = rest_after_refusals(login.refused_logins + 1, jitter=random.random())  # noqa: S311 - no secret
                await self._repository.record_login_refused(login, trouble.reply, rest)
            raise
        except TimeoutError:
            said = f"{account.host or account.kind} was not ready within {TRY_SECONDS} seconds."
            if handed_over:
                raise InDoubt(DeliveryReason.SERVER_AWAY, f"{said} It may have taken the mail.") from None
            raise Postponed(DeliveryReason.SERVER_AWAY, said) from None
        if login is not None and login.refused_logins:
            await self._to_the_end(self._repository.record_login_taken(login))
        return reply

    async def _login(self, account: Account) -> LoginStanding | None:
        """How the account's login stands. AccountTrouble while it rests: all who use it could together lock it."""
        login = await self._repository.login_of(account, self._transports.fingerprint(account))
        if login is not None and login.rests_for is not None:
            raise AccountTrouble(DeliveryReason.LOGIN_REFUSED, login.refusal, tried=False)
        return login

    async def _keep_draft(self, notification: Notification, draft_id: str, message_id: str) -> None:
        if not await self._repository.keep_draft(notification.id, draft_id, message_id):
            raise LostClaim("Another notifier took this notification over.")

    async def _postpone(
        self, notification: Notification, trouble: NotDelivered, log: structlog.stdlib.BoundLogger
    ) -> None:
        doubtful_tries = notification.doubtful_tries + isinstance(trouble, InDoubt)
        delay = delay_in_doubt(doubtful_tries) if isinstance(trouble, InDoubt) else delay_after(notification.tries)
        if delay is None:
            words = f"{trouble.reason.value}: {trouble.reply}"
            await self._repository.record_failed(notification.id, DeliveryReason.GAVE_UP, words)
            _count(notification, "failed")
            log.error("notification_failed", reason=DeliveryReason.GAVE_UP.value, server_reply=without_addresses(words))
            return
        await self._repository.record_postponed(notification.id, trouble.reason, trouble.reply, delay, doubtful_tries)
        _count(notification, "postponed")
        log.warning(
            "notification_postponed",
            reason=trouble.reason.value,
            server_reply=without_addresses(trouble.reply),
            tries=notification.tries,
            in_doubt=isinstance(trouble, InDoubt),
            seconds=int(delay.total_seconds()),
        )

    async def _record_sent(self, notification: Notification, reply: str, log: structlog.stdlib.BoundLogger) -> None:
        """Record it, however long the database is away: given up here, it would be sent twice."""
        while True:
            try:
                await self._taken.of((notification.id, reply))
                break
            except Exception as error:  # whatever it is: the mail is out, and only this row knows
                log.warning("recording_waits", trouble=str(error), exc_info=not isinstance(error, TryAgain))
                await asyncio.sleep(RECORD_AGAIN_SECONDS)
        _count(notification, "sent")
        log.info("notification_sent", tries=notification.tries, server_reply=without_addresses(reply))

    async def _to_the_end(self, recording: Awaitable[None]) -> None:
        """Await `recording`, and let it end even when we are cancelled meanwhile."""
        task = asyncio.ensure_future(recording)
        self._recording.add(task)
        task.add_done_callback(self._recording.discard)
        await asyncio.shield(task)


class LostClaim(TryAgain):
    """The lease ended while we were writing, and somebody else has the notification."""


def _clock() -> float:
    """In seconds; it goes on while the process, or the machine, stands still."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _log_of(notification: Notification) -> structlog.stdlib.BoundLogger:
    log: structlog.stdlib.BoundLogger = _log.bind(
        mail_id=str(notification.mail_id), notification_id=str(notification.id), kind=notification.kind.value
    )
    return log


def _tell_of_template(composed: Composed, notification: Notification) -> None:
    if composed.template_problems:
        problems = [str(problem) for problem in composed.template_problems]
        _log_of(notification).warning("template_unusable", problems=problems)


def _count(notification: Notification, result: str) -> None:
    _ended.labels(notification.kind.value, result).inc()
