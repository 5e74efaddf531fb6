"""Connections to RabbitMQ that say when they are lost, and whose every trouble is an `Outage`.

aio-pika's plain `connect` is used, not `connect_robust`: with the session end its stale deliveries and hidden state.
Who uses a `Session` watches `lost`, closes it, and opens another with `Backoff`. Publishing and consuming have
connections of their own: in a memory or disk alarm RabbitMQ stops reading a connection that publishes, and with it the
acknowledgements of what it consumes.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Iterator
from importlib import metadata
from types import TracebackType
from typing import Any, Final, Self

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.connection import make_url
from aio_pika.exceptions import AMQPError, ChannelInvalidStateError, DeliveryError, PublishError
from aiormq.exceptions import InvalidFrameError
from pamqp.exceptions import PAMQPException
from pydantic import SecretStr

from shared.database.pool import REQUIRED_REVISION
from shared.errors import Outage
from shared.sentences import Sentence

HEARTBEAT_SECONDS: Final = 15
"""A connection that is stuck is given up after three times (heartbeat + 1), 48 seconds."""
BLOCKED_SECONDS: Final = 0.1
"""How long a connection may be unready before it counts as blocked."""
REQUEST_TIMEOUT_SECONDS: Final = 10
"""For connecting, opening a channel, starting and stopping to consume."""
PUBLISH_TIMEOUT_SECONDS: Final = 30
"""Below the 48 seconds of a stuck connection, so that the publisher learns of it first."""


VERSION_PROPERTY: Final = "helpdesk_importer"
"""The property of a connection in which its program tells its version; the management API shows it."""


def running_version() -> str:
    """Of this program: what it calls itself, and the schema that it needs."""
    return f"{metadata.version('helpdesk-importer')} (schema {REQUIRED_REVISION})"


class BrokerOutage(Outage):
    """RabbitMQ does not answer, refuses us, or closed the connection."""


class NotLetIn(BrokerOutage):
    """RabbitMQ takes the login, and not the user in our virtual host."""


class Unroutable(BrokerOutage):
    """No queue takes this message: the topology is incomplete."""


class BrokerBlocked(BrokerOutage):
    """RabbitMQ reads nothing of who publishes, for want of memory or disk."""


class QueueFull(BrokerOutage):
    """The queue refuses more messages (its length limit), until its consumers have caught up."""


@contextlib.contextmanager
def broker_trouble(doing: str) -> Iterator[None]:
    """Raise whatever goes wrong between us and RabbitMQ while `doing` as BrokerOutage.

    QUIRK: aio-pika 10 answers a call on a stuck connection with CancelledError although nobody cancelled the task.
    """
    try:
        yield
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        raise BrokerOutage(Sentence("RabbitMQ stopped answering while %(doing)s", doing=doing)) from None
    except PublishError as error:
        nowhere = Sentence(
            "No queue takes this message while %(doing)s: run helpdesk-importer deploy-topology", doing=doing
        )
        raise Unroutable(nowhere) from error
    except DeliveryError as error:
        full = Sentence(
            "The queue refused the message while %(doing)s: it is full; see whether its consumers keep up", doing=doing
        )
        raise QueueFull(full) from error
    except TimeoutError as error:
        late = Sentence("RabbitMQ did not answer in time while %(doing)s: look for an alarm on it", doing=doing)
        raise BrokerOutage(late) from error
    except (AMQPError, PAMQPException, ChannelInvalidStateError, OSError, StopAsyncIteration) as error:
        # QUIRK: aiormq ends a connection that the broker closes in peace with StopAsyncIteration
        raise _failed(doing, error) from error
    except Exception as error:
        # QUIRK: aiormq 6 gives who waits to write on a connection that is lost an Exception, without type and text
        if type(error) is not Exception:
            raise
        raise BrokerOutage(Sentence("RabbitMQ's connection was lost while %(doing)s", doing=doing)) from error


def _failed(doing: str, error: Exception) -> BrokerOutage:
    """QUIRK: aiormq keeps no word of why RabbitMQ closes at once what we ask it to open, but says that it does."""
    if isinstance(error, InvalidFrameError) and "Connection.OpenOk" in str(error):
        return NotLetIn(
            Sentence(
                "RabbitMQ does not let us into the virtual host while %(doing)s: it does not exist, or this user has "
                "no rights in it (run helpdesk-importer deploy-topology), or it takes no more connections",
                doing=doing,
            )
        )
    why = f"{type(error).__name__} {error}"
    return BrokerOutage(Sentence("RabbitMQ failed us while %(doing)s: %(why)s", doing=doing, why=why))


class Backoff:
    """Growing delays with full jitter: up to 0.5 s, 1 s, 2 s … up to 30 s; `reset` after a success."""

    FIRST_SECONDS: Final = 0.5
    MOST_SECONDS: Final = 30.0

    def __init__(self) -> None:
        self._failures = 0

    def next_delay(self) -> float:
        """Seconds to wait before the next try."""
        longest = min(self.MOST_SECONDS, self.FIRST_SECONDS * 2**self._failures)
        self._failures = min(self._failures + 1, 10)
        return random.uniform(longest / 10, longest)  # noqa: S311 - jitter, no secret

    def reset(self) -> None:
        """The next delay is the shortest again."""
        self._failures = 0


class Session:
    """One AMQP connection and the channels on it. When any of them goes, `lost` is set and `why` says it."""

    def __init__(self, connection: AbstractConnection) -> None:
        self._connection = connection
        self._channels: list[AbstractChannel] = []
        """Held, since aio-pika's connection does not: one that is forgotten tells nobody that it was closed."""
        self.lost = asyncio.Event()
        self.why: Outage | None = None
        connection.close_callbacks.add(self._on_close)

    @classmethod
    async def open(cls, dsn: SecretStr, name: str) -> Self:
        """Connect to `dsn`; `name` is what RabbitMQ's console shows. Raises BrokerOutage."""
        connection = aio_pika.Connection(
            make_url(dsn.get_secret_value(), heartbeat=HEARTBEAT_SECONDS),
            client_properties={"connection_name": name, VERSION_PROPERTY: running_version()},
        )
        try:
            with broker_trouble(Sentence("connecting as «%(name)s»", name=name)):
                await connection.connect(timeout=REQUEST_TIMEOUT_SECONDS)
        except BaseException:
            # QUIRK: `aio_pika.connect` leaves one that failed to its finalizer, which closes it in whatever loop runs
            await connection.close()
            raise
        return cls(connection)

    async def channel(self) -> AbstractChannel:
        """A new channel with confirms, on which an unroutable publish raises."""
        with broker_trouble(Sentence("opening a channel")):
            async with asyncio.timeout(REQUEST_TIMEOUT_SECONDS):
                channel = await self._connection.channel(publisher_confirms=True, on_return_raises=True)
                underlying = await channel.get_underlay_channel()
        self._channels.append(channel)
        channel.close_callbacks.add(self._on_close)
        underlying.on_consumer_cancel_callbacks.add(self._on_consumer_cancelled)
        return channel

    async def check_takes(self) -> None:
        """Raise BrokerBlocked when RabbitMQ has said that it reads nothing more of this connection."""
        try:
            async with asyncio.timeout(BLOCKED_SECONDS):
                await self._connection.ready()
        except TimeoutError:
            raise BrokerBlocked(
                "RabbitMQ takes no messages: its memory or disk alarm is on. Make room, or see which queue grows"
            ) from None

    def lose(self, why: Outage) -> None:
        """Give this session up; the first reason is kept."""
        if self.why is None:
            self.why = why
        self.lost.set()

    async def close(self) -> None:
        """Close the connection, within a bounded time and whatever its state."""
        with contextlib.suppress(BrokerOutage), broker_trouble("closing"):
            async with asyncio.timeout(REQUEST_TIMEOUT_SECONDS):
                await self._connection.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _on_close(self, _sender: Any, error: BaseException | None) -> None:
        self.lose(BrokerOutage(f"RabbitMQ closed the connection: {error}"))

    def _on_consumer_cancelled(self, _frame: Any) -> None:
        self.lose(BrokerOutage("RabbitMQ stopped our consumer (was its queue deleted?): run deploy-topology"))
