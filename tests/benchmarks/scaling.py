"""`python -m tests.benchmarks.scaling [BENCHMARK.JSON]`: what to run for so many mails a minute, and if it is enough.

Reads     what a mail costs each part: a report of `make bench`, else the costs below
Does      gives each part processors enough to be busy for 60 % of the time, then sends mails through that many, at
          random moments and with a minute of three times as many, and looks how long they wait (a simulation)
Writes    the tables of docs/scaling.md to standard output
"""

from __future__ import annotations

import heapq
import json
import math
import random
import statistics
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MEASURED: Final[Mapping[str, float]] = {
    "fetcher": 4.6,
    "classifier": 29.7,
    "ticket_writer": 8.4,
    "notifier": 11.4,
    "database": 19.1,
    "broker": 5.8,
}
"""Milliseconds of a processor a mail: `make bench`, 28 November 2026, two cores, mails of 66 KB as a helpdesk gets."""
LOG_KB: Final = 129.5
"""Of PostgreSQL's write-ahead log a mail, in the same run."""
COMMITS: Final = 6.85
"""A mail that comes with a few others; the busier, the fewer."""
MAIL_KB: Final = 65.6

_WRITTEN: Final = "log of PostgreSQL | commits/s at most | mail a day"
BUSY: Final = 0.6
"""What each part is busy of its time: above that, mails wait for each other ever longer."""
RATES: Final = (10, 1_000, 100_000)
"""Mails a minute."""
SECONDS: Final = 600
MOST_MAILS: Final = 60_000
"""In a simulation: of high rates a part of the time is enough."""
PEAK: Final = 3.0
"""How many times as many mails come in the sixth part of the time that is the peak."""


def processors(rate: float, costs: Mapping[str, float]) -> dict[str, int]:
    """How many processors each part needs for so many mails a minute."""
    return {part: max(1, math.ceil(rate / 60 * cost / 1000 / BUSY)) for part, cost in costs.items()}


@dataclass(frozen=True, slots=True)
class Waited:
    """Seconds from a mail's arrival to its end, and how long after the peak the last mail of it ended."""

    p50: float
    p99: float
    drained: float


def simulated(rate: float, costs: Mapping[str, float], having: Mapping[str, int], seed: int = 1) -> Waited:
    """What mails meet at that rate on so many processors of each part.

    A mail goes through the parts one after the other, by whichever processor of the part is free first. It is as slow
    as can be: a part's work on a mail is not shared out, and the database's is all in one place.
    """
    chance = random.Random(seed)  # noqa: S311 - a simulation
    seconds = min(SECONDS, MOST_MAILS / (rate / 60))
    arrivals = list(_arrivals(rate / 60, seconds, chance))
    ends = arrivals
    for part, cost in costs.items():
        ends = _through(ends, cost / 1000, having[part], chance)
    waited = [end - arrival for arrival, end in zip(arrivals, ends, strict=True)]
    cuts = statistics.quantiles(waited, n=100, method="inclusive")
    peak_ends = seconds * 2 / 3
    of_peak = [end for arrival, end in zip(arrivals, ends, strict=True) if arrival <= peak_ends]
    return Waited(cuts[49], cuts[98], max(of_peak) - peak_ends)


def _arrivals(rate: float, seconds: float, chance: random.Random) -> Iterator[float]:
    """Random moments: calm, then a peak from the half to two thirds of the time, then calm again."""
    at = 0.0
    while at < seconds:
        is_peak = seconds / 2 <= at < seconds * 2 / 3
        at += chance.expovariate(rate * (PEAK if is_peak else 1))
        yield at


def _through(arrivals: Sequence[float], cost: float, processors: int, chance: random.Random) -> list[float]:
    """When each mail leaves a part; what one costs varies as mails do (exponentially)."""
    free = [0.0] * processors
    ends = []
    for arrival in arrivals:
        begin = max(arrival, heapq.heappop(free))
        end = begin + chance.expovariate(1 / cost)
        heapq.heappush(free, end)
        ends.append(end)
    return sorted(ends)


def tables(costs: Mapping[str, float]) -> str:
    """The tables of docs/scaling.md."""
    lines = [
        "| mails a minute | " + " | ".join(f"{part} ({cost:.1f} ms)" for part, cost in costs.items()) + " | all |",
        "|---:|" + "---:|" * (len(costs) + 1),
    ]
    for rate in RATES:
        needed = processors(rate, costs)
        cells = [*map(str, needed.values()), str(sum(needed.values()))]
        lines.append(f"| {rate:,} | " + " | ".join(cells) + " |")
    lines += [
        "",
        f"| mails a minute | waits p50 | p99 | a threefold peak is over after | {_WRITTEN} |",
        "|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for rate in RATES:
        waited = simulated(rate, costs, processors(rate, costs))
        lines.append(
            f"| {rate:,} | {waited.p50:.2f} s | {waited.p99:.2f} s | {max(0.0, waited.drained):.0f} s | "
            f"{rate / 60 * LOG_KB / 1000:.2f} MB/s | {rate / 60 * COMMITS:,.0f} "
            f"| {rate * 1440 * MAIL_KB / 1e6:,.0f} GB |"
        )
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> int:
    """Print the tables."""
    costs = MEASURED
    if arguments:
        costs = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))["cpu_ms"]
    sys.stdout.write(tables(costs) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
