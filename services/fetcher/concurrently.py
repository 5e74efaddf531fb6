"""Doing the same to many mails at once, so that one that fails takes none of the others with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Attempts(Generic[T, R]):
    """What came of each: `done` in the order of the items, with its result; `failed` with its error."""

    done: list[tuple[T, R]]
    failed: list[tuple[T, Exception]]

    def raise_first(self) -> None:
        """Raise the first failure, if there is one."""
        if self.failed:
            raise self.failed[0][1]


async def attempt_all(items: Sequence[T], act: Callable[[T], Awaitable[R]]) -> Attempts[T, R]:
    """`act` on all items at once; started in their order, and awaited to the last."""
    done: list[tuple[T, R]] = []
    failed: list[tuple[T, Exception]] = []
    for item, result in zip(items, await asyncio.gather(*map(act, items), return_exceptions=True), strict=True):
        if isinstance(result, Exception):
            failed.append((item, result))
        elif isinstance(result, BaseException):
            raise result
        else:
            done.append((item, result))
    return Attempts(done, failed)


class ByteBudget:
    """Bytes of mail that a process may hold at a time, in memory and temporary files; first come, first served."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._free = capacity
        self._returned = asyncio.Condition()
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def reserve(self, size: int) -> AsyncIterator[None]:
        """Wait until `size` bytes are free (at most the whole capacity), and hold them."""
        held = min(size, self._capacity)
        async with self._turn, self._returned:
            await self._returned.wait_for(lambda: self._free >= held)
            self._free -= held
        try:
            yield
        finally:
            self._free += held
            async with self._returned:
                self._returned.notify_all()
