"""Where RabbitMQ is for the command line's own user, and how many messages are ready there now.

AMQP tells that at once; what else there is to know, the management API tells (`shared.standing.broker`), up to ten
seconds old.
"""

from __future__ import annotations

from collections.abc import Mapping

from aio_pika.abc import AbstractChannel
from pydantic import Field, SecretStr

from shared.broker.session import broker_trouble
from shared.broker.topology import WAITS, WORK_QUEUES, dead_queue, suspect_queue, wait_queue
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
