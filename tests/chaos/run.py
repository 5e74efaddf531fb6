"""The story of a run: learn what mails become, send many while everything fails, let it drain, compare."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import asyncpg

from deploy.demo.maildir import Maildir
from shared.errors import ImporterError
from tests.chaos import comparison
from tests.chaos.comparison import Mail
from tests.chaos.doing import NothingToDo, do
from tests.chaos.mails import Becomes, Draft, drafts, one_of_each
from tests.chaos.plan import Fault, Lane
from tests.chaos.reconciled import Reconciled, reconciled
from tests.chaos.records import Records, read_in_mailboxes, read_records
from tests.chaos.stage import Stage
from tests.faults.mails import Kind as MailKind

FAULT_SECONDS: Final = 400.0
"""The longest that a fault may take to be done and undone, servers' start included."""
CALM_LOOKS: Final = 3
LOOK_SECONDS: Final = 0.5
_OPEN: Final = """
    SELECT $1 - count(*) FILTER (WHERE outcome IS NOT NULL AND published_at IS NOT NULL AND marked_read_at IS NOT NULL
                                 AND (event_published_at IS NOT NULL OR outcome NOT IN ('ticket', 'supplement')))
           + (SELECT count(*) FROM helpdesk.notifications WHERE state = 'planned')
    FROM helpdesk.imported_mails"""
_DUE_NOW: Final = (
    "UPDATE helpdesk.notifications SET next_try_at = now() WHERE state = 'planned' AND next_try_at > now()"
)


@dataclass(frozen=True, slots=True)
class Done:
    """A fault that was done, from its beginning to its end (seconds since 1970)."""

    fault: Fault
    begin: float
    end: float


@dataclass(slots=True)
class Findings:
    """What a run brought to light; each list has a sentence a difference."""

    seed: int
    mails: int
    faults: Sequence[Done]
    lost: list[str]
    doubled: list[str]
    misfiled: list[str]
    notifications_missing: list[str]
    notifications_doubled: list[str]
    smtp_window: int
    recovery: list[float]
    """Seconds from the end of each fault to the next outcome, where mail waited for one."""
    delivered_at: Sequence[float]
    outcomes_at: Sequence[float]
    received_at: Sequence[float]
    troubles: Sequence[str]
    """Faults that could not be done as planned; what was still open at the deadline."""
    reconciled: Reconciled
    """The importer's own comparison."""

    @property
    def differences(self) -> list[str]:
        """Every sentence, with what it is about."""
        kinds = ("lost", "doubled", "misfiled", "notifications_missing", "notifications_doubled")
        ours = [f"{kind}: {sentence}" for kind in kinds for sentence in getattr(self, kind)]
        return ours + [f"reconcile: {sentence}" for sentence in self.reconciled.left]


