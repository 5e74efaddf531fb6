"""What a run of the bench with many mailboxes measures, as values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.benchmarks.many_mailboxes.fetchers import Footprint


@dataclass(frozen=True, slots=True)
class Delays:
    """From the arrival of a mail until it is in `mail.raw`, in seconds; `lost`: had not come at the deadline."""

    mails: int
    p50: float
    p99: float
    most: float
    lost: int = 0

    @classmethod
    def of(cls, seconds: Sequence[float], *, lost: int = 0) -> Delays:
        """The figures of these delays; without any, none."""
        if not seconds:
            return cls(0, math.nan, math.nan, math.nan, lost)
        ordered = sorted(seconds)
        return cls(len(ordered), _at(ordered, 0.5), _at(ordered, 0.99), ordered[-1], lost)


def _at(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]


@dataclass(frozen=True, slots=True)
class Quiet:
    """Polls while nothing arrives."""

    seconds: float
    polls: int
    polls_by_server: Mapping[str, int]
    requests: Mapping[str, Mapping[str, int]]
    """By server, by their kind."""
    processor_ms: float
    """Of the fetcher, a poll."""
    database_ms: float
    """Of PostgreSQL, a poll; 0 where its processes are not here."""
    footprint: Footprint

    def requests_a_poll(self, server: str) -> float:
        """How many requests a poll of this server took on average."""
        polls = self.polls_by_server.get(server, 0)
        return sum(self.requests.get(server, {}).values()) / polls if polls else math.nan


@dataclass(frozen=True, slots=True)
class Death:
    """One of the servers hung for a while."""

    server: str
    seconds: float
    others: Mapping[str, Delays]
    """Of mail at the other servers meanwhile: at those that tell of it, and at those that are polled."""
    back: Delays
    """Of a mail for each of its mailboxes, which arrived when it came back."""
    footprint: Footprint
    """The fetcher's, at the end of it."""


@dataclass(frozen=True, slots=True)
class Killed:
    """One of two fetchers was killed."""

    shares: tuple[int, int]
    """Checks of the first and of the second while both ran."""
    both: int
    """Mailboxes that both checked in that time."""
    leases: int
    """Mailboxes that the killed one held."""
    lease_seconds: float
    """From the kill until the last of these was in the other's hands."""
    taken_over: Delays
    """Of a mail for each mailbox, which arrived at the moment of the kill."""


@dataclass(frozen=True, slots=True)
class Measured:
    """All figures of a run."""

    date: str
    machine: str
    busy: float
    """Processors that were busy while nothing was measured."""
    form: str
    mailboxes: int
    interval: int
    """Seconds between two checks, the setting."""
    workers: int
    opened_seconds: float
    """From the fetcher's start until each mailbox was checked once."""
    quiet: Quiet
    arrivals: Mapping[str, Delays]
    """By server, of mails that come one by one."""
    rush_mails: int
    rush_seconds: float
    rush: Footprint
    deaths: Sequence[Death]
    killed: Killed
    copies: int
    """Messages of a mail that had come before; a kill may cause some, and the classifier knows them."""
