"""The page of the bench with many mailboxes, and its plots."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from tests.benchmarks.many_mailboxes.fetchers import Footprint
from tests.benchmarks.many_mailboxes.measured import Delays, Measured
from tests.benchmarks.plots import Bar, bars

LOADED: Final = 0.5
"""Processors that others may keep busy before the page says so."""
_HEAD: Final = """# Many mailboxes

<!-- Written by `make bench MAILBOXES=1`: page, plots and mailboxes.json. -->
"""
_PARTS: Final = Path(__file__).with_name("what_each_part_is.md")


def page_of(measured: Measured) -> str:
    """Markdown, with the names of the plots in it."""
    return "\n".join([*_lines(measured), "", _PARTS.read_text(encoding="utf-8")])


def plots_of(measured: Measured) -> Mapping[str, str]:
    """The plots by their names."""
    return {
        "mailboxes-arrival.svg": bars(
            "From arrival to mail.raw", "seconds, median; the line to the 99th percentile",
            [Bar(name, delays.p50, delays.p50, delays.p99) for name, delays in measured.arrivals.items()],
        ),
        "mailboxes-death.svg": bars(
            "Mail at the other servers while one hangs", "seconds, median; the line to the 99th percentile",
            [
                Bar(f"{death.server} hangs, {how}", delays.p50, delays.p50, delays.p99)
                for death in measured.deaths
                for how, delays in death.others.items()
            ],
        ),
    }  # fmt: skip


def _lines(measured: Measured) -> Iterator[str]:
    yield _HEAD
    busy = "" if measured.busy < LOADED else f" **The machine was not quiet: others kept {measured.busy:.1f} busy.**"
    yield f"Measured on {measured.date} ({measured.machine}) in the form «{measured.form}».{busy}\n"
    yield f"{measured.mailboxes} mailboxes at five servers, a check every {measured.interval} seconds at the latest,"
    yield f"{measured.workers} checks at once. All had been opened and checked {measured.opened_seconds:.0f} s after"
    yield "the fetcher's start.\n"
    yield from _quiet(measured)
    yield "## From arrival to mail.raw, in seconds\n"
    yield from _table("mails one by one, at", measured.arrivals)
    yield "\n![arrival](mailboxes-arrival.svg)\n"
    rate = measured.rush_mails / measured.rush_seconds
    yield f"{measured.rush_mails:,} mails that lay there all at once were fetched in {measured.rush_seconds:.0f} s:"
    yield f"**{rate:.0f} mails/s**, with {_takes(measured.rush)} at the end.\n"
    yield "## When one of five servers hangs\n"
    for death in measured.deaths:
        yield f"**{death.server}** hung for {death.seconds:.0f} s; the fetcher had {_takes(death.footprint)} then.\n"
        yield from _table(
            "delay in seconds of",
            {f"mail at the others, {how}": delays for how, delays in death.others.items()}
            | {"its own, back": death.back},
        )
        yield ""
    yield "![a server that hangs](mailboxes-death.svg)\n"
    yield from _killed(measured)


def _quiet(measured: Measured) -> Iterator[str]:
    quiet = measured.quiet
    yield "## While nothing arrives\n"
    yield f"{quiet.polls} polls in {quiet.seconds:.0f} s, {quiet.polls / quiet.seconds:.1f} a second; each took"
    yield f"{quiet.processor_ms:.1f} ms of the fetcher's processor"
    yield f"and {quiet.database_ms:.1f} ms of PostgreSQL's. The fetcher had {_takes(quiet.footprint)}.\n"
    yield "| server | polls | requests a poll | which |\n|---|---:|---:|---|"
    for name, polls in quiet.polls_by_server.items():
        requests = quiet.requests[name]
        which = ", ".join(f"{kind} {count}" for kind, count in sorted(requests.items()) if count)
        yield f"| {name} | {polls} | {quiet.requests_a_poll(name):.2f} | {which or 'none: files'} |"
    yield ""


def _killed(measured: Measured) -> Iterator[str]:
    killed = measured.killed
    yield "## Two fetchers, of which one is killed\n"
    yield f"While both ran, the first made {killed.shares[0]} checks and the second {killed.shares[1]}. The first held"
    yield f"{killed.leases} leases when it was killed; the last of them was free after {killed.lease_seconds:.1f} s.\n"
    yield from _table("delay in seconds of", {"a mail for each mailbox": killed.taken_over})
    yield f"\nIn the whole run {measured.copies} messages came a second time."


def _table(head: str, delays: Mapping[str, Delays]) -> Iterator[str]:
    yield f"| {head} | mails | p50 | p99 | most | lost |\n|---|---:|---:|---:|---:|---:|"
    for name, each in delays.items():
        yield f"| {name} | {each.mails} | {each.p50:.2f} | {each.p99:.2f} | {each.most:.2f} | {each.lost} |"


def _takes(footprint: Footprint) -> str:
    return (
        f"{footprint.memory_mb:.0f} MB, {footprint.threads} threads and {footprint.files} open files, "
        f"{footprint.sockets} of them sockets"
    )
