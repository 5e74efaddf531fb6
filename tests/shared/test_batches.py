"""Work for many at once: what waits is one batch, and each gets its own result, whatever comes of the others."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.batches import Batches, Interrupted
from shared.errors import DeadLetter, Outage, TryAgain


class Work:
    """Doubles numbers, and remembers what it was given at once; holds while `go` is not set."""

    def __init__(self, bad: dict[int, Exception] | None = None) -> None:
        self.batches: list[list[int]] = []
        self.bad = bad or {}
        self.go = asyncio.Event()
        self.go.set()
        self.cancelled = 0

    async def __call__(self, numbers: Sequence[int]) -> list[int]:
        self.batches.append(list(numbers))
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        for number in numbers:
            if number in self.bad:
                raise self.bad[number]
        return [2 * number for number in numbers]


async def ask(batches: Batches[int, int], numbers: Sequence[int]) -> list[int | BaseException]:
    return await asyncio.gather(*(batches.of(number) for number in numbers), return_exceptions=True)


async def until(work: Work, batches: int) -> None:
    while len(work.batches) < batches:
        await asyncio.sleep(0)


async def test_who_asks_alone_is_answered_at_once() -> None:
    work = Work()
    assert await Batches(work, what="test").of(21) == 42
    assert work.batches == [[21]]


class _Large:
    """An item that is worth letting go."""


async def test_an_item_is_let_go_once_it_is_done_without_a_collection() -> None:
    async def work(items: Sequence[_Large]) -> list[int]:
        return [len(items)] * len(items)

    batches = Batches(work, what="items that are let go")

    async def asked() -> weakref.ref[_Large]:
        item = _Large()
        await batches.of(item)
        return weakref.ref(item)

    gc.disable()
    try:
        items = await asyncio.gather(asked(), asked())
        while any(task.get_name() == "items that are let go" for task in asyncio.all_tasks()):
            await asyncio.sleep(0)
        assert [item() for item in items] == [None, None]
    finally:
        gc.enable()


async def test_what_waits_while_a_batch_is_done_is_the_next_one() -> None:
    work = Work()
    work.go.clear()
    batches = Batches(work, what="test")
    first = asyncio.create_task(batches.of(0))
    await until(work, 1)
    others = asyncio.create_task(ask(batches, range(1, 6)))
    await asyncio.sleep(0)
    assert work.batches == [[0]], "one batch at a time"
    work.go.set()
    assert (await first, await others) == (0, [2, 4, 6, 8, 10])
    assert work.batches == [[0], [1, 2, 3, 4, 5]]


@given(st.lists(st.integers(0, 50), unique=True, max_size=40), st.integers(1, 8), st.integers(1, 3), st.data())
def test_each_gets_what_it_would_get_alone(numbers: list[int], most: int, at_once: int, data: st.DataObject) -> None:
    bad = data.draw(st.sets(st.sampled_from(numbers)) if numbers else st.just(set()))
    work = Work({number: TryAgain(str(number)) for number in bad})

    async def run() -> list[int | BaseException]:
        return await ask(Batches(work, what="test", most=most, at_once=at_once), numbers)

    results = asyncio.run(run())
    for number, result in zip(numbers, results, strict=True):
        if number in bad:
            assert isinstance(result, TryAgain)
            assert str(result) == str(number)
        else:
            assert result == 2 * number
    assert all(len(batch) <= most for batch in work.batches)


async def test_a_result_that_is_an_exception_is_raised_for_its_item_alone() -> None:
    batches: list[list[int]] = []

    async def judge(numbers: Sequence[int]) -> list[int | DeadLetter]:
        batches.append(list(numbers))
        return [DeadLetter("odd") if number % 2 else number for number in numbers]

    results = await ask(Batches(judge, what="test"), [1, 2, 3, 4])
    assert [type(result) for result in results] == [DeadLetter, int, DeadLetter, int]
    assert batches == [[1, 2, 3, 4]], "nothing is done twice for that"


async def test_an_outage_is_everybodys_and_nothing_is_done_again() -> None:
    work = Work({2: Outage("the database is away")})
    results = await ask(Batches(work, what="test"), [1, 2, 3])
    assert all(isinstance(result, Outage) for result in results)
    assert work.batches == [[1, 2, 3]]


async def test_work_that_is_cancelled_by_nobody_is_an_outage() -> None:
    async def on_a_stuck_connection(_: Sequence[int]) -> list[int]:
        raise asyncio.CancelledError

    with pytest.raises(Interrupted):
        await Batches(on_a_stuck_connection, what="test").of(1)


async def test_work_goes_on_while_anybody_wants_it_and_ends_when_nobody_does() -> None:
    work = Work()
    work.go.clear()
    batches = Batches(work, what="test")
    asking = [asyncio.create_task(batches.of(number)) for number in range(3)]
    await until(work, 1)
    asking[0].cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking[0]
    assert work.cancelled == 0
    for task in asking[1:]:
        task.cancel()
    await asyncio.wait(asking)
    while not work.cancelled:
        await asyncio.sleep(0)
    work.go.set()
    assert await batches.of(5) == 10, "and the next who ask are served"
    assert work.batches == [[0, 1, 2], [5]]


async def test_who_went_before_his_batch_began_is_left_out() -> None:
    work = Work()
    work.go.clear()
    batches = Batches(work, what="test")
    first = asyncio.create_task(batches.of(0))
    await until(work, 1)
    gone, stays = asyncio.create_task(batches.of(1)), asyncio.create_task(batches.of(2))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.wait([gone])
    work.go.set()
    assert (await first, await stays) == (0, 4)
    assert work.batches == [[0], [2]]


async def test_the_end_of_the_process_is_told_to_all() -> None:
    class Ended(BaseException):
        pass

    async def ends(_: Sequence[int]) -> list[int]:
        raise Ended

    results = await ask(Batches(ends, what="test"), [1, 2])
    assert [type(result) for result in results] == [Ended, Ended]


async def test_an_error_that_all_would_meet_is_everybodys_where_that_is_said() -> None:
    work = Work({13: DeadLetter("refused")})
    batches = Batches(work, what="test", everybodys=DeadLetter)
    assert [type(each) for each in await ask(batches, (1, 13, 2))] == [DeadLetter] * 3
    assert work.batches == [[1, 13, 2]], "nothing is done again"
    assert await batches.of(1) == 2


async def test_while_more_is_worth_waiting_for_a_batch_gathers() -> None:
    work = Work()
    batches = Batches(work, what="test", worth=lambda: 3)
    assert await ask(batches, [1, 2, 3]) == [2, 4, 6]
    assert work.batches == [[1, 2, 3]]


async def test_what_is_worth_waiting_for_and_does_not_come_is_not_waited_for_long() -> None:
    work = Work()
    batches = Batches(work, what="test", worth=lambda: 1000)
    assert await ask(batches, [1, 2]) == [2, 4]
    assert work.batches == [[1, 2]]


async def test_what_is_left_behind_a_batch_that_gathered_gathers_too() -> None:
    work = Work()
    batches = Batches(work, what="test", most=2, worth=lambda: 2)
    three = asyncio.create_task(ask(batches, [1, 2, 3]))
    await until(work, 1)
    assert await batches.of(4) == 8
    assert await three == [2, 4, 6]
    assert work.batches == [[1, 2], [3, 4]]


FOR_EVER = 3600.0


async def test_an_item_waits_for_those_that_are_coming() -> None:
    work = Work()
    batches = Batches(work, what="test", patience_seconds=FOR_EVER)
    ready = asyncio.Event()

    async def come(number: int) -> int:
        with batches.coming():
            await ready.wait()
        return await batches.of(number)

    coming = [asyncio.create_task(come(number)) for number in (2, 3)]
    await asyncio.sleep(0)  # they are on their way
    first = asyncio.create_task(batches.of(1))
    await asyncio.sleep(0)
    assert work.batches == []
    ready.set()
    assert await asyncio.gather(first, *coming) == [2, 4, 6]
    assert work.batches == [[1, 2, 3]]


async def test_an_item_waits_no_longer_for_one_that_does_not_come() -> None:
    work = Work()
    batches = Batches(work, what="test", patience_seconds=FOR_EVER)

    with batches.coming():
        first = asyncio.create_task(batches.of(1))
        await asyncio.sleep(0)
        assert work.batches == []
    assert await first == 2


async def test_an_item_does_not_wait_for_ever_for_one_that_is_coming() -> None:
    work = Work()
    batches = Batches(work, what="test", patience_seconds=0.001)
    with batches.coming():
        assert await batches.of(1) == 2


async def test_as_many_are_waited_for_as_were_done_together_before() -> None:
    work = Work()
    batches = Batches(work, what="test", patience_seconds=FOR_EVER, as_many_as_before=True)
    assert await batches.of(0) == 0, "nobody came before: it waits for nothing"
    await ask(batches, range(1, 4))
    first = asyncio.create_task(batches.of(4))
    await asyncio.sleep(0)
    assert work.batches == [[0], [1, 2, 3]]
    assert await ask(batches, [5, 6]) == [10, 12]
    assert await first == 8
    assert work.batches == [[0], [1, 2, 3], [4, 5, 6]]


async def test_who_comes_alone_after_a_group_waits_once_and_no_longer_than_patience() -> None:
    work = Work()
    batches = Batches(work, what="test", patience_seconds=0.001, as_many_as_before=True)
    await ask(batches, range(3))
    assert await batches.of(3) == 6
    batches = Batches(work, what="test", patience_seconds=FOR_EVER, as_many_as_before=True)
    assert [await batches.of(4), await batches.of(5)] == [8, 10], "one alone is what came before"
