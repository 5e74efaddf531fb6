"""What RabbitMQ says now: what the queues hold, who reads them, its alarms, and nodes that do not run.

Whatever a person is called for is asked of who knows it at once: the queues themselves over AMQP, the nodes for their
alarms. From the management API's statistics, some seconds old, come only the messages in hand and how full a node is.
The user `importer_console` has the tag `monitoring`, with which all of this may be asked, and nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import SecretStr

from shared.broker.administration import management
from shared.broker.counting import Count, counted
from shared.broker.session import Session
from shared.broker.topology import QUEUES, WAITS, WORK_QUEUES, WorkQueue, dead_queue, suspect_queue, wait_queue


@dataclass(frozen=True, slots=True)
class WorkInQueue:
    """A work queue with the queues beside it; all but `consumers` in messages."""

    queue: str
    reader: str
    ready: int
    in_hand: int
    """Some seconds old, as is the part of `suspect` that is in hand."""
    waiting: int
    """For another try, in the wait queues."""
    suspect: int
    dead: int
    consumers: int


@dataclass(frozen=True, slots=True)
class BrokerAlarm:
    """Why a node takes no messages: `what` is memory or disk, in bytes what it has and where its limit is."""

    node: str
    what: str
    has: int
    limit: int


@dataclass(frozen=True, slots=True)
class BrokerStanding:
    """The queues; the alarms; nodes of the cluster that do not run; queues of ours that are not there."""

    queues: tuple[WorkInQueue, ...]
    alarms: tuple[BrokerAlarm, ...]
    nodes_down: tuple[str, ...]
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Told:
    """What the management API says: queues and nodes by name, with their statistics, and alarms."""

    queues: Mapping[str, Mapping[str, Any]]
    nodes: Mapping[str, Mapping[str, Any]]
    alarms: tuple[Mapping[str, Any], ...]


async def broker_standing(amqp_dsn: SecretStr, management_dsn: SecretStr, vhost: str) -> BrokerStanding:
    """All of it. Raises Outage, Misconfigured and ManagementRefused."""
    opening = asyncio.create_task(Session.open(amqp_dsn, "helpdesk-importer status"), name="open a session")
    try:
        told = await _told(management_dsn, vhost)
        async with await opening as session:
            counts = await counted(await session.channel(), [name for name in QUEUES if name in told.queues])
    finally:
        await _give_up(opening)
    return BrokerStanding(
        queues=tuple(_work(queue, told.queues, counts) for queue in WORK_QUEUES),
        alarms=tuple(_alarm(alarm, told.nodes) for alarm in told.alarms if alarm.get("resource") in _NUMBERS),
        nodes_down=tuple(name for name, node in told.nodes.items() if not node.get("running", True)),
        missing=tuple(name for name in QUEUES if name not in told.queues),
    )


async def _told(management_dsn: SecretStr, vhost: str) -> _Told:
    async with management(management_dsn, vhost) as broker:
        nodes, queues, alarms = await asyncio.gather(
            broker.get("nodes"), broker.get(f"queues/{broker.vhost}"), broker.alarms()
        )
    return _Told({each["name"]: each for each in queues or ()}, {each["name"]: each for each in nodes or ()}, alarms)


async def _give_up(opening: asyncio.Task[Session]) -> None:
    """Have nothing left of a session that nobody took, whether it opened, failed or is under way."""
    opening.cancel()
    await asyncio.wait((opening,))
    if not opening.cancelled() and opening.exception() is None:
        await opening.result().close()


_NUMBERS: Final = {"memory": ("mem_used", "mem_limit"), "disk": ("disk_free", "disk_free_limit")}
"""By the resource of an alarm: what of a node's statistics says how much it has and where the limit is."""


def _alarm(alarm: Mapping[str, Any], nodes: Mapping[str, Mapping[str, Any]]) -> BrokerAlarm:
    """QUIRK: a node that has just started, or does not run, has a name and little else."""
    has, limit = (int(nodes.get(alarm["node"], {}).get(name) or 0) for name in _NUMBERS[alarm["resource"]])
    return BrokerAlarm(alarm["node"], alarm["resource"], has, limit)


def _work(queue: WorkQueue, told: Mapping[str, Mapping[str, Any]], counts: Mapping[str, Count]) -> WorkInQueue:
    """A queue that does not exist holds nothing and has no reader."""

    def ready(name: str) -> int:
        return counts[name].ready if name in counts else 0

    def in_hand(name: str) -> int:
        return int(told.get(name, {}).get("messages_unacknowledged") or 0)

    suspect = suspect_queue(queue.name)
    return WorkInQueue(
        queue=queue.name,
        reader=queue.reader,
        ready=ready(queue.name),
        in_hand=in_hand(queue.name),
        waiting=sum(ready(wait_queue(queue.name, wait)) for wait in WAITS),
        suspect=ready(suspect) + in_hand(suspect),
        dead=ready(dead_queue(queue.name)),
        consumers=counts[queue.name].consumers if queue.name in counts else 0,
    )
