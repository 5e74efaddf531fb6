"""What a process took of the machine while it went on, and whether that grows."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tests.benchmarks.many_mailboxes.fetchers import Footprint

WARM_UP: Final = 1 / 2
"""Of the samples: connections are opened, code is loaded, and threads are made as more is done at once than before."""
ALLOWED: Final = {"memory_mb": 0.05, "threads": 0.05, "files": 0.05, "sockets": 0.05}
"""How much of its mean a figure may grow by over the hour's worth of polls; noise is less."""
AT_LEAST: Final = {"memory_mb": 4.0, "threads": 3.0, "files": 8.0, "sockets": 8.0}
"""Growth that is none: pages of the allocator, a connection more that is kept for a minute."""


@dataclass(frozen=True, slots=True)
class Sample:
    """After so many polls and mails, so many seconds from the start."""

    seconds: float
    polls: int
    mails: int
    footprint: Footprint


@dataclass(frozen=True, slots=True)
class Growth:
    """Of one figure, over all polls that were asked for, by a line through the samples behind the warm-up."""

    name: str
    mean: float
    grown: float
    allowed: float

    @property
    def is_flat(self) -> bool:
        """Whether it grows no more than it may; less is fine."""
        return self.grown <= self.allowed


def growth(samples: Sequence[Sample]) -> list[Growth]:
    """Of each figure. ValueError for fewer than four samples: no line goes through them."""
    kept = samples[int(len(samples) * WARM_UP) :]
    if len(samples) < 4:
        raise ValueError("too few samples to tell whether anything grows")
    polls = [float(sample.polls) for sample in kept]
    grown = []
    for name, share in ALLOWED.items():
        values = [float(getattr(sample.footprint, name)) for sample in kept]
        slope = statistics.linear_regression(polls, values).slope
        mean = statistics.fmean(values)
        grown.append(Growth(name, mean, slope * samples[-1].polls, max(share * mean, AT_LEAST[name])))
    return grown
