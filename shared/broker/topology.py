"""All exchanges, queues, policies and users of the importer, as values (DESIGN 6). `administration` applies them.

    exchange mail   (topic)   mail.raw ──▶ mail.raw            mail.classified ──▶ mail.classified
    exchange ticket (topic)   ticket.event ──▶ ticket.events
    exchange retry  (topic)   for each work queue Q:  Q ──▶ Q (replay, and what waited)
                              Q.wait.10s  Q.wait.1m  Q.wait.10m ──▶ the queue of that name, then by its age to Q
                              Q.suspect ──▶ Q.suspect          Q.dead ──▶ Q.dead

All queues are durable quorum queues that are declared with `x-queue-type` alone: arguments are immutable, so all else
is a policy. Every policy works on RabbitMQ 3.10 and 4.x:

- The broker's own delivery limit is 1000 instead of 20 (4.x, which deletes the mail) or none (3.10): tries are counted
  in our own headers. Queues that a person looks into have a million, since «Get messages (requeue)» counts too.
- Dead-lettering is at-least-once, which RabbitMQ silently gives up unless the overflow is `reject-publish`.
- A full work queue refuses a publish (back-pressure); what waits or is dead is never refused.

Q.suspect is one more than DESIGN 6 names. A crash of the process adds a delivery to every message in its hands, so the
broker's count does not tell the culprit from its neighbours. Messages with five deliveries are moved to Q.suspect,
which is consumed one message at a time: there the count is exact, and only the culprit is given up. Messages that take
so much work that others would wait for them are moved there too (`shared.errors.HandleAlone`).

`retry` is a topic exchange so that topic permissions can say who may publish what to it. Nobody may use the default
exchange; nobody but the administrator may configure anything.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

MAIL_EXCHANGE: Final = "mail"
TICKET_EXCHANGE: Final = "ticket"
RETRY_EXCHANGE: Final = "retry"

MAIL_RAW: Final = "mail.raw"
MAIL_CLASSIFIED: Final = "mail.classified"
TICKET_EVENTS: Final = "ticket.events"

MAIL_QUEUES: Final = (MAIL_RAW, MAIL_CLASSIFIED)
"""The work queues in which a mail is on the way to its outcome: a dead letter there keeps it in quarantine."""

BROKER_DELIVERY_LIMIT: Final = 1000
LOOKED_INTO_DELIVERY_LIMIT: Final = 1_000_000
POLICY_PRIORITY: Final = 100
EVERYTHING: Final = ".*"
NOTHING: Final = "^$"


@dataclass(frozen=True, slots=True)
class Route:
    """Where messages of one AMQP type are published."""

    exchange: str
    routing_key: str


ROUTES: Final[Mapping[str, Route]] = {
    "mail.raw": Route(MAIL_EXCHANGE, "mail.raw"),
    "mail.classified": Route(MAIL_EXCHANGE, "mail.classified"),
    "ticket.event": Route(TICKET_EXCHANGE, "ticket.event"),
}
"""By AMQP type (`shared.messages.Message.type`)."""


@dataclass(frozen=True, slots=True)
class Wait:
    """A step of the retry policy: the last part of the wait queue's name, and how long a message stays there."""

    name: str
    delay: timedelta


WAITS: Final = (
    Wait("10s", timedelta(seconds=10)),
    Wait("1m", timedelta(minutes=1)),
    Wait("10m", timedelta(minutes=10)),
)


def wait_queue(queue: str, wait: Wait) -> str:
    """The queue in which messages of `queue` wait for their next try."""
    return f"{queue}.wait.{wait.name}"


def suspect_queue(queue: str) -> str:
    """The queue of messages of `queue` that may have crashed their consumer, or hold up others: one at a time."""
    return f"{queue}.suspect"


def dead_queue(queue: str) -> str:
    """The queue of messages of `queue` that wait for a person."""
    return f"{queue}.dead"


@dataclass(frozen=True, slots=True)
class WorkQueue:
    """A queue with work: what fills it and which service reads it."""

    name: str
    filled_by: Route
    reader: str


WORK_QUEUES: Final = (
    WorkQueue(MAIL_RAW, ROUTES["mail.raw"], "classifier"),
    WorkQueue(MAIL_CLASSIFIED, ROUTES["mail.classified"], "ticket_writer"),
    WorkQueue(TICKET_EVENTS, ROUTES["ticket.event"], "notifier"),
)

QUEUES: Final = tuple(
    name
    for queue in WORK_QUEUES
    for name in (
        queue.name,
        *(wait_queue(queue.name, wait) for wait in WAITS),
        suspect_queue(queue.name),
        dead_queue(queue.name),
    )
)
"""All queues of an installation: each work queue with those beside it."""

PUBLISHES: Final[Mapping[str, tuple[Route, ...]]] = {
    "fetcher": (ROUTES["mail.raw"],),
    "classifier": (ROUTES["mail.classified"],),
    "ticket_writer": (ROUTES["ticket.event"],),
    "notifier": (),
}
"""What each service publishes beside retries of its own queue."""


@dataclass(frozen=True, slots=True)
class TopologyParameters:
    """What may differ between installations; tests shorten the delays and rename the users.

    `max_length_bytes` bounds each work queue: publishes above it are refused, and the sender tries again later.
    """

    waits: tuple[Wait, ...] = WAITS
    max_length_bytes: int = 4 * 1024**3
    user_prefix: str = "importer_"


