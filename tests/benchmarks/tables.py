"""The tables of the benchmark's page, in Markdown: a heading, and what was measured."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence

from tests.benchmarks.measured import CONTENDERS, OURS, PEER, Measured, Round, Spread


def rates(measured: Measured) -> list[str]:
    """Mails a second of all contenders."""
    turns = measured.of(OURS)
    kilobytes = f"{statistics.fmean(turn.bytes for turn in turns) / 1000:.0f} KB on average"
    return [
        "## Rate",
        "",
        f"{len(turns)} rounds of {turns[0].mails} mails ({kilobytes}), in turns; medians, with the least and the most.",
        "",
        *table(
            ("", "mails/s", "spread", "ms of processor a mail", "mails out a mail"),
            (
                (
                    name, f"{spread.median:.1f}", f"{spread.least:.1f} – {spread.most:.1f}",
                    f"{sum(each.median for each in measured.processor_ms(name).values()):.1f}",
                    f"{statistics.fmean(turn.mails_out for turn in measured.of(name)):.2f}" if name != PEER else "made",
                )
                for name in CONTENDERS
                if (spread := measured.mails_a_second(name)) is not None
            ),
        ),
    ]  # fmt: skip


def processors(measured: Measured) -> list[str]:
    """What a mail costs, by process."""
    costs = {name: measured.processor_ms(name) for name in CONTENDERS}
    return [
        "Milliseconds of processor a mail, by process (least – most):",
        "",
        *table(
            ("", "process", "ms", "spread"),
            (
                (contender, name, f"{each.median:.2f}", f"{each.least:.2f} – {each.most:.2f}")
                for contender in CONTENDERS
                for name, each in costs[contender].items()
            ),
        ),
    ]


def database(measured: Measured) -> list[str]:
    """Statements, commits, log, checkouts."""

    def mean(name: str, figure: str) -> str:
        return f"{statistics.median(getattr(turn, figure) for turn in measured.of(name)):.2f}"

    lines_of = [
        "## What the database is asked for a mail",
        "",
        *table(
            ("", "statements", "commits", "KB of write-ahead log"),
            (
                (
                    name, _statements(measured.of(name)), mean(name, "commits"),
                    f"{statistics.median(turn.log_bytes for turn in measured.of(name)) / 1000:.1f}",
                )
                for name in CONTENDERS
            ),
        ),
    ]  # fmt: skip
    profile = measured.profile
    if profile is not None:
        ours = measured.of(OURS)[-1].statements
        lines_of += [
            "",
            *table(
                ("service", "statements", "checkouts of the pool"),
                (
                    (name, f"{ours[f'importer_{name}']:.2f}" if f"importer_{name}" in ours else "–", f"{count:.2f}")
                    for name, count in profile.checkouts.items()
                ),
            ),
        ]
        if profile.statements:
            lines_of += [
                "",
                "The statements that take most of the database's time:",
                "",
                *table(
                    ("service", "statement", "calls a mail", "ms a mail"),
                    (
                        (
                            each.role.removeprefix("importer_"), f"`{_short(each.query)}`", f"{each.calls:.2f}",
                            f"{each.milliseconds:.3f}",
                        )
                        for each in profile.statements
                    ),
                ),
            ]  # fmt: skip
    return lines_of


def _statements(turns: Sequence[Round]) -> str:
    return f"{statistics.median(sum(turn.statements.values()) for turn in turns):.1f}" if turns[0].statements else "–"


def _short(query: str) -> str:
    plain = query.replace("|", "¦").replace("`", "'")
    return plain if len(plain) <= 90 else f"{plain[:89]}…"


def latencies(measured: Measured) -> list[str]:
    """In milliseconds and in fsyncs."""
    fsync = measured.fsync
    return [
        "## Latency",
        "",
        f"In milliseconds, and in fsyncs of that disk ({fsync:.2f} ms).",
        "",
        *table(
            ("mails/s", "mails", "commit p50", "commit p99", "confirmation p50", "confirmation p99"),
            (
                (
                    f"{each.pace:.0f}",
                    str(each.mails),
                    *(
                        f"{figure:.1f} ({figure / fsync:.1f} ×)"
                        for figure in (each.commit_p50, each.commit_p99, each.received_p50, each.received_p99)
                    ),
                )
                for each in measured.latencies
            ),
        ),
    ]


def growth(measured: Measured) -> list[str]:
    """What a mail costs with much in the database."""
    return [
        "## Growth",
        "",
        *table(
            ("tickets and contacts", "database", "made in", "mails/s", "ms of processor a mail"),
            (
                (
                    f"{each.tickets:,}", f"{each.database_mb:,.0f} MB", f"{each.made_in_seconds:.0f} s",
                    f"{statistics.median(turn.mails_a_second for turn in each.rounds):.1f}",
                    f"{cost(each.rounds):.1f}",
                )
                for each in measured.growth
            ),
        ),
    ]  # fmt: skip


def processes(measured: Measured) -> list[str]:
    """What each process takes."""
    starts = {name: Spread.of(each) for name, each in measured.startup_seconds.items()}
    return [
        "## Memory and start",
        "",
        *table(
            ("process", "MB idle", "MB at most", "seconds of processor to start"),
            (
                (
                    name, f"{each.idle:.0f}", f"{each.load:.0f}",
                    f"{starts[name].median:.2f} ({starts[name].least:.2f} – {starts[name].most:.2f})"
                    if name in starts else "in the classifier's",
                )
                for name, each in measured.memory.items()
            ),
        ),
    ]  # fmt: skip


def replicas_and_backlog(measured: Measured) -> list[str]:
    """What more processes do, and how a full mailbox is emptied."""
    page = [
        "## Replicas",
        "",
        *table(
            ("of each service", "mails/s", "ms of processor a mail"),
            (
                (str(count), f"{each.mails_a_second:.1f}", f"{sum(each.processor_ms.values()):.1f}")
                for count, each in measured.replicas.items()
            ),
        ),
        "",
    ]
    backlog = measured.backlog
    if backlog is not None:
        page += [
            "## A backlog",
            "",
            f"{backlog.mails:,} mails in {backlog.seconds:.0f} s from the start of the services:",
            f"{backlog.mails / backlog.seconds:.1f} mails/s, with {backlog.mails_out:.2f} mails out a mail. Outcomes",
            f"came at {backlog.first_quarter:.1f}/s in the first quarter, at {backlog.last_quarter:.1f}/s in the last.",
            "",
        ]
    return page


def reading(measured: Measured) -> list[str]:
    """The classifier's stages; nothing when they were not measured."""
    if not measured.classifier:
        return []
    return [
        "## Reading a mail",
        "",
        *table(
            ("mails", "stage", "ms a mail"),
            (
                (each["mails"], each["stage"], f"{each['seconds'] * 1000 / each['count']:.2f}")
                for each in measured.classifier["stages"]
            ),
        ),
        "",
        "Peak of memory with a mail of 100 MB: "
        + ", ".join(f"{who} {mb} MB" for who, mb in measured.classifier["peak_mb"].items())
        + ".",
        "",
    ]


def mailboxes(measured: Measured) -> list[str]:
    """The kinds of mailbox; nothing when they were not measured."""
    if not measured.mailboxes:
        return []
    return [
        "## Mailboxes",
        "",
        *table(
            ("kind", "a poll, ms", "mails/s of 20 KB", "mails/s of 2 MB", "a mail of 25 MB adds, MB"),
            (
                (
                    each["kind"], f"{each['poll_ms']:.1f}", f"{each['small_a_second']:.0f}",
                    f"{each['large_a_second']:.1f}", f"{each['peak_mb']:.1f}",
                )
                for each in measured.mailboxes
            ),
        ),
        "",
    ]  # fmt: skip


def rate(measured: Measured, contender: str) -> float:
    """The median of a contender that had its turns."""
    spread = measured.mails_a_second(contender)
    assert spread is not None
    return spread.median


def cost(turns: Sequence[Round]) -> float:
    """Milliseconds of processor a mail, of all processes."""
    return statistics.median(sum(turn.processor_ms.values()) for turn in turns)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """In Markdown."""
    return [f"| {' | '.join(head)} |", "|" + "---|" * len(head), *(f"| {' | '.join(row)} |" for row in rows)]
