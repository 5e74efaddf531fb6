"""One soak: a fetcher polls many mailboxes as often as in an hour, while mail comes and servers hang."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg
from rich.console import Console

from deploy.local.instance import Servers
from tests.benchmarks.many_mailboxes.arrivals import arriving
from tests.benchmarks.many_mailboxes.fetchers import Fetcher, a_fetcher
from tests.benchmarks.many_mailboxes.run import CONCLUDE
from tests.benchmarks.many_mailboxes.town import Town, a_town, open_helpdesks
from tests.benchmarks.soak.samples import Sample
from tests.benchmarks.stand import open_stand

INTERVAL: Final = 1
"""Seconds between two checks: the least, so that an hour's polls take minutes."""
MAIL_BYTES: Final = 20_000
_LOOK: Final = 0.5
_DEADLINE: Final = 120.0


@dataclass(frozen=True, slots=True)
class Amount:
    """How much: mailboxes, polls of each, and samples on the way. A mail comes to each mailbox between two samples."""

    mailboxes: int
    polls_each: int
    samples: int
    hangs_seconds: float = 5.0
    """How long a server answers nothing after each sample."""

    @property
    def polls(self) -> int:
        """Of all mailboxes."""
        return self.mailboxes * self.polls_each


async def run(servers: Servers, folder: Path, amount: Amount, console: Console) -> list[Sample]:
    """The samples. TimeoutError where mail does not come, or polls do not end."""
    folder.mkdir(parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        stand = await stack.enter_async_context(open_stand(servers, folder))
        installation = await stack.enter_async_context(stand.installation())
        town = await stack.enter_async_context(a_town(folder / "town", amount.mailboxes))
        owner = await asyncpg.connect(installation.database.dsn("owner").get_secret_value())
        stack.push_async_callback(owner.close)
        await open_helpdesks(owner, town, interval=INTERVAL)
        arrivals = await stack.enter_async_context(arriving(installation.admin_amqp_url))
        environment = {**installation.environment, **town.environment}
        fetcher = await stack.enter_async_context(a_fetcher(environment, folder / "fetcher.log"))
        samples, numbers, mails = [], itertools.count(1), 0
        async for sample in _samples(fetcher, amount):
            samples.append(Sample(sample.seconds, sample.polls, mails, sample.footprint))
            console.print(f"{sample.polls:7,} polls  {sample.footprint}", highlight=False)
            came = await _deliver_to_all(town, numbers)
            if not await arrivals.all_of(came, _DEADLINE):
                raise TimeoutError("mail did not come")
            mails += len(came)
            await _hang_one(town, len(samples), amount.hangs_seconds)
            await owner.execute(CONCLUDE)
            await asyncio.gather(*(server.forget() for server in town.servers.values()))
            await asyncio.gather(*(server.count() for server in town.servers.values()))
        return samples


async def _samples(fetcher: Fetcher, amount: Amount) -> AsyncIterator[Sample]:
    """One after each equal part of the polls; what is done with a sample is done before the next part."""
    began = time.monotonic()
    for number in range(1, amount.samples + 1):
        wanted = amount.polls * number // amount.samples
        while (polls := sum((await fetcher.checks()).values())) < wanted:
            await asyncio.sleep(_LOOK)
        yield Sample(time.monotonic() - began, polls, 0, fetcher.footprint())


async def _deliver_to_all(town: Town, numbers: itertools.count[int]) -> list[int]:
    came: list[int] = []
    for server in town.servers.values():
        mails = [(mailbox, next(numbers)) for mailbox in range(len(server.desks))]
        await server.deliver(mails, MAIL_BYTES)
        came += [number for _, number in mails]
    return came


async def _hang_one(town: Town, turn: int, seconds: float) -> None:
    """In turn, one of the servers answers nothing for a while; connections to it are then made anew."""
    reached = [server for server in town.servers.values() if server.kind != "maildir"]
    server = reached[turn % len(reached)]
    server.hang()
    await asyncio.sleep(seconds)
    server.come_back()
