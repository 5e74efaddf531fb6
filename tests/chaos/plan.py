"""What will go wrong, and when: made from a seed, the same each time.

A plan is bounded: every fault has its moment and lasts for so many seconds. How the mails and the faults meet differs
from run to run, as it does in life; what is done to the importer does not.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from services.console.supervisor import SERVICES

FULL_RUN_MAILS: Final = 5_000
FULL_RUN_FAULTS: Final = 220
FEWEST_FAULTS: Final = 45
REPLICAS: Final = 2
"""Of each service."""
NODES: Final = ("n1", "n2", "n3")
"""Of RabbitMQ, in a cluster."""
LEADER: Final = "the leader"
"""The node that leads the queue mail.raw."""
_PAUSE: Final = (0.4, 3.0)
"""Seconds between the beginnings of two faults."""


class Lane(StrEnum):
    """What faults are done to: of one lane one at a time, of different lanes at once."""

    SERVICES = "services"
    BROKER = "RabbitMQ"
    DATABASE = "PostgreSQL"
    CONNECTIONS = "connections"
    SMTP = "mail server"
    SPOOL = "spool"


class Kind(StrEnum):
    """The kinds of faults, by the names that the report has."""

    SERVICE_KILLED = "service killed"
    SERVICE_STOPPED = "service stopped"
    SERVICE_RESTARTED = "service restarted"
    READER_KILLED = "reading child killed"
    READER_STOPPED = "reading child stopped"
    BROKER_KILLED = "RabbitMQ killed"
    BROKER_STOPPED = "RabbitMQ stopped"
    BROKER_RESTARTED = "RabbitMQ restarted"
    DATABASE_KILLED = "PostgreSQL killed"
    DATABASE_STOPPED = "PostgreSQL stopped"
    DATABASE_RESTARTED = "PostgreSQL restarted"
    PRIMARY_LOST = "primary killed, standby promoted"
    CONNECTIONS_DROPPED = "connections dropped"
    CONNECTIONS_STALLED = "connections stalled"
    CONNECTIONS_REFUSED = "connections refused"
    QUEUE_FULL = "queue full"
    MEMORY_ALARM = "RabbitMQ's memory alarm"
    DISK_ALARM = "RabbitMQ's disk alarm"
    LOCK_HELD = "lock held"
    SMTP_REFUSES = "SMTP refuses"
    SMTP_STALLS = "SMTP stalls"
    SMTP_CLOSES = "SMTP closes after DATA"
    DATABASE_DISK_FULL = "disk full under PostgreSQL"
    SPOOL_FULL = "disk full under the spool"


@dataclass(frozen=True, slots=True)
class Likeness:
    """How a kind of fault goes: what it may be done to, how long it lasts (seconds), how often it comes (a share)."""

    lane: Lane
    targets: Sequence[str]
    seconds: tuple[float, float]
    share: float


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong: `at` is in seconds after the first mail, and it lasts `seconds`."""

    at: float
    kind: Kind
    target: str
    seconds: float

    @property
    def lane(self) -> Lane:
        """What it is done to."""
        return LIKENESS[self.kind].lane


_REPLICAS: Final = tuple(f"{service} {number}" for service in SERVICES for number in range(1, REPLICAS + 1))
_READERS: Final = tuple(f"classifier {number}" for number in range(1, REPLICAS + 1))
_PAIRS: Final = (
    *(f"{service} to {server}" for service in SERVICES for server in ("RabbitMQ", "PostgreSQL")),
    "notifier to mail server",
)
_TABLES: Final = (
    "imported_mails", "mailbox_states", "tickets", "supplements", "notifications", "content_keys", "blobs",
)  # fmt: skip
_QUEUES: Final = ("mail.raw", "mail.classified", "ticket.events")
_THE_SERVER: Final = ("the server",)
_OF_A_NODE: Final = frozenset({Kind.BROKER_KILLED, Kind.BROKER_STOPPED, Kind.BROKER_RESTARTED})
_NO_TIME: Final = (0.0, 0.0)

