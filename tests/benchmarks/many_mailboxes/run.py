"""One run: servers, helpdesks and fetchers are started, and each part is measured in its turn."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import asyncpg
from rich.console import Console

from deploy.local.instance import Servers
from tests.acceptance.installation import Installation
from tests.benchmarks.many_mailboxes.arrivals import Arrivals, arriving
from tests.benchmarks.many_mailboxes.fetchers import Fetcher, a_fetcher
from tests.benchmarks.many_mailboxes.forms import Form
from tests.benchmarks.many_mailboxes.measured import Death, Delays, Killed, Measured, Quiet
from tests.benchmarks.many_mailboxes.town import Server, Town, a_town, open_helpdesks
from tests.benchmarks.processes import processor_seconds, processors_busy
from tests.benchmarks.stand import Stand, open_stand

BUSY_SECONDS: Final = 2.0
SMALL: Final = 4_000
"""Bytes of a mail that comes by itself."""
POLLED: Final = frozenset({"ews", "graph"})
"""Kinds of server that tell nothing of new mail."""
_LOOK: Final = 0.2
_CHECKED: Final = """
    SELECT count(*) FROM helpdesk.mailbox_states WHERE last_successful_check_at IS NOT NULL"""
_HELD: Final = """
    SELECT helpdesk_id FROM helpdesk.mailbox_states
    WHERE lease_until > now() AND lease_holder LIKE '%:' || $1 || ':%'"""
_PROBLEMS: Final = "SELECT helpdesk_id, problem FROM helpdesk.mailbox_states WHERE problem IS NOT NULL LIMIT 3"
CONCLUDE: Final = """
    UPDATE helpdesk.imported_mails SET outcome = 'quarantine', outcome_at = now(), reasons = '[{"id": "no-sender"}]'
    WHERE outcome IS NULL"""
"""In place of the services behind the fetcher."""


@dataclass(slots=True)
class Run:
    """What the parts share."""

    form: Form
    stand: Stand
    installation: Installation
    town: Town
    owner: asyncpg.Connection[Any]
    arrivals: Arrivals
    console: Console
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    sent: dict[int, tuple[Server, float]] = field(default_factory=dict)
    """Each mail by its number: its server, and when it arrived there."""

    async def deliver(self, mailboxes: Sequence[tuple[Server, int]], *, size: int = SMALL) -> list[int]:
        """A mail for each of these, as soon as their servers take it; their numbers."""
        by_server: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        for server, mailbox in mailboxes:
            by_server[server.name].append((mailbox, next(self.numbers)))

        async def at(server: Server, mails: list[tuple[int, int]]) -> None:
            for (_, number), moment in zip(mails, await server.deliver(mails, size), strict=True):
                self.sent[number] = server, moment

        await asyncio.gather(*(at(self.town.servers[name], mails) for name, mails in by_server.items()))
        return [number for mails in by_server.values() for _, number in mails]

    async def trickle(self, mailboxes: Sequence[tuple[Server, int]], count: int) -> list[int]:
        """So many mails, one by one at the form's pace, each for one of these by chance; their numbers."""
        chance = random.Random(count)  # noqa: S311 - the same in every run
        numbers: list[int] = []
        begun = time.monotonic()
        for place in range(count):
            await asyncio.sleep(max(0.0, begun + place / self.form.pace - time.monotonic()))
            numbers += await self.deliver([chance.choice(mailboxes)])
        return numbers

    def delays(self, numbers: Sequence[int]) -> Delays:
        """Of these mails."""
        came = [number for number in numbers if number in self.arrivals.at]
        return Delays.of(
            [self.arrivals.at[number] - self.sent[number][1] for number in came], lost=len(numbers) - len(came)
        )

    async def all_checked(self, seconds: float) -> None:
        """Wait until every mailbox was checked with success. TimeoutError with what some of them say."""
        try:
            async with asyncio.timeout(seconds):
                while await self.owner.fetchval(_CHECKED) < self.form.mailboxes:
                    await asyncio.sleep(_LOOK)
        except TimeoutError:
            raise TimeoutError(str([tuple(row) for row in await self.owner.fetch(_PROBLEMS)])) from None

    async def tidy(self) -> None:
        """Let all that came have its outcome, and leave the mailboxes as they were at first."""
        await self.owner.execute(CONCLUDE)
        await asyncio.gather(*(server.forget() for server in self.town.servers.values()))