@dataclass(frozen=True, slots=True)
class Exchange:
    """A durable exchange."""

    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Binding:
    """A route from an exchange to a queue."""

    exchange: str
    routing_key: str
    queue: str


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy for exactly the queue (or, with a longer pattern, queues) that it names."""

    name: str
    pattern: str
    definition: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class User:
    """A RabbitMQ user with its least rights; `topics` says what it may publish, by exchange. None may configure."""

    name: str
    service: str
    write: str
    read: str
    topics: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Topology:
    """Everything that `deploy-topology` applies to one virtual host."""

    exchanges: tuple[Exchange, ...]
    queues: tuple[str, ...]
    bindings: tuple[Binding, ...]
    policies: tuple[Policy, ...]
    users: tuple[User, ...]

    def policy_of(self, queue: str) -> Policy:
        """The policy that must rule `queue`."""
        return next(policy for policy in self.policies if re.search(policy.pattern, queue))


def _exactly(*names: str) -> str:
    return f"^({'|'.join(re.escape(name) for name in names)})$" if len(names) > 1 else f"^{re.escape(names[0])}$"


def _dead_letters_to(routing_key: str) -> dict[str, Any]:
    return {
        "dead-letter-exchange": RETRY_EXCHANGE,
        "dead-letter-routing-key": routing_key,
        "dead-letter-strategy": "at-least-once",
        "overflow": "reject-publish",
    }


def _queues_beside(queue: str, parameters: TopologyParameters) -> tuple[str, ...]:
    return (*(wait_queue(queue, wait) for wait in parameters.waits), suspect_queue(queue), dead_queue(queue))


def _policies(queue: str, parameters: TopologyParameters) -> tuple[Policy, ...]:
    def policy(name: str, definition: Mapping[str, Any]) -> Policy:
        return Policy(f"importer.{name}", _exactly(name), definition)

    to_dead = {"delivery-limit": BROKER_DELIVERY_LIMIT, **_dead_letters_to(dead_queue(queue))}
    waiting = {"delivery-limit": LOOKED_INTO_DELIVERY_LIMIT, **_dead_letters_to(queue)}
    return (
        policy(queue, {**to_dead, "max-length-bytes": parameters.max_length_bytes}),
        policy(suspect_queue(queue), to_dead),
        *(
            policy(wait_queue(queue, wait), {**waiting, "message-ttl": wait.delay // timedelta(milliseconds=1)})
            for wait in parameters.waits
        ),
        policy(dead_queue(queue), {"delivery-limit": LOOKED_INTO_DELIVERY_LIMIT}),
    )


def _service_user(service: str, parameters: TopologyParameters) -> User:
    read = next((queue.name for queue in WORK_QUEUES if queue.reader == service), None)
    topics = {route.exchange: _exactly(route.routing_key) for route in PUBLISHES[service]}
    if read is not None:
        topics[RETRY_EXCHANGE] = _exactly(*_queues_beside(read, parameters))
    return User(
        name=f"{parameters.user_prefix}{service}",
        service=service,
        write=_exactly(*topics),
        read=NOTHING if read is None else _exactly(read, suspect_queue(read)),
        topics=topics,
    )


def _console_user(parameters: TopologyParameters) -> User:
    """The console watches the queues (management tag `monitoring`) and replays dead letters."""
    names = tuple(queue.name for queue in WORK_QUEUES)
    return User(
        name=f"{parameters.user_prefix}console",
        service="console",
        write=_exactly(RETRY_EXCHANGE),
        read=_exactly(*map(dead_queue, names)),
        topics={RETRY_EXCHANGE: _exactly(*names)},
        tags=("monitoring",),
    )


def _reconciler_user(parameters: TopologyParameters) -> User:
    """Looks at what the queues hold, suspects excepted: each look counts against those. It publishes nothing."""
    names = [
        name
        for queue in WORK_QUEUES
        for name in (queue.name, *_queues_beside(queue.name, parameters))
        if name != suspect_queue(queue.name)
    ]
    return User(
        name=f"{parameters.user_prefix}reconciler",
        service="reconciler",
        write=NOTHING,
        read=_exactly(*names),
        tags=("monitoring",),
    )


def topology(parameters: TopologyParameters | None = None) -> Topology:
    """The whole topology; `parameters` None means that of a real installation."""
    parameters = parameters or TopologyParameters()
    beside = {queue.name: _queues_beside(queue.name, parameters) for queue in WORK_QUEUES}
    return Topology(
        exchanges=tuple(Exchange(name, "topic") for name in (MAIL_EXCHANGE, TICKET_EXCHANGE, RETRY_EXCHANGE)),
        queues=tuple(name for queue in WORK_QUEUES for name in (queue.name, *beside[queue.name])),
        bindings=(
            *(Binding(queue.filled_by.exchange, queue.filled_by.routing_key, queue.name) for queue in WORK_QUEUES),
            *(
                Binding(RETRY_EXCHANGE, name, name)
                for queue in WORK_QUEUES
                for name in (queue.name, *beside[queue.name])
            ),
        ),
        policies=tuple(policy for queue in WORK_QUEUES for policy in _policies(queue.name, parameters)),
        users=(
            *(_service_user(service, parameters) for service in PUBLISHES),
            _console_user(parameters),
            _reconciler_user(parameters),
        ),
    )