LIKENESS: Final[Mapping[Kind, Likeness]] = {
    Kind.SERVICE_KILLED: Likeness(Lane.SERVICES, _REPLICAS, _NO_TIME, 30),
    Kind.SERVICE_STOPPED: Likeness(Lane.SERVICES, _REPLICAS, (0.5, 8.0), 14),
    Kind.SERVICE_RESTARTED: Likeness(Lane.SERVICES, _REPLICAS, _NO_TIME, 8),
    Kind.READER_KILLED: Likeness(Lane.SERVICES, _READERS, _NO_TIME, 14),
    Kind.READER_STOPPED: Likeness(Lane.SERVICES, _READERS, (0.5, 4.0), 6),
    Kind.BROKER_KILLED: Likeness(Lane.BROKER, _THE_SERVER, (0.5, 3.0), 3),
    Kind.BROKER_STOPPED: Likeness(Lane.BROKER, _THE_SERVER, (1.0, 8.0), 4),
    Kind.BROKER_RESTARTED: Likeness(Lane.BROKER, _THE_SERVER, _NO_TIME, 2),
    Kind.DATABASE_KILLED: Likeness(Lane.DATABASE, _THE_SERVER, (0.2, 4.0), 6),
    Kind.DATABASE_STOPPED: Likeness(Lane.DATABASE, _THE_SERVER, (1.0, 8.0), 5),
    Kind.DATABASE_RESTARTED: Likeness(Lane.DATABASE, _THE_SERVER, _NO_TIME, 3),
    Kind.PRIMARY_LOST: Likeness(Lane.DATABASE, _THE_SERVER, (0.5, 3.0), 3),
    Kind.CONNECTIONS_DROPPED: Likeness(Lane.CONNECTIONS, _PAIRS, _NO_TIME, 40),
    Kind.CONNECTIONS_STALLED: Likeness(Lane.CONNECTIONS, _PAIRS, (0.5, 6.0), 12),
    Kind.CONNECTIONS_REFUSED: Likeness(Lane.CONNECTIONS, _PAIRS, (0.5, 6.0), 12),
    Kind.QUEUE_FULL: Likeness(Lane.BROKER, _QUEUES, (1.0, 5.0), 7),
    Kind.MEMORY_ALARM: Likeness(Lane.BROKER, _THE_SERVER, (1.0, 4.0), 3),
    Kind.DISK_ALARM: Likeness(Lane.BROKER, _THE_SERVER, (1.0, 4.0), 3),
    Kind.LOCK_HELD: Likeness(Lane.DATABASE, _TABLES, (0.5, 8.0), 14),
    Kind.SMTP_REFUSES: Likeness(Lane.SMTP, ("EHLO", "MAIL", "RCPT", "DATA"), (0.5, 4.0), 12),
    Kind.SMTP_STALLS: Likeness(Lane.SMTP, _THE_SERVER, (1.0, 8.0), 6),
    Kind.SMTP_CLOSES: Likeness(Lane.SMTP, _THE_SERVER, (0.5, 3.0), 8),
    Kind.DATABASE_DISK_FULL: Likeness(Lane.DATABASE, _THE_SERVER, (0.5, 3.0), 3),
    Kind.SPOOL_FULL: Likeness(Lane.SPOOL, _THE_SERVER, (1.0, 5.0), 5),
}  # fmt: skip
"""Of RabbitMQ's nodes one at a time is meant, where there are several."""

ON_CLUSTERS: Final = frozenset({Kind.PRIMARY_LOST})
"""What takes more than one server of a kind."""

WITHOUT_KILLING_SERVERS: Final = frozenset(
    {
        Kind.SERVICE_KILLED, Kind.SERVICE_STOPPED, Kind.SERVICE_RESTARTED, Kind.READER_KILLED, Kind.READER_STOPPED,
        Kind.CONNECTIONS_DROPPED, Kind.CONNECTIONS_STALLED, Kind.CONNECTIONS_REFUSED, Kind.QUEUE_FULL, Kind.LOCK_HELD,
        Kind.SMTP_REFUSES, Kind.SMTP_STALLS, Kind.SMTP_CLOSES,
    }
)  # fmt: skip
"""What can be done where others use the same servers."""


def plan_of(
    seed: int, count: int, kinds: Sequence[Kind], *, longest: float = 8.0, nodes: Sequence[str] = ()
) -> list[Fault]:
    """So many faults in the order of their moments, each of these kinds at least once if there is room for all.

    None lasts longer than `longest` seconds. `nodes` are those of RabbitMQ, if it has several.
    """
    chance = random.Random(seed)  # noqa: S311 - a plan, no secret
    chosen = list(kinds)[:count]
    chosen += chance.choices(kinds, weights=[LIKENESS[kind].share for kind in kinds], k=count - len(chosen))
    chance.shuffle(chosen)
    plan = []
    at = 0.0
    for kind in chosen:
        likeness = LIKENESS[kind]
        at += chance.uniform(*_PAUSE)
        targets = [*nodes, LEADER] if nodes and kind in _OF_A_NODE else likeness.targets
        seconds = min(chance.uniform(*likeness.seconds), longest)
        plan.append(Fault(round(at, 2), kind, chance.choice(targets), round(seconds, 2)))
    return plan


def faults_for(mails: int) -> int:
    """How many faults a run with so many mails gets: as dense as in a full run, and of each kind one."""
    return max(FEWEST_FAULTS, FULL_RUN_FAULTS * mails // FULL_RUN_MAILS)
