"""Every trouble with RabbitMQ is an outage, and a cancelled task stays cancelled."""

import asyncio
import gc

import pytest
from aio_pika import Connection
from aio_pika.exceptions import AMQPError, ChannelInvalidStateError
from pydantic import SecretStr
from yarl import URL

from shared.broker.publish import Publisher
from shared.broker.session import Backoff, BrokerBlocked, BrokerOutage, QueueFull, Session, broker_trouble
from shared.broker.topology import MAIL_RAW
from shared.errors import Outage
from tests.shared.broker.harness import eventually, raw_mail
from tests.vhosts import Vhost


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(TimeoutError(), id="no answer in time"),
        pytest.param(ConnectionResetError(), id="connection reset"),
        pytest.param(AMQPError("closed"), id="closed by the broker"),
        pytest.param(ChannelInvalidStateError("closed"), id="closed channel"),
        pytest.param(asyncio.CancelledError(), id="a stuck connection, which nobody cancelled"),
        pytest.param(Exception(), id="a connection that is lost while somebody waits to write"),
    ],
)
async def test_trouble_with_the_broker_is_an_outage_that_says_what_was_done(trouble: BaseException) -> None:
    with pytest.raises(BrokerOutage, match="while counting") as raised, broker_trouble("counting"):
        raise trouble
    assert isinstance(raised.value, Outage)


def test_a_bug_of_ours_is_no_outage() -> None:
    with pytest.raises(ZeroDivisionError), broker_trouble("counting"):
        raise ZeroDivisionError


async def test_a_task_that_is_cancelled_stays_cancelled() -> None:
    async def wait_for_ever() -> None:
        with broker_trouble("waiting"):
            started.set()
            await asyncio.Event().wait()

    started = asyncio.Event()
    task = asyncio.create_task(wait_for_ever())
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_connection_that_fails_is_closed_and_not_left_to_the_garbage_collector(unused_tcp_port: int) -> None:
    with pytest.raises(BrokerOutage, match="connecting as «test»") as refused:
        await Session.open(SecretStr(f"amqp://x:x@127.0.0.1:{unused_tcp_port}/"), "test")
    tried = [each for each in gc.get_objects() if type(each) is Connection and each.url.port == unused_tcp_port]
    assert [connection.is_closed for connection in tried] == [True], refused


async def test_a_full_queue_refuses_and_is_an_outage_of_its_own_kind(vhost: Vhost) -> None:
    policy = vhost.topology.policy_of(MAIL_RAW)
    definition = {**policy.definition, "max-length-bytes": 1000}
    full = {"pattern": policy.pattern, "definition": definition, "priority": 100}
    await vhost.management.send("PUT", f"policies/{vhost.name}/{policy.name}", full)
    refusals: list[QueueFull] = []
    async with Publisher(vhost.dsn("fetcher"), "fetcher") as publisher:

        async def is_refused() -> bool:
            try:
                await publisher.publish(raw_mail(), payload=b"x" * 1000)
            except QueueFull as refusal:
                refusals.append(refusal)
            return bool(refusals)

        await eventually(is_refused)
    assert "see whether its consumers keep up" in str(refusals[0])


def test_delays_grow_to_half_a_minute_and_start_anew_after_a_success() -> None:
    backoff = Backoff()
    for longest in (0.5, 1, 2, 4, 8, 16, 30, 30, 30):
        assert longest / 10 <= backoff.next_delay() <= longest
    backoff.reset()
    assert backoff.next_delay() <= 0.5


class BlockedConnection(Connection):
    """One of which RabbitMQ has said that it reads nothing (connection.blocked), until `taken` is set."""

    def __init__(self) -> None:
        super().__init__(URL("amqp://nobody:x@127.0.0.1:1/"))
        self.taken = asyncio.Event()

    async def ready(self) -> None:
        await self.taken.wait()


async def test_a_blocked_connection_is_told_with_the_alarm_as_its_reason() -> None:
    connection = BlockedConnection()
    session = Session(connection)
    with pytest.raises(BrokerBlocked, match="memory or disk alarm"):
        await session.check_takes()
    connection.taken.set()
    await session.check_takes()
    await connection.close()  # else its finalizer would, wherever garbage is collected
