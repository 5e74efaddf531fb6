"""How many messages are ready in each of our queues and how many consumers it has, as of now.

The answer to a passive `queue.declare` (AMQP 0-9-1, 1.7.2.1) comes from the queue itself; RabbitMQ's management API
collects its statistics every five seconds, and so says of queues whose readers have just begun that nobody reads them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from aio_pika.abc import AbstractChannel

from shared.broker.session import broker_trouble
from shared.sentences import Sentence


@dataclass(frozen=True, slots=True)
class Count:
    """What a queue says of itself: messages ready, those in a consumer's hands not among them, and consumers."""

    ready: int
    consumers: int


async def counted(channel: AbstractChannel, queues: Collection[str]) -> Mapping[str, Count]:
    """The count of each of these queues, all of which exist. Needs no right. Raises BrokerOutage."""
    with broker_trouble(Sentence("counting messages")):
        declared = [(await channel.declare_queue(name, passive=True)).declaration_result for name in queues]
    return {
        name: Count(result.message_count or 0, result.consumer_count or 0)
        for name, result in zip(queues, declared, strict=True)
    }
