"""What several tasks ask of a mailbox at the same time, asked in one go.

    marks = Gathering(mark_all, at_most=20)
    await marks.ask(mail)       # each in a task of its own

A server does one thing at a time for a mailbox, so tasks wait for their turn; what waits when the turn comes goes
together. Nothing waits for more than that: what is asked alone goes alone.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Gathering(Generic[T, R]):
    """`act` does several things at once: for each, in their order, what it gave or the error that it met.

    An error that `act` raises is that of each.
    """

    def __init__(self, act: Callable[[Sequence[T]], Awaitable[Sequence[R | Exception]]], *, at_most: int) -> None:
        self._act = act
        self._at_most = at_most
        self._waiting: deque[tuple[T, asyncio.Future[R]]] = deque()
        self._turn = asyncio.Lock()

    async def ask(self, thing: T) -> R:
        """What `act` gives for this; raises its error."""
        answer: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        mine = (thing, answer)
        self._waiting.append(mine)
        try:
            async with self._turn:
                await asyncio.sleep(0)  # whoever was started with this one asks too
                while not answer.done():
                    await self._answer_some()
        finally:
            answer.cancel()
            if mine in self._waiting:
                self._waiting.remove(mine)
        return answer.result()

    async def _answer_some(self) -> None:
        some = [self._waiting.popleft() for _ in range(min(self._at_most, len(self._waiting)))]
        try:
            given = await self._act([thing for thing, _ in some])
        except asyncio.CancelledError:
            self._waiting.extendleft(reversed(some))  # the next one asks for the others again
            raise
        except Exception as error:  # noqa: BLE001 - it goes to whoever asked
            given = [error for _ in some]
        for (_, answer), one in zip(some, given, strict=True):
            if answer.done():  # nobody waits for it any more
                continue
            if isinstance(one, Exception):
                answer.set_exception(one)
            else:
                answer.set_result(one)
