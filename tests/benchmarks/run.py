"""The whole run, from the first part to the last."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from deploy.local.instance import Servers
from tests.benchmarks import classifier, mailboxes
from tests.benchmarks.backlog import backlog
from tests.benchmarks.ceiling.contender import a_ceiling
from tests.benchmarks.contender import Contender, turn
from tests.benchmarks.disk import fsync_ms
from tests.benchmarks.forms import PACES, Form
from tests.benchmarks.growth import growth
from tests.benchmarks.importer import Importer, an_importer
from tests.benchmarks.latency import latency
from tests.benchmarks.measured import CEILING, CEILING_ALONE, OURS, Growth, Measured, Round
from tests.benchmarks.mix import mail_of_mix
from tests.benchmarks.peer.contender import a_peer
from tests.benchmarks.processes import processors_busy
from tests.benchmarks.profile import profile
from tests.benchmarks.stand import Stand, open_stand
from tests.benchmarks.starting import memories, memory, startup_seconds

_LATENCY_RUN = 1000
_REPLICAS_RUN = 2000
"""Numbers of runs of the mix, so that no two parts have the same mails."""


async def run(servers: Servers, folder: Path, form: Form, console: Console) -> Measured:
    """Everything that `form` says; raises what went wrong, since half a figure is none."""
    began = time.monotonic()
    parts = Parts(console)
    async with open_stand(servers, folder) as stand:
        with parts.part("importer, peer and ceiling, in turns"):
            measured = await _main_part(stand, form, parts)
        with parts.part("what the database is asked"):
            measured.profile = await profile(stand, form.round_mails, form.warm_up)
        for count in form.replicas:
            with parts.part(f"replicas: {count}"):
                measured.replicas[count] = await _with_replicas(stand, form, count)
        for tickets in form.growth:
            with parts.part(f"growth: {tickets:,} tickets"):
                grown = await growth(stand, tickets, form.round_mails, form.warm_up, parts.say)
                if isinstance(grown, Growth):
                    measured.growth.append(grown)
                else:
                    measured.left_out.append(grown)
        with parts.part(f"a backlog of {form.backlog:,}"):
            outcome = await backlog(stand, form.backlog)
            if isinstance(outcome, str):
                measured.left_out.append(outcome)
            else:
                measured.backlog = outcome
        measured.busy_after = await processors_busy(form.idle_seconds)
    if form.reading_and_mailboxes:
        with parts.part("reading, and mailboxes"):
            stages, peaks = await asyncio.to_thread(classifier.measure)
            measured.classifier = {"stages": [asdict(stage) for stage in stages], "peak_mb": dict(peaks)}
            measured.mailboxes = [asdict(cost) for cost in await asyncio.to_thread(mailboxes.measure, console)]
    _note_what_is_smaller(measured, form)
    measured.seconds = time.monotonic() - began
    return measured


class Parts:
    """Tells what goes on, and how long each part took."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def say(self, text: str) -> None:
        """Something within a part."""
        self._console.print(f"  {text}", highlight=False)

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """A part, named before it begins."""
        self._console.print(f"{name} …", highlight=False)
        began = time.monotonic()
        yield
        self.say(f"{time.monotonic() - began:.0f} s")


async def _main_part(stand: Stand, form: Form, parts: Parts) -> Measured:
    """Starts, turns and latencies, on one installation of the importer."""
    async with an_importer(stand) as importer, AsyncExitStack() as contenders:
        queue = await importer.installation.management.get(f"queues/{importer.installation.management.vhost}/mail.raw")
        measured = Measured(form.name, await stand.machine(str(queue["type"])))
        measured.busy_before = await processors_busy(form.idle_seconds)
        starts = [await startup_seconds(importer) for _ in range(form.starts)]
        for start in starts[1:] or starts:  # the first of several writes the bytecode
            for name, seconds in start.items():
                measured.startup_seconds.setdefault(name, []).append(seconds)
        async with importer.running():
            await asyncio.sleep(form.idle_seconds)
            idle = memory(importer, most=False)
            await importer.take([mail_of_mix(number) for number in range(form.warm_up)])
            others = await _others(stand, importer, form, contenders)
            for number in range(1, form.rounds + 1):
                parts.say(f"round {number} of {form.rounds}")
                mails = [mail_of_mix(each, number) for each in range(form.round_mails)]
                await importer.let_a_day_pass()
                for contender in (importer, *others):
                    measured.fsync_ms.append(await asyncio.to_thread(fsync_ms, stand.folder))
                    measured.rounds.append(await turn(stand, contender, mails))
            await _latencies(importer, measured, form, parts)
            measured.memory = memories(idle, memory(importer, most=True))
    return measured


async def _others(stand: Stand, importer: Importer, form: Form, stack: AsyncExitStack) -> Sequence[Contender]:
    """The peer and both ceilings, warmed up with the mails that the importer was."""
    mails_out = len(importer.received) / importer.delivered
    others: list[Contender] = [await stack.enter_async_context(a_peer(stand))]
    for name in (CEILING_ALONE, CEILING):
        ceiling = a_ceiling(stand, name, mails_out, importer.bytes_of_mail_out)
        others.append(await stack.enter_async_context(ceiling))
    for contender in others:
        await contender.take([mail_of_mix(number) for number in range(form.warm_up)])
    return others


async def _latencies(importer: Importer, measured: Measured, form: Form, parts: Parts) -> None:
    rate = measured.mails_a_second(OURS)
    assert rate is not None
    for number, pace in enumerate((*PACES, max(1.0, rate.median / 2))):
        parts.say(f"latency at {pace:.0f} mails a second")
        mails = [mail_of_mix(each, _LATENCY_RUN + number) for each in range(max(4, round(pace * form.latency_seconds)))]
        await importer.let_a_day_pass()
        measured.latencies.append(await latency(importer, mails, pace))


async def _with_replicas(stand: Stand, form: Form, count: int) -> Round:
    async with an_importer(stand) as importer, importer.running(count):
        await importer.take([mail_of_mix(number) for number in range(form.warm_up)])
        mails = [mail_of_mix(number, _REPLICAS_RUN) for number in range(form.round_mails)]
        return await turn(stand, importer, mails)


def _note_what_is_smaller(measured: Measured, form: Form) -> None:
    if not measured.of(OURS)[0].statements:
        measured.left_out.append("Statements a mail: this server does not load pg_stat_statements.")
    if max(form.growth) < 10_000_000:
        measured.left_out.append("Growth to ten million tickets, and a backlog of 50,000: `make bench FULL=1`.")
    if not form.reading_and_mailboxes:
        measured.left_out.append("The classifier's stages and the kinds of mailbox: `make bench` without QUICK=1.")
