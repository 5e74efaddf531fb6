"""`python -m tests.benchmarks.mailboxes [KIND …]`: what a mailbox costs, kind by kind; needs no database and no broker.

Measures  opening and a poll (requests, ms); 200 mails of 20 KB and 20 of 2 MB fetched and marked, a window at once as
          the fetcher does (requests a mail, mails/s); the memory that one mail of 25 MB adds to the peak
How       the adapter runs in a process of its own, started for each kind; its server in this one (Dovecot in its own),
          on the loopback over TLS: the network's latency comes on top, and our servers are slower than real ones
Requests  as the server counts them, those of logging in too; – where it does not count
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr
from rich.console import Console
from rich.table import Table

from deploy.local.failure import SetUpFailed
from deploy.testing.servers import imap_for_tests
from services.fetcher.mailboxes.protocol import Mailbox, MailboxAccess
from services.fetcher.mailboxes.registry import open_mailbox
from services.fetcher.rules.batches import WINDOW
from tests.benchmarks.sample import sample_mail
from tests.mailboxes.post_offices import EwsPostOffice, GraphPostOffice, ImapPostOffice, MaildirPostOffice, PostOffice

POLLS: Final = 20
SMALL: Final = (200, 20_000)
LARGE: Final = (20, 2_000_000)
HUGE: Final = 25_000_000
_SINCE: Final = datetime(2026, 11, 1, tzinfo=UTC)
_CHILD: Final = "--measured"

_Office = tuple[PostOffice, Callable[[], int] | None]


def _ews(folder: Path, _: ExitStack) -> _Office:
    office = EwsPostOffice(folder)
    office.server.manners.most_items = 1000
    return office, lambda: office.server.seen.requests


def _graph(folder: Path, _: ExitStack) -> _Office:
    office = GraphPostOffice(folder)
    return office, lambda: len(office.server.requests) + office.server.token_requests


def _imap(folder: Path, stack: ExitStack) -> _Office:
    return ImapPostOffice(folder, stack.enter_context(imap_for_tests())), None


def _maildir(folder: Path, _: ExitStack) -> _Office:
    return MaildirPostOffice(folder), None


OFFICES: Final[Mapping[str, Callable[[Path, ExitStack], _Office]]] = {
    "ews": _ews,
    "graph": _graph,
    "imap": _imap,
    "maildir": _maildir,
}


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one kind of mailbox. Requests are None where nobody counts them."""

    kind: str
    open_requests: int | None
    open_ms: float
    poll_requests: float | None
    poll_ms: float
    mail_requests: float | None
    small_a_second: float
    large_a_second: float
    peak_mb: float


@contextmanager
def _office(kind: str) -> Iterator[_Office]:
    with ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        office, count = OFFICES[kind](Path(folder), stack)
        try:
            yield office, count
        finally:
            office.close()


async def _cost(kind: str) -> Cost:
    """Let a process measure, step by step, and count between the steps what its server was asked."""
    with _office(kind) as (office, count):
        measured = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.benchmarks.mailboxes", _CHILD,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=2**20,
        )  # fmt: skip
        lines_in, lines_out = measured.stdin, measured.stdout
        assert lines_in is not None
        assert lines_out is not None

        async def step(told: object, *mails: bytes) -> tuple[float, int]:
            for number, mail in enumerate(mails):
                await asyncio.to_thread(office.deliver, mail, _SINCE + timedelta(seconds=number))
            before = count() if count else 0
            lines_in.write(json.dumps(told).encode() + b"\n")
            figure = float(await lines_out.readline())
            return figure, (count() if count else 0) - before

        password = office.access.password
        access = asdict(office.access) | {"password": password.get_secret_value() if password else None}
        opening, opened = await step(access)
        polls, polled = await step("poll")
        small, asked = await step("take in", *(sample_mail(number, SMALL[1]) for number in range(SMALL[0])))
        large, _ = await step("take in", *(sample_mail(number, LARGE[1]) for number in range(LARGE[0])))
        peak, _ = await step("peak", sample_mail(0, HUGE))
        lines_in.close()
        await measured.wait()
    listing = polled / POLLS
    return Cost(
        kind,
        opened if count else None,
        opening * 1000,
        listing if count else None,
        polls * 1000 / POLLS,
        (asked - listing) / SMALL[0] if count else None,
        SMALL[0] / small,
        LARGE[0] / large,
        peak,
    )


async def _measured() -> None:
    """The process that measures: a step for each line it is told, a figure for each step."""
    told = json.loads(await asyncio.to_thread(sys.stdin.readline))
    secrets = {name: SecretStr(told[name]) for name in ("password", "certificate") if told[name] is not None}
    started = time.perf_counter()
    mailbox = await open_mailbox(MailboxAccess(**told | secrets))
    _say(time.perf_counter() - started)
    while line := await asyncio.to_thread(sys.stdin.readline):
        match json.loads(line):
            case "poll":
                started = time.perf_counter()
                for _ in range(POLLS):
                    await _take_in(mailbox)
                _say(time.perf_counter() - started)
            case "take in":
                started = time.perf_counter()
                await _take_in(mailbox)
                _say(time.perf_counter() - started)
            case _:
                before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
                await _take_in(mailbox)
                _say((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
    await mailbox.close()


async def _take_in(mailbox: Mailbox) -> None:
    mails = [mail async for page in mailbox.unread(WINDOW) for mail in page]

    async def one(number: int) -> None:
        with tempfile.TemporaryFile() as file:
            await mailbox.fetch(mails[number], file, 2 * HUGE)
            assert file.seek(0, io.SEEK_END)
        await mailbox.mark_read(mails[number])

    for start in range(0, len(mails), WINDOW):
        await asyncio.gather(*map(one, range(start, min(start + WINDOW, len(mails)))))


def _say(figure: float) -> None:
    sys.stdout.write(f"{figure}\n")
    sys.stdout.flush()


def measure(console: Console, kinds: Sequence[str] = tuple(OFFICES)) -> list[Cost]:
    """The costs of these kinds, one after the other; without those whose server is not here."""
    costs = []
    for kind in kinds:
        console.print(f"mailbox {kind} …")
        try:
            costs.append(asyncio.run(_cost(kind)))
        except SetUpFailed as failure:
            console.print(str(failure))
    return costs


def show(console: Console, costs: Sequence[Cost]) -> None:
    """Print the table."""
    table = Table(title="Mailboxes", title_justify="left")
    table.add_column("kind")
    for column in (
        "opening, requests", "ms", "poll, requests", "ms", "mail, requests", f"{SMALL[1] // 1000} KB, mails/s",
        f"{LARGE[1] // 1_000_000} MB, mails/s", f"{HUGE // 1_000_000} MB adds, MB",
    ):  # fmt: skip
        table.add_column(column, justify="right")
    for cost in costs:
        figures: tuple[Any, ...] = tuple(asdict(cost).values())
        table.add_row(cost.kind, *("–" if each is None else f"{each:.4g}" for each in figures[1:]))
    console.print(table)


def main() -> int:
    """Measure the kinds that are named, or all."""
    if sys.argv[1:] == [_CHILD]:
        asyncio.run(_measured())
        return os.EX_OK
    console = Console(width=None if sys.stdout.isatty() else 160)
    show(console, measure(console, sys.argv[1:] or tuple(OFFICES)))
    return os.EX_OK


if __name__ == "__main__":
    sys.exit(main())
