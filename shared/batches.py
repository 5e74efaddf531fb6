"""Work that many tasks ask for one by one, done for all of them at once.

    look_up = Batches(look_up_all, what="look-ups")   # async def look_up_all(asked: Sequence[Asked]) -> Sequence[Known]
    known = await look_up.of(asked)                   # in each task; returns or raises as if it were alone

Whatever waits when the work begins is one batch; who asks alone is answered at once. While a batch is being done the
next one gathers: the busier, the larger, the cheaper each. Items that are under way are waited for,
`patience_seconds` at most: those that somebody said are `coming`, as many as `worth` says, or as many as were done
together the last time (`as_many_as_before`): what comes in groups comes one by one all the same, and its first would
be done alone.

A batch that fails is done again item by item, each failing for itself: one bad item costs the others nothing but time.
The work must therefore leave nothing behind when it raises (a transaction). An `Outage` is everybody's, and what else
`everybodys` names: nothing is done again then. What is done is cancelled once all who asked for it are.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

import structlog
from prometheus_client import Counter, Histogram

from shared.errors import Outage

MOST: Final = 32
"""Items of a batch: beyond that a batch saves little more, and its transaction only holds its locks for longer."""
PATIENCE_SECONDS: Final = 0.1
"""How long the first of a batch waits for those that are worth waiting for, where nothing else is said."""

Item = TypeVar("Item")
Result = TypeVar("Result")

_log = structlog.get_logger(__name__)
_items = Histogram(
    "importer_batch_items", "What was done at once, by what it is", ["what"], buckets=(1, 2, 4, 8, 16, 32, 64)
)
_redone = Counter("importer_batches_redone_total", "Batches that failed and were done again item by item", ["what"])


class Interrupted(Outage):
    """The work was cancelled though nobody cancelled it: a client on a stuck connection does so."""


@dataclass(slots=True, eq=False)
class _Asked(Generic[Item, Result]):
    item: Item
    answer: asyncio.Future[Result]
    done_by: asyncio.Task[None] | None = None
    """The task that does the batch with this item, while it does so."""
    companions: Sequence[_Asked[Item, Result]] = field(default=(), repr=False)


class Batches(Generic[Item, Result]):
    """Does `work` for what waits, at most `most` items a batch and `at_once` batches side by side.

    `work` gives one result for each item, in their order; a result that is an exception is raised for that item alone.
    It runs outside the context of those who ask (their spans, their variables of the log). `everybodys` are the errors,
    besides an Outage, that all of a batch would meet one by one as well.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Item]], Awaitable[Sequence[Result | Exception]]],
        *,
        what: str,
        most: int = MOST,
        at_once: int = 1,
        everybodys: type[Exception] = Outage,
        worth: Callable[[], int] = lambda: 1,
        patience_seconds: float = PATIENCE_SECONDS,
        as_many_as_before: bool = False,
    ) -> None:
        self._worth = worth
        self._as_many_as_before = as_many_as_before
        self._before = 1
        """Items of the batch before."""
        self._coming = 0
        self._patience_seconds = patience_seconds
        self._patience: asyncio.TimerHandle | None = None
        """Runs while a batch gathers."""
        self._everybodys = (Outage, everybodys)
        self._work = work
        self._what = what
        self._most = most
        self._at_once = at_once
        self._waiting: deque[_Asked[Item, Result]] = deque()
        self._running: set[asyncio.Task[None]] = set()
        self._items = _items.labels(what)
        _redone.labels(what)

    @contextmanager
    def coming(self) -> Iterator[None]:
        """Around what makes an item ready that is asked for next: who waits already waits for it, for a moment."""
        self._coming += 1
        try:
            yield
        finally:
            self._coming -= 1
            if self._waiting:  # for others of these, or for nothing any more
                self._begin()

    async def of(self, item: Item) -> Result:
        """The result of one item, or what `work` raises for it."""
        asked: _Asked[Item, Result] = _Asked(item, asyncio.get_running_loop().create_future())
        self._waiting.append(asked)
        self._begin()
        try:
            return await asked.answer
        except asyncio.CancelledError:
            _cancel_if_unwanted(asked)
            raise

    def _begin(self) -> None:
        """Do what waits, or let it gather while more is worth waiting for."""
        if len(self._running) >= self._at_once:
            return
        if len(self._waiting) >= max(self._enough(), min(self._most, len(self._waiting) + self._coming)):
            self._begin_now()
        elif self._patience is None:
            self._patience = asyncio.get_running_loop().call_later(self._patience_seconds, self._begin_now)

    def _enough(self) -> int:
        """How many items are worth waiting for."""
        before = self._before if self._as_many_as_before else 1
        return max(1, min(self._most, max(before, self._worth())))

    def _begin_now(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
        task = asyncio.create_task(self._do_waiting(), name=self._what, context=contextvars.Context())
        self._running.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # looked at, as asyncio wants it: who asked has been told
        if self._waiting:  # came while the last batch ended, gathers, or is left by a batch that was cancelled
            self._begin()

    async def _do_waiting(self) -> None:
        task = asyncio.current_task()
        worth = 1  # at first: it has gathered
        while len(self._waiting) >= worth:
            batch = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
            batch = [asked for asked in batch if not asked.answer.done()]
            if not batch:
                continue
            for asked in batch:
                asked.done_by, asked.companions = task, batch
            self._items.observe(len(batch))
            self._before = len(batch)
            try:
                await self._do(batch)
            finally:
                for asked in batch:
                    asked.done_by, asked.companions = None, ()  # in no circle: a mail's images would stay for long
            worth = self._enough()

    async def _do(self, batch: Sequence[_Asked[Item, Result]]) -> None:
        try:
            results = await self._work([asked.item for asked in batch])
        except self._everybodys as error:
            _fail(batch, error)
        except asyncio.CancelledError:
            _fail(batch, Interrupted(f"A connection stopped answering during {self._what}"))
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
        except Exception as error:  # noqa: BLE001 - whoever asked is told, whatever it is
            await self._do_one_by_one(batch, error)
        except BaseException as error:  # the process ends: nobody is left waiting for that
            _fail(batch, error)
            raise
        else:
            for asked, result in zip(batch, results, strict=True):
                _answer(asked, result)

    async def _do_one_by_one(self, batch: Sequence[_Asked[Item, Result]], error: Exception) -> None:
        if len(batch) == 1:
            _fail(batch, error)
            return
        _redone.labels(self._what).inc()
        _log.warning("batch_done_one_by_one", what=self._what, items=len(batch), trouble=type(error).__name__)
        for asked in batch:
            if not asked.answer.done():
                await self._do([asked])


def _answer(asked: _Asked[Item, Result], result: Result | BaseException) -> None:
    if asked.answer.done():  # who asked has gone
        return
    if isinstance(result, BaseException):
        asked.answer.set_exception(result)
    else:
        asked.answer.set_result(result)


def _fail(batch: Sequence[_Asked[Item, Result]], error: BaseException) -> None:
    for asked in batch:
        _answer(asked, error)


def _cancel_if_unwanted(asked: _Asked[Item, Result]) -> None:
    """End the work under way when all who asked for it have gone."""
    if asked.done_by is not None and all(each.answer.done() for each in asked.companions):
        asked.done_by.cancel()
