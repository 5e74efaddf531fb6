"""Which mailbox is checked when, and by whom: leases, a bounded number of checks at once, and what is recorded of each.

A fetcher takes the mailboxes whose turn has come, the longest overdue first, as many as it has room for; of a server
that does not answer only some (`rules.places`), and once it answers again all that wait for it have their turn. Each is
held under a lease that is renewed while it is worked on; a lease that is lost (this process hung, the mailbox was
switched off or became another one) stops the check. Nothing but the lease keeps two fetchers apart, and nothing is lost
or doubled where it fails: every mail has its identity.
"""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog

from services.fetcher import metrics
from services.fetcher.after_import import AfterImport, Stopped
from services.fetcher.flow import Check, Findings, NewCheck
from services.fetcher.login import Login, learnt_from
from services.fetcher.mailboxes.protocol import LoginRefused, MailboxError, MailboxUnreachable
from services.fetcher.open_mailboxes import NoRoom, OpenMailboxes
from services.fetcher.read_again import read_filed_mail_again
from services.fetcher.repository.mailboxes import AfterImportStanding, ClaimedMailbox, MailboxRepository, Went
from services.fetcher.rules.backoff import OUTAGE, after_failure, after_import_failure
from services.fetcher.rules.due import pause_reason
from services.fetcher.rules.places import Room, Running, room
from services.fetcher.rules.problem import Problem, ProblemKind
from services.fetcher.servers import Servers
from shared.connecting import ForbiddenAddress
from shared.dialogue import Dialogue, recorded
from shared.errors import TryAgain
from shared.logins import rest_after_refusals

LOOK_SECONDS: Final = 1.0
"""How often the database is asked whose turn it is; a change that is noticed is looked at once."""
HELD_BACK: Final = timedelta(seconds=2)
"""When a mailbox has its turn again that had to wait: so many of its mails are on their way, or its server allows no
more connections."""
TROUBLE_SECONDS: Final = 5.0
"""The pause after the database could not be asked."""
LONGEST_CHECK: Final = timedelta(minutes=15)
"""So that a server that answers a byte at a time, for ever, keeps no place from other mailboxes."""

OUR_OUTAGE: Final = (
    "De importer kan mail nu niet verwerken doordat de berichtenserver of de database niet meewerkt. "
    "Dat herstelt meestal vanzelf; duurt het langer dan enkele minuten, laat de beheerder dan die servers controleren."
)
OUR_ERROR: Final = (
    "Er ging iets mis in de importer zelf ({}). De mail blijft ongelezen en wordt later opnieuw geprobeerd. "
    "Meld dit aan de leverancier, met de regel «check.failed» uit het logboek van de fetcher."
)
AFTER_IMPORT: Final = (
    "Nieuwe mail komt binnen, maar geïmporteerde mail wordt niet gemarkeerd, verplaatst of verwijderd: {}"
)

log = structlog.get_logger(__name__)


class CheckTooLong(MailboxUnreachable):
    """A check took all of its time; `got_on`: mails were taken in meanwhile."""

    def __init__(self, *, got_on: bool) -> None:
        super().__init__(
            f"De mailserver antwoordt zo langzaam dat de controle na {LONGEST_CHECK.total_seconds() / 60:.0f} minuten "
            "is afgebroken: laat de beheerder van de mailserver nagaan waarom. De importer probeert het later opnieuw."
        )
        self.got_on = got_on


@dataclass(slots=True)
class _Running:
    """A check that goes on; `check` is there once its mailbox is open."""

    claimed: ClaimedMailbox
    task: asyncio.Task[None]
    began: float
    check: Check | None = None
    dialogue: Dialogue | None = None

    def went(self, *, failed: bool) -> Went:
        """What it has come to so far; where it failed, with its dialogue."""
        took = timedelta(seconds=time.monotonic() - self.began)
        dialogue = self.dialogue.told() if failed and self.dialogue is not None else []
        if self.check is None:
            return Went(took, dialogue=dialogue)
        findings = self.check.findings
        return Went(took, findings.unread, findings.taken_in, self.check.after_import.done, dialogue)

    def at(self, now: float) -> Running:
        got_on_at = self.began if self.check is None else self.check.got_on_at
        return Running(self.claimed.server, timedelta(seconds=now - got_on_at))


