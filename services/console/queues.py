"""What the command line sees of RabbitMQ, with its own user: how many messages each queue holds.

Two ways, since neither tells all: AMQP tells at once how many messages are ready; the management API also tells those
in a service's hands and the consumers, but what it says is up to ten seconds old.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aio_pika.abc import AbstractChannel
from pydantic import Field, SecretStr

from shared.broker.administration import management, vhost_of
from shared.broker.session import broker_trouble
from shared.broker.topology import WAITS, WORK_QUEUES, WorkQueue, dead_queue, suspect_queue, wait_queue
from shared.configuration import AmqpUrl, Configuration, HttpUrl

USER = "importer_console"
PASSWORD = "amqp_password_console"  # noqa: S105 - the name of the secret


class BrokerConfiguration(Configuration):
    """Where RabbitMQ is. The user is importer_console."""

    amqp_url: AmqpUrl = Field(
        description="amqp://HOST:PORT/VHOST or amqps://…; the user is importer_console with the secret "
        "amqp_password_console, unless the address holds credentials"
    )

    @property
    def amqp_dsn(self) -> SecretStr:
        """The URL with user and password."""
        return self.with_credentials(self.amqp_url, USER, PASSWORD)


class MonitoringConfiguration(BrokerConfiguration):
    """Where RabbitMQ and its management API are."""

    rabbitmq_management_url: HttpUrl = Field(
        description="http://HOST:PORT of RabbitMQ's management API; the user is importer_console with the secret "
        "amqp_password_console, unless the address holds credentials"
    )

    @property
    def management_dsn(self) -> SecretStr:
        """The URL of the management API with user and password."""
        return self.with_credentials(self.rabbitmq_management_url, USER, PASSWORD)


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


def _waiting(queue: str) -> tuple[str, ...]:
    return tuple(wait_queue(queue, wait) for wait in WAITS)


async def ready_now(channel: AbstractChannel) -> Mapping[str, int]:
    """The messages ready in each queue, as of now. Raises BrokerOutage."""
    names = [
        name
        for queue in WORK_QUEUES
        for name in (queue.name, *_waiting(queue.name), suspect_queue(queue.name), dead_queue(queue.name))
    ]
    with broker_trouble("counting messages"):
        declared = [await channel.declare_queue(name, passive=True) for name in names]
    return {name: queue.declaration_result.message_count or 0 for name, queue in zip(names, declared, strict=True)}


async def work_in_queues(configuration: MonitoringConfiguration) -> list[WorkInQueue]:
    """Each work queue, as the management API tells it. Raises Outage, Misconfigured and ManagementRefused."""
    async with management(configuration.management_dsn, vhost_of(configuration.amqp_url)) as broker:
        by_name = {queue["name"]: queue for queue in await broker.get(f"queues/{broker.vhost}") or ()}

    def count(name: str, what: str) -> int:
        return int(by_name.get(name, {}).get(what) or 0)

    def whole(queue: WorkQueue) -> WorkInQueue:
        return WorkInQueue(
            queue=queue.name,
            reader=queue.reader,
            ready=count(queue.name, "messages_ready"),
            in_hand=count(queue.name, "messages_unacknowledged"),
            waiting=sum(count(name, "messages") for name in _waiting(queue.name)),
            suspect=count(suspect_queue(queue.name), "messages"),
            dead=count(dead_queue(queue.name), "messages"),
            consumers=count(queue.name, "consumers"),
        )

    return [whole(queue) for queue in WORK_QUEUES]
