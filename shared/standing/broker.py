"""What RabbitMQ's management API says: what the queues hold, who reads them, and its alarms.

A user with the tag `monitoring` may ask all of this, and nothing else; the user `importer_console` has it. The numbers
are up to ten seconds old.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from shared.broker.administration import Management, management
from shared.broker.topology import WAITS, WORK_QUEUES, WorkQueue, dead_queue, suspect_queue, wait_queue


@dataclass(frozen=True, slots=True)
class WorkInQueue:
    """A work queue with the queues beside it; all but `consumers` in messages."""

    queue: str
    reader: str
    ready: int
    in_hand: int
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
    """The queues; the alarms; nodes of the cluster that do not run."""

    queues: tuple[WorkInQueue, ...]
    alarms: tuple[BrokerAlarm, ...]
    nodes_down: tuple[str, ...]


async def broker_standing(management_dsn: SecretStr, vhost: str) -> BrokerStanding:
    """All of it. Raises Outage, Misconfigured and ManagementRefused."""
    async with management(management_dsn, vhost) as broker:
        nodes = await broker.get("nodes") or ()
        return BrokerStanding(
            queues=await _queues(broker),
            alarms=tuple(alarm for node in nodes for alarm in _alarms(node)),
            nodes_down=tuple(node["name"] for node in nodes if not node.get("running", True)),
        )


def _alarms(node: Mapping[str, Any]) -> Iterator[BrokerAlarm]:
    """QUIRK: a node that does not run has a name and little else."""
    if node.get("mem_alarm"):
        yield BrokerAlarm(node["name"], "memory", int(node.get("mem_used") or 0), int(node.get("mem_limit") or 0))
    if node.get("disk_free_alarm"):
        yield BrokerAlarm(node["name"], "disk", int(node.get("disk_free") or 0), int(node.get("disk_free_limit") or 0))


async def _queues(broker: Management) -> tuple[WorkInQueue, ...]:
    by_name = {queue["name"]: queue for queue in await broker.get(f"queues/{broker.vhost}") or ()}

    def count(name: str, what: str) -> int:
        return int(by_name.get(name, {}).get(what) or 0)

    def whole(queue: WorkQueue) -> WorkInQueue:
        return WorkInQueue(
            queue=queue.name,
            reader=queue.reader,
            ready=count(queue.name, "messages_ready"),
            in_hand=count(queue.name, "messages_unacknowledged"),
            waiting=sum(count(wait_queue(queue.name, wait), "messages") for wait in WAITS),
            suspect=count(suspect_queue(queue.name), "messages"),
            dead=count(dead_queue(queue.name), "messages"),
            consumers=count(queue.name, "consumers"),
        )

    return tuple(whole(queue) for queue in WORK_QUEUES)