class Schedule:
    """Checks the mailboxes that are on, beside other fetchers that do the same."""

    def __init__(
        self,
        repository: MailboxRepository,
        new_check: NewCheck,
        *,
        at_once: int,
        lease: timedelta,
    ) -> None:
        self._repository = repository
        self._new_check = new_check
        self._at_once = at_once
        self._lease = lease
        self._stop = asyncio.Event()
        self._look = asyncio.Event()
        self._open = OpenMailboxes(self._on_change)
        self._servers = Servers()
        self._checks: dict[int, _Running] = {}
        self._unrecorded: set[int] = set()
        """Mailboxes whose check was not recorded, in an outage or since the lease was lost: what is left of their
        leases is given back."""

    async def run(self, stop: asyncio.Event) -> None:
        """Check mailboxes until `stop` is set; then end the checks in progress after their batch of mails."""
        self._stop = stop
        try:
            async with asyncio.TaskGroup() as group:
                leases = group.create_task(self._keep_leases(), name="keep leases")
                await self._look_until_stopped()
                await self._end_checks()
                leases.cancel()
        finally:
            for running in self._checks.values():
                running.task.cancel()
            await self._end_checks()
            await self._open.close_all()

    async def _look_until_stopped(self) -> None:
        stopping = asyncio.create_task(self._stop.wait(), name="wait for stop")
        while not self._stop.is_set():
            pause = LOOK_SECONDS
            try:
                await self._start_checks()
            except TryAgain as trouble:
                log.warning("schedule_waits", error=str(trouble))
                pause = TROUBLE_SECONDS
            looking = asyncio.create_task(self._look.wait(), name="wait for a change")
            await asyncio.wait([looking, stopping], timeout=pause, return_when=asyncio.FIRST_COMPLETED)
            looking.cancel()
            self._look.clear()

    async def _end_checks(self) -> None:
        if self._checks:
            await asyncio.wait([running.task for running in self._checks.values()])

    async def _start_checks(self) -> None:
        await self._open.close_all(but={*self._checks, *await self._repository.unchanged(self._open.settings_versions)})
        if self._unrecorded:
            await self._repository.release(self._unrecorded)
            self._unrecorded.clear()
        while (left := self._room()).checks > 0:
            too_many = []
            for claimed in await self._repository.claim(self._lease, left.checks, busy=self._checks, full=left.full):
                if left.left(claimed.server) > 0:
                    left = left.with_one_of(claimed.server)
                    task = asyncio.create_task(self._check(claimed), name=f"check mailbox {claimed.helpdesk_id}")
                    self._checks[claimed.helpdesk_id] = _Running(claimed, task, time.monotonic())
                else:
                    too_many.append(claimed.helpdesk_id)
            if not too_many:
                break
            await self._repository.release(too_many)

    def _room(self) -> Room:
        now = time.monotonic()
        running = [check.at(now) for check in self._checks.values()]
        return room(running, places=self._at_once, unanswering=self._servers.unanswering)

    async def _on_change(self, helpdesk_id: int) -> None:
        await self._repository.changed(helpdesk_id)
        self._look.set()

    async def _keep_leases(self) -> None:
        while True:
            await asyncio.sleep(self._lease.total_seconds() / 3)
            with suppress(TryAgain):  # the database is away for the other fetchers too
                held = dict(self._checks)
                kept = await self._repository.renew(
                    self._lease, {helpdesk_id: running.claimed.generation for helpdesk_id, running in held.items()}
                )
                for helpdesk_id in held.keys() - kept:
                    if not held[helpdesk_id].task.done():
                        log.warning("check_lease_lost", helpdesk_id=helpdesk_id)
                        held[helpdesk_id].task.cancel()

    async def _check(self, claimed: ClaimedMailbox) -> None:
        helpdesk_id = claimed.helpdesk_id
        with structlog.contextvars.bound_contextvars(helpdesk_id=helpdesk_id):
            try:
                await self._check_and_record(claimed)
            except asyncio.CancelledError:
                self._unrecorded.add(helpdesk_id)
                raise
            except TryAgain as trouble:
                self._unrecorded.add(helpdesk_id)
                log.warning("check_not_recorded", error=str(trouble))
            except Exception:
                log.exception("check_not_recorded")  # nobody opens the mailbox until the lease has run out
            finally:
                del self._checks[helpdesk_id]
                self._look.set()

    async def _check_and_record(self, claimed: ClaimedMailbox) -> None:
        if await self._rests(claimed):
            return
        try:
            with metrics.check_seconds.labels(str(claimed.helpdesk_id)).time():
                findings, after_import = await self._look_through(claimed)
        except Stopped:
            await self._repository.release([claimed.helpdesk_id])
        except NoRoom:
            await self._repository.put_off(claimed, HELD_BACK)
        except TryAgain as outage:
            log.warning("check_interrupted", error=str(outage))
            problem = Problem(ProblemKind.OUR_OUTAGE, OUR_OUTAGE)
            await self._finish(claimed, problem=problem, delay=OUTAGE, failed_checks=claimed.failed_checks)
        except Exception as error:  # noqa: BLE001 - our bug must not stop the other mailboxes: shown, counted, tried again
            await self._failed(claimed, error, _trouble(error))
        else:
            whole = not (findings.more or findings.unreadable)
            if whole:
                await self._repository.record_backlog(claimed, findings.waiting)
                if claimed.read_again is not None and findings.reached is not None and not findings.goes_on:
                    await self._repository.record_read_again(claimed)
                await self._record_reached(claimed, findings)
            standing = await self._record_after_import(claimed, after_import)
            pause = self._open.pause(claimed, arrived=findings.taken_in > 0)
            if findings.more or findings.goes_on or after_import.more:
                pause = HELD_BACK if findings.held_back else timedelta(0)
            await self._finish(
                claimed,
                problem=_problem(claimed, findings, standing),
                delay=pause,
                succeeded=whole,
                login=Login.TAKEN,
                failed=findings.unreadable > 0 or after_import.trouble is not None,
            )
            self._open.watch(claimed.helpdesk_id)
            await self._met(claimed.server)

    async def _rests(self, claimed: ClaimedMailbox) -> bool:
        """Whether nothing is asked of the mailbox now; if so, that is recorded."""
        paused = pause_reason(claimed.roles)
        if paused is not None:
            await self._open.close(claimed.helpdesk_id)
            await self._finish(claimed, problem=Problem(ProblemKind.PAUSED, paused), delay=claimed.check_interval)
            return True
        login = claimed.login
        if login is not None and login.rests_for is not None:  # all who use it could together lock the account
            await self._open.close(claimed.helpdesk_id)
            problem = Problem(ProblemKind.LOGIN_REFUSED, login.refusal)
            await self._finish(claimed, problem=problem, delay=login.rests_for, failed_checks=claimed.failed_checks)
            return True
        return False

    async def _look_through(self, claimed: ClaimedMailbox) -> tuple[Findings, AfterImport]:
        check, deadline = None, asyncio.timeout(LONGEST_CHECK.total_seconds())
        password = claimed.access.password
        dialogue = Dialogue([] if password is None else [password.get_secret_value()])
        self._checks[claimed.helpdesk_id].dialogue = dialogue
        try:
            async with deadline:
                with recorded(dialogue):
                    check = self._new_check(claimed, await self._open.take(claimed), stop=self._stop)
                    self._checks[claimed.helpdesk_id].check = check
                    findings = await check.run()
                    if claimed.read_again is not None and not (findings.more or findings.goes_on):
                        await read_filed_mail_again(claimed, findings, self._new_check, self._stop)
                    return findings, check.after_import
        except BaseException as error:
            await self._open.close(claimed.helpdesk_id)
            if isinstance(error, TimeoutError) and deadline.expired():
                raise CheckTooLong(got_on=check is not None and check.findings.taken_in > 0) from error
            raise
        finally:
            if check is not None:
                _record(claimed.helpdesk_id, check)

    async def _record_reached(self, claimed: ClaimedMailbox, findings: Findings) -> None:
        if findings.reached is not None or (claimed.following is None and claimed.was_followed):
            await self._repository.record_reached(claimed, findings.reached)

    async def _record_after_import(self, claimed: ClaimedMailbox, went: AfterImport) -> AfterImportStanding:
        """Record what went wrong after the import, and how long it rests; a mailbox in order is not written to."""
        before = claimed.after_import_standing
        if before.rests or (went.trouble is None and not (went.tried and before.failures)):
            return before
        if went.trouble is None:
            standing, pause = AfterImportStanding(), timedelta(0)
        else:
            standing = AfterImportStanding(before.failures + 1, _trouble(went.trouble).sentence)
            pause = after_import_failure(standing.failures, jitter=random.random())  # noqa: S311 - as below
            metrics.failures.labels(str(claimed.helpdesk_id), "AfterImport").inc()
            log.warning(
                "after_import_failed",
                error=type(went.trouble).__name__,
                problem=standing.problem,
                failures=standing.failures,
                next_try_seconds=round(pause.total_seconds()),
            )
        await self._repository.record_after_import(claimed, standing, pause)
        return standing

    async def _met(self, server: str) -> None:
        """The server answered: where it did not before, the mailboxes that wait for it have their turn."""
        if self._servers.answered(server):
            log.info("mail_server_answers_again", server=server)
            await self._repository.wake(server)

    async def _failed(self, claimed: ClaimedMailbox, error: Exception, problem: Problem) -> None:
        if problem.kind is ProblemKind.UNREACHABLE:
            self._servers.did_not_answer(claimed.server)
        if isinstance(error, CheckTooLong) and error.got_on:  # much mail: the rest comes when the others had their turn
            await self._finish(claimed, problem=None, delay=timedelta(0), login=Login.TAKEN)
            return
        metrics.failures.labels(str(claimed.helpdesk_id), type(error).__name__).inc()
        failed_checks, jitter = claimed.failed_checks + 1, random.random()  # noqa: S311 - to spread load, no secret
        if isinstance(error, LoginRefused):
            refusals = failed_checks if claimed.login is None else claimed.login.refused_logins + 1
            delay = rest_after_refusals(refusals, jitter=jitter)
        else:
            asked = error.after if isinstance(error, MailboxUnreachable) else None
            delay = after_failure(failed_checks, claimed.check_interval, jitter=jitter, asked=asked)
        log.warning(
            "mailbox_check_failed",
            error=type(error).__name__,
            kind=problem.kind.value,
            problem=problem.sentence,
            failed_checks=failed_checks,
            next_check_seconds=round(delay.total_seconds()),
        )
        await self._finish(
            claimed,
            problem=problem,
            delay=delay,
            failed_checks=failed_checks,
            login=learnt_from(error, claimed.access),
            failed=True,
        )

    async def _finish(
        self,
        claimed: ClaimedMailbox,
        *,
        problem: Problem | None,
        delay: timedelta,
        succeeded: bool = False,
        failed_checks: int = 0,
        login: Login = Login.NOT_TRIED,
        failed: bool = False,
    ) -> None:
        """`failed`: what was asked of the mail server and what came is kept, for people to see."""
        await self._repository.finish(
            claimed,
            succeeded=succeeded,
            next_check_after=delay,
            failed_checks=failed_checks,
            problem=problem,
            login=login,
            went=self._checks[claimed.helpdesk_id].went(failed=failed),
        )


