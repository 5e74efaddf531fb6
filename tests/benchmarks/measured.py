"""All that one run measured, as values; and as JSON, from which tables and plots can be made again."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import TypeAdapter

OURS: Final = "importer"
PEER: Final = "django-helpdesk"
CEILING_ALONE: Final = "ceiling, a commit a mail"
CEILING: Final = "ceiling, batches of 32"
QUIET: Final = 0.2
"""Processors that may be busy while we do nothing, on a machine that counts as quiet."""
CONTENDERS: Final = (OURS, PEER, CEILING_ALONE, CEILING)
"""In the order of their turns."""


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of several figures, the least and the greatest."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, figures: Iterable[float]) -> Spread:
        """Of at least one."""
        given = list(figures)
        return cls(statistics.median(given), min(given), max(given))


@dataclass(frozen=True, slots=True)
class Machine:
    """What it ran on, and how the servers were set."""

    date: str
    processor: str
    processors: int
    memory_gb: float
    kernel: str
    python: str
    postgres: str
    rabbitmq: str
    settings: dict[str, str]
    """PostgreSQL's, of what makes a commit durable."""
    queues: str
    """The type of the work queues, as the broker says."""


@dataclass(frozen=True, slots=True)
class Round:
    """One turn of a contender; all but `mails` and `seconds` for each mail."""

    contender: str
    mails: int
    seconds: float
    bytes: float
    mails_out: float
    processor_ms: dict[str, float]
    """By process."""
    commits: float
    log_bytes: float
    """Of PostgreSQL's write-ahead log, which is that of the whole server."""
    statements: dict[str, float]
    """By role; empty where the server counts none."""

    @property
    def mails_a_second(self) -> float:
        """From the first delivery to the last mail out."""
        return self.mails / self.seconds


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds from a mail's delivery, at so many mails a second."""

    pace: float
    mails: int
    commit_p50: float
    commit_p99: float
    received_p50: float
    received_p99: float
    """To its confirmation at the customer's mail server."""


@dataclass(frozen=True, slots=True)
class Growth:
    """Turns with so many tickets and as many contacts in the database."""

    tickets: int
    database_mb: float
    made_in_seconds: float
    rounds: list[Round]


@dataclass(frozen=True, slots=True)
class Memory:
    """MB of the largest process of its kind, resident."""

    idle: float
    load: float
    """The most it had, over all rounds."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """Mails that lay in the mailbox when the services started."""

    mails: int
    seconds: float
    first_quarter: float
    last_quarter: float
    """Mails a second."""
    mails_out: float


@dataclass(frozen=True, slots=True)
class Statement:
    """One of those that cost the database most."""

    role: str
    query: str
    calls: float
    milliseconds: float
    """Both a mail."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What the database is asked for a mail."""

    checkouts: dict[str, float]
    """Of the pool, by service, a mail."""
    statements: list[Statement]


@dataclass(slots=True)
class Measured:
    """Everything; filled as the run goes."""

    form: str
    machine: Machine
    busy_before: float = 0
    busy_after: float = 0
    """Processors that were busy while we did nothing: 0 is a quiet machine."""
    fsync_ms: list[float] = field(default_factory=list)
    """Of the disk: 8 KB written and synchronised, the median before each round."""
    rounds: list[Round] = field(default_factory=list)
    latencies: list[Latency] = field(default_factory=list)
    memory: dict[str, Memory] = field(default_factory=dict)
    startup_seconds: dict[str, list[float]] = field(default_factory=dict)
    """Of the processor until ready, by service, for each start."""
    profile: Profile | None = None
    growth: list[Growth] = field(default_factory=list)
    replicas: dict[int, Round] = field(default_factory=dict)
    backlog: Backlog | None = None
    classifier: dict[str, Any] = field(default_factory=dict)
    mailboxes: list[dict[str, Any]] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    """Sentences: what was not measured, and why."""
    seconds: float = 0
    """That the whole run took."""

    def of(self, contender: str) -> Sequence[Round]:
        """Its turns."""
        return [each for each in self.rounds if each.contender == contender]

    def mails_a_second(self, contender: str) -> Spread | None:
        """None when it had no turn."""
        turns = self.of(contender)
        return Spread.of(each.mails_a_second for each in turns) if turns else None

    def processor_ms(self, contender: str) -> dict[str, Spread]:
        """By process, a mail."""
        turns = self.of(contender)
        return {name: Spread.of(each.processor_ms[name] for each in turns) for name in turns[0].processor_ms}

    @property
    def quiet(self) -> bool:
        """Whether nobody else had much of the machine, before the run and after it."""
        return max(self.busy_before, self.busy_after) < QUIET

    @property
    def fsync(self) -> float:
        """Milliseconds, the median of the run."""
        return statistics.median(self.fsync_ms)


_ADAPTER: Final = TypeAdapter(Measured)


def to_json(measured: Measured) -> bytes:
    """All of it."""
    return _ADAPTER.dump_json(measured, indent=1) + b"\n"


def from_json(text: bytes) -> Measured:
    """What `to_json` made."""
    return _ADAPTER.validate_json(text)
