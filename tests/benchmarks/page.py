"""docs/benchmarks/README.md and its plots: what one run measured, and on what."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Final

from tests.benchmarks import tables
from tests.benchmarks.forms import PACES
from tests.benchmarks.measured import CEILING, CONTENDERS, OURS, PEER, Measured
from tests.benchmarks.plots import Bar, bars, lines

_MEANING: Final = Path(__file__).with_name("what_each_part_is.md")


def page_of(measured: Measured) -> str:
    """The page, in Markdown."""
    return "\n".join(
        (
            "# Benchmarks",
            "",
            "<!-- Written by `make bench`: page, plots, results.json and the lines in the README. -->",
            "",
            *_machine(measured),
            "",
            *_goals(measured),
            "",
            "![mails a second](rate.svg)",
            "",
            *tables.rates(measured),
            "",
            "![processor time](processor.svg)",
            "",
            *tables.processors(measured),
            "",
            *tables.database(measured),
            "",
            "![latency](latency.svg)",
            "",
            *tables.latencies(measured),
            "",
            "![growth](growth.svg)",
            "",
            *tables.growth(measured),
            "",
            *tables.processes(measured),
            "",
            *tables.replicas_and_backlog(measured),
            *tables.reading(measured),
            *tables.mailboxes(measured),
            "",
            _MEANING.read_text(encoding="utf-8"),
            *_left_out(measured),
        )
    )


def plots_of(measured: Measured) -> dict[str, str]:
    """SVG by file name."""
    spreads = {name: measured.mails_a_second(name) for name in CONTENDERS}
    processors = {name: measured.processor_ms(name) for name in CONTENDERS}
    growth = [f"{each.tickets:,}" for each in measured.growth]
    return {
        "rate.svg": bars(
            "Mails a second",
            "median, least and most of the rounds",
            [Bar(name, each.median, each.least, each.most) for name, each in spreads.items() if each],
        ),
        "processor.svg": bars(
            "Processor time a mail",
            "ms, by process of the importer; then in all",
            [
                *(Bar(name, each.median, each.least, each.most) for name, each in processors[OURS].items()),
                *(Bar(f"{name}: all", sum(each.median for each in processors[name].values())) for name in CONTENDERS),
            ],
        ),
        "latency.svg": lines(
            "Latency",
            "ms, by mails a second",
            [f"{each.pace:.0f}/s" for each in measured.latencies],
            {
                "commit, p50": [each.commit_p50 for each in measured.latencies],
                "commit, p99": [each.commit_p99 for each in measured.latencies],
                "confirmation, p50": [each.received_p50 for each in measured.latencies],
                "confirmation, p99": [each.received_p99 for each in measured.latencies],
            },
        ),
        "growth.svg": lines(
            "Growth",
            "ms of processor a mail, by tickets and contacts",
            growth,
            {"in all": [tables.cost(each.rounds) for each in measured.growth]}
            | {
                name: [statistics.median(turn.processor_ms[name] for turn in each.rounds) for each in measured.growth]
                for name in ("database",)
                if all(name in turn.processor_ms for each in measured.growth for turn in each.rounds)
            },
        ),
    }


def _machine(measured: Measured) -> list[str]:
    machine = measured.machine
    settings = ", ".join(f"{name} = {value}" for name, value in machine.settings.items())
    durable = all(machine.settings[name] == "on" for name in ("fsync", "synchronous_commit", "full_page_writes"))
    before, after = measured.busy_before, measured.busy_after
    busy = (
        f"while nothing was measured, {before:.1f} of its processors were busy before the run and {after:.1f} after it"
    )
    state = f"quiet: {busy}" if measured.quiet else f"**not quiet, so that no figure is more than a hint**: {busy}"
    when = f"Measured on {machine.date} in {measured.seconds / 60:.0f} minutes, in the form «{measured.form}»."
    return [
        f"{when} The machine was {state}.",
        "",
        *tables.table(
            ("machine", ""),
            (
                ("processor", f"{machine.processor}, {machine.processors} cores"),
                ("memory", f"{machine.memory_gb} GB"),
                ("kernel, Python", f"Linux {machine.kernel}, Python {machine.python}"),
                ("servers", f"PostgreSQL {machine.postgres}, RabbitMQ {machine.rabbitmq}, on the same machine"),
                ("PostgreSQL's settings", f"{settings}{'' if durable else ' – **not durable**'}"),
                ("queues", f"{machine.queues}, persistent messages, publisher confirms"),
                ("one fsync of the disk", f"{measured.fsync:.2f} ms (median of the run)"),
            ),
        ),
    ]


def _goals(measured: Measured) -> list[str]:
    ours, peer, ceiling = (tables.rate(measured, name) for name in (OURS, PEER, CEILING))
    at_20 = next(each for each in measured.latencies if each.pace == PACES[-1])
    costs = [tables.cost(each.rounds) for each in measured.growth]
    memory = max(each.load for each in measured.memory.values())
    start = max(statistics.median(each) for each in measured.startup_seconds.values())
    rows = (
        ("times django-helpdesk", "≥ 5", f"{ours / peer:.2f}", ours / peer >= 5),
        ("share of the ceiling in batches", "≥ 50 %", f"{ours / ceiling:.0%}", ours / ceiling >= 0.5),
        ("p50 to the commit at 20 mails/s", "≤ 6 fsyncs", *_fsyncs(measured, at_20.commit_p50, 6)),
        ("p99 to the commit at 20 mails/s", "≤ 20 fsyncs", *_fsyncs(measured, at_20.commit_p99, 20)),
        (
            f"cost of a mail from {measured.growth[0].tickets:,} to {measured.growth[-1].tickets:,} tickets",
            "within 10 %", f"{costs[-1] / costs[0] - 1:+.0%}", costs[-1] <= costs[0] * 1.1,
        ),
        ("memory of the largest process", "< 120 MB", f"{memory:.0f} MB", memory < 120),
        ("start of the slowest service", "< 1 s", f"{start:.2f} s", start < 1),
    )  # fmt: skip
    return [
        "## Goals",
        "",
        *tables.table(
            ("", "goal", "measured", ""),
            ((name, goal, figure, "reached" if met else "**not reached**") for name, goal, figure, met in rows),
        ),
    ]


def _fsyncs(measured: Measured, milliseconds: float, goal: float) -> tuple[str, bool]:
    times = milliseconds / measured.fsync
    return f"{times:.1f}", times <= goal


def _left_out(measured: Measured) -> list[str]:
    return ["## What was left out", "", *(f"- {sentence}" for sentence in measured.left_out or ["Nothing."]), ""]