async def run(servers: Servers, folder: Path, form: Form, console: Console) -> Measured:
    """All figures. TimeoutError where mailboxes could not be opened."""
    busy = await processors_busy(BUSY_SECONDS)
    folder.mkdir(parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        stand = await stack.enter_async_context(open_stand(servers, folder))
        installation = await stack.enter_async_context(stand.installation())
        town = await stack.enter_async_context(a_town(folder / "town", form.mailboxes))
        owner = await asyncpg.connect(installation.database.dsn("owner").get_secret_value())
        stack.push_async_callback(owner.close)
        await open_helpdesks(owner, town, interval=form.interval)
        arrivals = await stack.enter_async_context(arriving(installation.admin_amqp_url))
        return await _measure(Run(form, stand, installation, town, owner, arrivals, console), folder, busy)


async def _measure(run: Run, folder: Path, busy: float) -> Measured:
    form, console = run.form, run.console
    environment = {
        **run.installation.environment, **run.town.environment, "IMPORTER_LEASE_SECONDS": str(form.lease_seconds)
    }  # fmt: skip
    machine = await run.stand.machine("quorum")
    began = time.monotonic()
    async with a_fetcher(environment, folder / "fetcher.log") as first:
        console.print(f"{form.mailboxes} mailboxes are opened …")
        await run.all_checked(form.deadline)
        opened = time.monotonic() - began
        console.print("nothing arrives …")
        quiet = await _quiet(run, first)
        console.print("mails arrive one by one …")
        numbers = await run.trickle(run.town.mailboxes, form.arrivals)
        await run.arrivals.all_of(numbers, form.deadline)
        by_server = {
            name: run.delays([number for number in numbers if run.sent[number][0].name == name])
            for name in run.town.servers
        }
        console.print("mails arrive all at once …")
        await run.tidy()
        rush = await run.deliver(run.town.mailboxes * form.rush_mails, size=form.rush_bytes)
        began_rush = min(run.sent[number][1] for number in rush)
        if not await run.arrivals.all_of(rush, form.deadline):
            raise TimeoutError("mails that came all at once were not fetched")
        rush_seconds = max(run.arrivals.at[number] for number in rush) - began_rush
        footprint = first.footprint()
        deaths = []
        for name in form.dying:
            console.print(f"{name} hangs …")
            await run.tidy()
            deaths.append(await _death(run, first, run.town.servers[name]))
        console.print("two fetchers, of which one is killed …")
        await run.tidy()
        async with a_fetcher(environment, folder / "second.log") as second:
            killed = await _killed(run, first, second)
    return Measured(
        date=machine.date,
        machine=f"{machine.processor}, {machine.processors} cores",
        busy=busy,
        form=form.name,
        mailboxes=form.mailboxes,
        interval=form.interval,
        workers=int(environment.get("IMPORTER_WORKERS", "10")),
        opened_seconds=opened,
        quiet=quiet,
        arrivals=by_server,
        rush_mails=len(rush),
        rush_seconds=rush_seconds,
        rush=footprint,
        deaths=deaths,
        killed=killed,
        copies=run.arrivals.copies,
    )


async def _quiet(run: Run, fetcher: Fetcher) -> Quiet:
    """Polls of mailboxes into which nothing comes: for so long, and until each server was polled."""
    await asyncio.gather(*(server.count() for server in run.town.servers.values()))
    database = {"database": run.stand.processes.get("database", [])}
    before, began = await fetcher.checks(), time.monotonic()
    spent, spent_by_database = fetcher.processor_seconds(), processor_seconds(database)["database"]
    await asyncio.sleep(run.form.quiet_seconds)
    async with asyncio.timeout(run.form.deadline):
        while not all((by_server := _by_server(run, polls := _since(before, await fetcher.checks()))).values()):
            await asyncio.sleep(_LOOK)
    seconds = time.monotonic() - began
    requests = {name: dict(await server.count()) for name, server in run.town.servers.items()}
    count = sum(polls.values())
    return Quiet(
        seconds=seconds,
        polls=count,
        polls_by_server=by_server,
        requests=requests,
        processor_ms=(fetcher.processor_seconds() - spent) * 1000 / count,
        database_ms=(processor_seconds(database)["database"] - spent_by_database) * 1000 / count,
        footprint=fetcher.footprint(),
    )


def _by_server(run: Run, polls: Mapping[int, int]) -> dict[str, int]:
    return {name: sum(polls.get(desk, 0) for desk in server.desks) for name, server in run.town.servers.items()}


async def _death(run: Run, fetcher: Fetcher, dead: Server) -> Death:
    """One server hangs for a while, in which mail comes to the others; then it comes back, with mail for all."""
    form = run.form
    others = [(server, mailbox) for server, mailbox in run.town.mailboxes if server is not dead]
    dead.hang()
    began = time.monotonic()
    try:
        numbers = await run.trickle(others, int(form.death_seconds * form.pace))
        footprint = fetcher.footprint()
    finally:
        dead.come_back()
    seconds = time.monotonic() - began
    back = await run.deliver([(dead, mailbox) for mailbox in range(len(dead.desks))])
    await run.arrivals.all_of([*numbers, *back], form.deadline)
    polled = {number for number in numbers if run.sent[number][0].kind in POLLED}
    delays = {
        "told of": run.delays([number for number in numbers if number not in polled]),
        "polled": run.delays([*polled]),
    }
    return Death(dead.name, seconds, delays, run.delays(back), footprint)


async def _killed(run: Run, first: Fetcher, second: Fetcher) -> Killed:
    """Two share the mailboxes for two intervals; then one is killed in the midst of checks, and mail comes to all."""
    before = [await fetcher.checks() for fetcher in (first, second)]
    await asyncio.sleep(2 * run.form.interval)
    polls = [_since(was, await fetcher.checks()) for was, fetcher in zip(before, (first, second), strict=True)]
    shares = sum(polls[0].values()), sum(polls[1].values())
    holding = run.town.servers[run.form.dying[0]]
    holding.hang()  # so that there are checks under way, which take milliseconds else
    try:
        async with asyncio.timeout(run.form.deadline):
            while not (held := await run.owner.fetch(_HELD, str(first.pid))):
                await asyncio.sleep(_LOOK)
        await first.kill()
    finally:
        holding.come_back()
    killed = time.monotonic()
    numbers = await run.deliver(run.town.mailboxes)
    while await run.owner.fetchval(f"SELECT EXISTS ({_HELD})", str(first.pid)):
        await asyncio.sleep(_LOOK)
    leases = time.monotonic() - killed
    await run.arrivals.all_of(numbers, run.form.deadline)
    return Killed(shares, len(polls[0].keys() & polls[1].keys()), len(held), leases, run.delays(numbers))


def _since(before: Mapping[int, int], after: Mapping[int, int]) -> dict[int, int]:
    """Checks by helpdesk, of those that were checked."""
    grown = {helpdesk: count - before.get(helpdesk, 0) for helpdesk, count in after.items()}
    return {helpdesk: count for helpdesk, count in grown.items() if count}