def _record(helpdesk_id: int, check: Check) -> None:
    metrics.record_findings(helpdesk_id, check.findings)
    if check.findings.taken_in or check.after_import.done:
        log.info("mailbox_checked", taken_in=check.findings.taken_in, done_after_import=check.after_import.done)


def _trouble(error: Exception) -> Problem:
    """What people read of an error; one that is no error of a mailbox is a bug of ours."""
    if isinstance(error, MailboxError):
        return Problem(error.kind, str(error))
    if isinstance(error, ForbiddenAddress):
        return Problem(ProblemKind.MAILBOX_MISSING, error.sentence)
    log.error("check_failed", exc_info=error)
    return Problem(ProblemKind.OUR_ERROR, OUR_ERROR.format(type(error).__name__))


def _problem(claimed: ClaimedMailbox, findings: Findings, after_import: AfterImportStanding) -> Problem | None:
    """What people must know of a check that went through to its end; None when there is nothing."""
    if findings.unreadable:
        others = findings.unreadable - 1
        sentence = findings.unreadable_because + (f" En zo nog {others} andere." if others else "")
        return Problem(ProblemKind.MAIL_UNREADABLE, sentence)
    if after_import.problem is not None:
        return Problem(ProblemKind.AFTER_IMPORT, AFTER_IMPORT.format(after_import.problem))
    if findings.waiting:
        return Problem(
            ProblemKind.BACKLOG_WAITS,
            f"Meer dan {claimed.backlog_limit} ongelezen mails zijn ouder dan {claimed.old_mail_days} dagen "
            "en wachten op een keuze: importeren, importeren zonder mails te versturen, of gelezen markeren.",
        )
    return None
