"""What is asked of a mailbox at the same time goes together, and each who asks gets the answer of his own."""

import asyncio
from collections.abc import Sequence

import pytest

from services.fetcher.mailboxes.gathering import Gathering


class Server:
    """Doubles numbers, and refuses odd hundreds; `calls` are those that went together."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.goes_on = asyncio.Event()
        self.goes_on.set()

    async def double(self, numbers: Sequence[int]) -> list[int | Exception]:
        self.calls.append(list(numbers))
        await self.goes_on.wait()
        if 13 in numbers and len(numbers) > 1:
            raise RuntimeError("together with 13 it is refused")
        return [ValueError(number) if number >= 100 else 2 * number for number in numbers]


@pytest.fixture
def server() -> Server:
    return Server()


async def test_what_is_asked_at_once_goes_together_in_its_order(server: Server) -> None:
    gathering = Gathering(server.double, at_most=4)
    assert await asyncio.gather(*map(gathering.ask, range(10))) == [2 * n for n in range(10)]
    assert server.calls == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


async def test_what_is_asked_alone_goes_alone(server: Server) -> None:
    gathering = Gathering(server.double, at_most=4)
    assert [await gathering.ask(n) for n in (1, 2)] == [2, 4]
    assert server.calls == [[1], [2]]


async def test_an_error_is_that_of_the_one_whom_it_concerns_or_of_all(server: Server) -> None:
    gathering = Gathering(server.double, at_most=4)
    told = await asyncio.gather(*map(gathering.ask, (1, 100, 2)), return_exceptions=True)
    assert [told[0], type(told[1]), told[2]] == [2, ValueError, 4]
    told = await asyncio.gather(*map(gathering.ask, (1, 13)), return_exceptions=True)
    assert [type(each) for each in told] == [RuntimeError, RuntimeError]
    assert await gathering.ask(13) == 26


async def test_one_who_gives_up_costs_the_others_nothing(server: Server) -> None:
    gathering = Gathering(server.double, at_most=4)
    server.goes_on.clear()
    asking = [asyncio.create_task(gathering.ask(n)) for n in range(6)]
    while not server.calls:
        await asyncio.sleep(0)
    for gone in (asking[0], asking[5]):
        gone.cancel()
    server.goes_on.set()
    assert await asyncio.gather(*asking[1:5]) == [2, 4, 6, 8]
    assert server.calls == [[0, 1, 2, 3], [1, 2, 3, 4]]
    assert all(task.cancelled() for task in (asking[0], asking[5]))