@dataclass(slots=True)
class Chaos:
    """One run on a stage. `patience`: seconds for all to drain once nothing fails any more."""

    stage: Stage
    seed: int
    plan: Sequence[Fault]
    patience: float
    tell: Callable[[str], None] = lambda _sentence: None
    mails: list[Mail] = field(default_factory=list)
    done: list[Done] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    _delivered_at: list[float] = field(default_factory=list)
    _becomes: dict[tuple[MailKind, str], Becomes] = field(default_factory=dict)

    async def run(self, count: int) -> Findings:
        """Send so many mails while the plan is carried out."""
        await self._learn()
        first = len(self.mails) + 1
        async with asyncio.TaskGroup() as group:
            group.create_task(self._send(list(drafts(self.seed, count, first))))
            group.create_task(self._fail())
        self.tell(f"{len(self.done)} faults are over; what waits is waited for …")
        await self._drained()
        return await self._compare()

    async def _learn(self) -> None:
        """Let a mail of each kind go undisturbed: what it becomes is what must become of the others."""
        learned = {draft: self._deliver(draft) for draft in one_of_each(1)}
        self.mails = [Becomes().mail(draft, key) for draft, key in learned.items()]
        await self._drained()
        records = await self._read()
        for draft, key in learned.items():
            [place] = [place for place in records.placed if place.key == key]
            self._becomes[draft.kind, draft.mailbox] = Becomes(
                draft.number in place.texts,
                draft.number in place.pictures,
                tuple(each.kind for each in records.notifications if each.key == key and each.state == "sent"),
            )
        self.mails = [self._becomes[draft.kind, draft.mailbox].mail(draft, key) for draft, key in learned.items()]

    def _deliver(self, draft: Draft) -> str:
        delivered = Maildir(self.stage.mailboxes / draft.mailbox).deliver(draft.content)
        self._delivered_at.append(delivered.at)
        return delivered.unique_name

    async def _send(self, waiting: Sequence[Draft]) -> None:
        """Put the mails into the mailboxes, as far apart as the plan is long."""
        pause = self.plan[-1].at / len(waiting)
        begin = time.monotonic()
        for place, draft in enumerate(waiting):
            await asyncio.sleep(max(0.0, begin + place * pause - time.monotonic()))
            key = self._deliver(draft)
            self.mails.append(self._becomes[draft.kind, draft.mailbox].mail(draft, key))

    async def _fail(self) -> None:
        """Carry out the plan: of one lane one fault at a time, lanes beside each other."""
        lanes = {lane: asyncio.Lock() for lane in Lane}
        begin = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for fault in self.plan:
                await asyncio.sleep(max(0.0, begin + fault.at - time.monotonic()))
                group.create_task(self._do(fault, lanes[fault.lane]))

    async def _do(self, fault: Fault, lane: asyncio.Lock) -> None:
        async with lane:
            begin = time.time()
            try:
                async with asyncio.timeout(FAULT_SECONDS):
                    await do(self.stage, fault)
            except NothingToDo:
                self.troubles.append(f"{fault.kind} ({fault.target}): there was nothing to do it to")
                return
            except (OSError, TimeoutError, ImporterError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                self.troubles.append(f"{fault.kind} ({fault.target}): {type(error).__name__} {error}")
                return
            self.done.append(Done(fault, begin, time.time()))
            if len(self.done) % 20 == 0:
                self.tell(f"{len(self.done)} of {len(self.plan)} faults, {len(self.mails)} mails sent …")

    async def _drained(self) -> None:
        """Return once nothing is left to be done, or after `patience`. Hours between tries are let pass."""
        deadline = time.monotonic() + self.patience
        calm = 0
        told = time.monotonic()
        left: int | str = "nothing could be asked of the database"
        while calm < CALM_LOOKS:
            if time.monotonic() > deadline:
                self.troubles.append(f"after {self.patience:.0f} s still open: {left}")
                return
            with suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                async with self.stage.look() as connection:
                    left = await connection.fetchval(_OPEN, len(self.mails))
                    await connection.execute(_DUE_NOW)
            calm = calm + 1 if left == 0 else 0
            if time.monotonic() - told > 20:
                told = time.monotonic()
                self.tell(f"still open: {left}")
            await asyncio.sleep(LOOK_SECONDS)

    async def _read(self) -> Records:
        async with self.stage.look() as connection:
            return await read_records(connection)

    async def _compare(self) -> Findings:
        records = await self._read()
        receipts = self.stage.post.receipts()
        read = read_in_mailboxes(self.stage.mailboxes)
        twice, window = comparison.notifications_doubled(records.notifications, receipts, self.stage.post.deaths)
        outcomes_at = [moment.timestamp() for moment in records.outcomes_at]
        ends = [done.end for done in self.done]
        return Findings(
            seed=self.seed,
            mails=len(self.mails),
            faults=self.done,
            lost=comparison.lost(self.mails, records.rows, records.placed, read),
            doubled=comparison.doubled(records.rows, records.placed),
            misfiled=comparison.misfiled(self.mails, records.placed),
            notifications_missing=comparison.notifications_missing(self.mails, records.notifications, receipts),
            notifications_doubled=twice,
            smtp_window=window,
            recovery=comparison.recovery_seconds(ends, self._delivered_at, outcomes_at),
            delivered_at=self._delivered_at,
            outcomes_at=outcomes_at,
            received_at=[at for _, at, _ in self.stage.post.taken],
            troubles=self.troubles,
            reconciled=await reconciled(self.stage),
        )
