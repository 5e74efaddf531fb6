"""Acknowledging the deliveries of one channel: what is ready together goes out together.

    acknowledgements = Acknowledgements(channel)
    await acknowledgements.of(delivery_tag)          # in each task; returns when it is written

AMQP lets one acknowledgement stand for all deliveries up to it (`multiple`, 0-9-1 1.8.3.13). Messages that are handled
in a batch are ready at the same moment, and mostly in the order in which they came.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Final

from aiormq.abc import AbstractChannel

from shared.batches import Batches

_AT_ONCE: Final = 1000
"""More than anybody may have in hand."""
_PATIENCE_SECONDS: Final = 0.02
"""How long an acknowledgement waits for those of the other messages in hand: its place is taken for so much longer."""


class DeliveryTags:
    """Which deliveries of a channel are acknowledged; RabbitMQ counts them from 1."""

    def __init__(self) -> None:
        self._all_up_to = 0
        self._beyond: set[int] = set()

    def acknowledge(self, tags: Sequence[int]) -> list[tuple[int, bool]]:
        """The fewest acknowledgements for these, each with its `multiple`: none stands for one that is not done."""
        self._beyond.update(tags)
        while self._all_up_to + 1 in self._beyond:
            self._all_up_to += 1
            self._beyond.remove(self._all_up_to)
        in_order = [tag for tag in tags if tag <= self._all_up_to]
        first = [(max(in_order), len(in_order) > 1)] if in_order else []
        return first + [(tag, False) for tag in tags if tag > self._all_up_to]


class Acknowledgements:
    """Those of `channel`."""

    def __init__(self, channel: AbstractChannel) -> None:
        self._channel = channel
        self._tags = DeliveryTags()
        self._together = Batches(
            self._write, what="acknowledgements", most=_AT_ONCE, patience_seconds=_PATIENCE_SECONDS
        )

    def coming(self) -> AbstractContextManager[None]:
        """Around what is done with a delivery before it is acknowledged: who is ready waits for that, for a moment."""
        return self._together.coming()

    async def of(self, delivery_tag: int) -> None:
        """Acknowledge this delivery. Raises what aiormq raises where the channel is lost."""
        await self._together.of(delivery_tag)

    async def _write(self, tags: Sequence[int]) -> list[None]:
        *others, last = self._tags.acknowledge(tags)
        for tag, multiple in others:
            await self._channel.basic_ack(tag, multiple=multiple, wait=False)
        tag, multiple = last
        await self._channel.basic_ack(tag, multiple=multiple)
        return [None] * len(tags)
