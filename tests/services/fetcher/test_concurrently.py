"""Doing the same to many mails at once, within bounds."""

import asyncio

import pytest

from services.fetcher.concurrently import ByteBudget, attempt_all


async def test_one_that_fails_takes_none_of_the_others_with_it() -> None:
    async def halve(number: int) -> float:
        await asyncio.sleep(0)
        return 10 / number

    attempts = await attempt_all([1, 0, 2], halve)
    assert attempts.done == [(1, 10), (2, 5)]
    assert [item for item, _ in attempts.failed] == [0]
    with pytest.raises(ZeroDivisionError):
        attempts.raise_first()


async def test_they_begin_in_their_order() -> None:
    begun: list[int] = []

    async def begin(number: int) -> None:
        begun.append(number)
        await asyncio.sleep(0)

    await attempt_all(range(20), begin)
    assert begun == list(range(20))


async def test_a_cancelled_one_is_no_failure_to_count_but_the_end() -> None:
    async def end(_: int) -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await attempt_all([1], end)


async def test_a_budget_is_never_exceeded_and_serves_in_order() -> None:
    budget = ByteBudget(100)
    held: list[int] = []
    served: list[int] = []

    async def use(size: int) -> None:
        async with budget.reserve(size):
            served.append(size)
            held.append(size)
            assert sum(held) <= 100
            await asyncio.sleep(0)
            held.remove(size)

    sizes = [60, 30, 50, 99, 1, 2]
    async with asyncio.TaskGroup() as tasks:
        for size in sizes:
            tasks.create_task(use(size))
    assert served == sizes


async def test_more_than_the_whole_budget_waits_for_all_of_it() -> None:
    budget = ByteBudget(100)
    async with asyncio.timeout(5), budget.reserve(1_000_000):
        waiting = asyncio.create_task(asyncio.wait_for(budget.reserve(1).__aenter__(), 5))
        await asyncio.sleep(0)
        assert not waiting.done()
    await waiting


async def test_what_was_reserved_comes_back_after_an_error() -> None:
    budget = ByteBudget(100)
    with pytest.raises(ZeroDivisionError):
        async with budget.reserve(100):
            raise ZeroDivisionError
    async with asyncio.timeout(5), budget.reserve(100):
        pass
