"""Each delivery ends in exactly one way, whatever the handler, the broker or the connection does."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import Any

import aio_pika
import pytest
from aiormq.channel import Channel
from structlog.testing import capture_logs

from shared.broker import administration
from shared.broker.consume import Consumer
from shared.broker.publish import Publisher
from shared.broker.retry import CRASH_LOOP_DELIVERIES, MOST_FAILURES
from shared.broker.session import Backoff
from shared.broker.topology import MAIL_RAW, WAITS, dead_queue, suspect_queue, wait_queue
from shared.broker.wire import Delivery
from shared.errors import DeadLetter, HandleAlone, Outage, TryAgain
from shared.messages import ClassifiedMail, RawMail
from tests.shared.broker.harness import (
    DEADLINE_SECONDS,
    Queues,
    delete_queue,
    eventually,
    is_consuming,
    kill_connections,
    raw_mail,
    running,
)
from tests.vhosts import Vhost

Handle = Callable[[Delivery], Awaitable[None]]


class Seen:
    """A handler that keeps what it was given; `then` decides how the n-th delivery (from 0) ends."""

    def __init__(self, then: Callable[[int, Delivery], None] = lambda _number, _delivery: None) -> None:
        self.deliveries: list[Delivery] = []
        self._then = then

    async def __call__(self, delivery: Delivery) -> None:
        self.deliveries.append(delivery)
        self._then(len(self.deliveries) - 1, delivery)

    async def times(self, number: int) -> None:
        """Return when there were at least this many deliveries."""

        async def is_reached() -> bool:
            return len(self.deliveries) >= number

        await eventually(is_reached)


def raise_(error: Exception) -> None:
    raise error


@pytest.fixture
async def publisher(vhost: Vhost) -> Any:
    """The classifier's publisher."""
    async with Publisher(vhost.dsn("classifier"), "classifier") as publisher:
        yield publisher


@pytest.fixture
async def queues(vhost: Vhost) -> Any:
    """The administrator's look into the queues."""
    async with Queues.of(vhost.admin_dsn) as queues:
        yield queues


@pytest.fixture
async def put(vhost: Vhost) -> Any:
    """Publish a raw mail as the fetcher does."""
    async with Publisher(vhost.dsn("fetcher"), "fetcher") as fetcher:

        async def put(**changes: Any) -> RawMail:
            mail = raw_mail(**changes)
            await fetcher.publish(mail, payload=b"Stuk.")
            return mail

        yield put


def consumer_of(vhost: Vhost, publisher: Publisher, handle: Handle, **options: Any) -> Consumer:
    return Consumer(vhost.dsn("classifier"), MAIL_RAW, handle, publisher, service="classifier", **options)


async def nothing_is_left(queues: Queues) -> bool:
    names = (MAIL_RAW, suspect_queue(MAIL_RAW), dead_queue(MAIL_RAW), *(wait_queue(MAIL_RAW, wait) for wait in WAITS))
    return [await queues.count(name) for name in names] == [0] * len(names)


async def test_a_handled_message_is_acknowledged(vhost: Vhost, publisher: Publisher, queues: Queues, put: Any) -> None:
    seen = Seen()
    async with running(consumer_of(vhost, publisher, seen)):
        mail = await put()
        await seen.times(1)
    assert seen.deliveries[0].read(RawMail) == mail
    assert seen.deliveries[0].mail_id == mail.mail_id
    assert seen.deliveries[0].attempt == 1
    assert await nothing_is_left(queues)


async def test_a_message_s_own_trouble_waits_longer_each_time_and_counts_no_failure(
    vhost: Vhost, publisher: Publisher, put: Any
) -> None:
    seen = Seen(lambda number, _: raise_(TryAgain("not yet")) if number < MOST_FAILURES + 2 else None)
    async with running(consumer_of(vhost, publisher, seen)):
        await put()
        await seen.times(MOST_FAILURES + 3)
    assert [delivery.attempt for delivery in seen.deliveries] == list(range(1, MOST_FAILURES + 4))
    assert {delivery.failures for delivery in seen.deliveries} == {0}
    first, second = seen.deliveries[0], seen.deliveries[1]
    assert (second.body, second.message_type, second.correlation_id, second.app_id) == (
        first.body, first.message_type, first.correlation_id, "fetcher",
    )  # fmt: skip
    assert second.message_id != first.message_id
    assert second.broker_deliveries == 0
    assert second.read(RawMail) == first.read(RawMail)


async def test_a_message_waits_where_an_operator_sees_it(
    vhost: Vhost, publisher: Publisher, queues: Queues, put: Any
) -> None:
    await vhost.management.send(
        "PUT",
        f"policies/{vhost.management.vhost}/longer",
        {"pattern": r"\.wait\.10m$", "definition": {"message-ttl": 3_600_000}, "priority": 200, "apply-to": "queues"},
    )
    seen = Seen(lambda _number, _delivery: raise_(TryAgain("in a while", after=timedelta(minutes=5))))
    async with running(consumer_of(vhost, publisher, seen)):
        await put()
        message = await queues.take(f"{MAIL_RAW}.wait.10m")
    assert message.headers["attempt"] == 2
    assert message.headers["last_error"] == "TryAgain: in a while"


async def test_our_own_error_is_tried_five_times_then_parked_with_its_reason(
    vhost: Vhost, publisher: Publisher, queues: Queues, put: Any
) -> None:
    recorded: list[tuple[Delivery, str]] = []

    async def record(delivery: Delivery, reason: str) -> None:
        recorded.append((delivery, reason))

    seen = Seen(lambda number, _: raise_(ZeroDivisionError(f"try {number + 1}")))
    async with running(consumer_of(vhost, publisher, seen, on_dead_letter=record)):
        mail = await put()
        parked = await queues.take(dead_queue(MAIL_RAW))
    assert [delivery.failures for delivery in seen.deliveries] == [0, 1, 2, 3, 4]
    assert parked.headers["first_error"] == "ZeroDivisionError: try 1"
    assert parked.headers["reason"] == parked.headers["last_error"] == "ZeroDivisionError: try 5"
    assert parked.headers["service"] == "classifier"
    assert "at" in parked.headers
    assert "x-death" not in parked.headers
    assert Delivery.of(parked.body, parked.properties, MAIL_RAW).read(RawMail) == mail
    assert [(delivery.mail_id, reason) for delivery, reason in recorded] == [(mail.mail_id, "ZeroDivisionError: try 5")]


async def test_D17_poison_may_be_handed_on_as_unreadable_instead(
    vhost: Vhost, publisher: Publisher, queues: Queues, put: Any
) -> None:
    handed_on = asyncio.Event()

    async def hand_on(_delivery: Delivery, error: Exception) -> bool:
        assert isinstance(error, ZeroDivisionError)
        handed_on.set()
        return True

    seen = Seen(lambda _number, _delivery: raise_(ZeroDivisionError()))
    async with running(consumer_of(vhost, publisher, seen, on_poison=hand_on)):
        await put()
        async with asyncio.timeout(DEADLINE_SECONDS):
            await handed_on.wait()
    assert len(seen.deliveries) == MOST_FAILURES
    assert await nothing_is_left(queues)


async def test_poison_for_which_there_is_no_other_way_is_parked(
    vhost: Vhost, publisher: Publisher, queues: Queues, put: Any
) -> None:
    async def no_way(*_: object) -> bool:
        return False

    seen = Seen(lambda _number, _delivery: raise_(ZeroDivisionError("our bug")))
    async with running(consumer_of(vhost, publisher, seen, on_poison=no_way)):
        await put()
        parked = await queues.take(dead_queue(MAIL_RAW))
    assert parked.headers["reason"] == "ZeroDivisionError: our bug"


async def test_poison_whose_hook_fails_too_is_parked(
    vhost: Vhost, publisher: Publisher, queues: Queues, put: Any
) -> None:
    async def fail(*_: object) -> None:
        raise LookupError("the hook is broken as well")

    seen = Seen(lambda _number, _delivery: raise_(ZeroDivisionError("our bug")))
    async with running(consumer_of(vhost, publisher, seen, on_poison=fail, on_dead_letter=fail)):
        await put()
        parked = await queues.take(dead_queue(MAIL_RAW))
    assert parked.headers["reason"] == "ZeroDivisionError: our bug"


async def test_a_dead_letter_is_parked_at_the_first_try(
    vhost: Vhost, publisher: Publisher, queues: Queues, put: Any
) -> None:
    seen = Seen(lambda _number, _delivery: raise_(DeadLetter("the ledger does not know this mail")))
    async with running(consumer_of(vhost, publisher, seen)):
        await put()
        parked = await queues.take(dead_queue(MAIL_RAW))
    assert parked.headers["reason"] == "the ledger does not know this mail"
    assert len(seen.deliveries) == 1


async def test_a_dead_letter_that_the_console_replays_is_tried_as_for_the_first_time(
    vhost: Vhost, publisher: Publisher, queues: Queues, put: Any
) -> None:
    seen = Seen(lambda number, _: raise_(DeadLetter("not yet known")) if number == 0 else None)
    async with running(consumer_of(vhost, publisher, seen)), Publisher(vhost.dsn("console"), "console") as console:
        mail = await put()
        parked = await queues.take(dead_queue(MAIL_RAW))
        await console.replay(Delivery.of(parked.body, parked.properties, MAIL_RAW))
        await seen.times(2)
    again = seen.deliveries[1]
    assert (again.attempt, again.failures, again.read(RawMail)) == (1, 0, mail)
    assert not {"reason", "first_error", "last_error", "service", "at"} & set(again.headers)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        pytest.param(aio_pika.Message(b"{}", type="mail.raw"), "no envelope", id="no envelope"),
        pytest.param(aio_pika.Message(b"{}", type="mail.parsed"), "of type «mail.parsed»", id="another type"),
        pytest.param(aio_pika.Message(b"\xff"), "of type «»", id="no type at all"),
        pytest.param(
            aio_pika.Message(b"", type="mail.raw", headers={"version": 9}), "upgrade the service", id="later version"
        ),
    ],
)
async def test_a_message_that_cannot_be_read_is_parked_and_says_why(
    vhost: Vhost, publisher: Publisher, queues: Queues, message: aio_pika.Message, reason: str
) -> None:
    async def handle(delivery: Delivery) -> None:
        delivery.read(RawMail)

    async with running(consumer_of(vhost, publisher, handle)):
        await queues.put(MAIL_RAW, message)
        parked = await queues.take(dead_queue(MAIL_RAW))
    assert reason in str(parked.headers["reason"])


def test_a_json_message_that_is_damaged_names_the_field() -> None:
    delivery = Delivery(
        queue=MAIL_RAW, body=b'{"mail_id": 1}', headers={}, content_type="", message_type="mail.classified",
        message_id="", correlation_id="", app_id="", timestamp=None, redelivered=False,
    )  # fmt: skip
    with pytest.raises(DeadLetter, match="helpdesk_id"):
        delivery.read(ClassifiedMail)


async def test_an_outage_closes_the_consumer_until_it_is_healthy_and_counts_nothing(
    vhost: Vhost, publisher: Publisher, queues: Queues, put: Any
) -> None:
    database_is_back = asyncio.Event()
    asked = asyncio.Event()

    async def healthy() -> None:
        if seen.deliveries and not database_is_back.is_set():
            asked.set()
            raise Outage("the database does not answer")

    seen = Seen(lambda number, _: raise_(Outage("the database does not answer")) if number == 0 else None)
    consumer = consumer_of(vhost, publisher, seen, healthy=healthy)
    async with running(consumer):
        await put()
        async with asyncio.timeout(DEADLINE_SECONDS):
            await asked.wait()
        with pytest.raises(Outage, match="the database does not answer"):
            await consumer.check()
        assert await queues.count(MAIL_RAW) == 1
        database_is_back.set()
        await seen.times(2)
    assert [(delivery.attempt, delivery.failures) for delivery in seen.deliveries] == [(1, 0), (1, 0)]
    assert seen.deliveries[1].redelivered
    assert await nothing_is_left(queues)


async def test_a_lost_connection_loses_nothing_and_lets_the_handler_finish(
    vhost: Vhost, publisher: Publisher, queues: Queues, put: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes again meanwhile waits for the handler, and is acknowledged by what that did."""
    monkeypatch.setattr(Backoff, "MOST_SECONDS", 0.1)
    go_on, started = asyncio.Event(), asyncio.Event()
    finished: list[str] = []

    async def handle(delivery: Delivery) -> None:
        started.set()
        await go_on.wait()
        finished.append(delivery.correlation_id)

    consumer = consumer_of(vhost, publisher, handle)
    async with running(consumer):
        mail = await put()
        async with asyncio.timeout(DEADLINE_SECONDS):
            await started.wait()
        for _ in range(2 * CRASH_LOOP_DELIVERIES + 1):
            await kill_connections(vhost, "classifier")

            async def is_taken_again() -> bool:
                return await is_consuming(consumer) and await queues.count(MAIL_RAW) == 0

            await eventually(is_taken_again)
        go_on.set()
        await eventually(partial(nothing_is_left, queues))
    assert set(finished) == {str(mail.mail_id)}
    assert len(finished) <= 2, "once, and again if the connection went between its end and its acknowledgement"


async def test_outages_again_and_again_make_no_message_a_suspect(
    vhost: Vhost, publisher: Publisher, queues: Queues, put: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Backoff, "MOST_SECONDS", 0.1)
    counted: list[tuple[bool, int]] = []

    async def handle(delivery: Delivery) -> None:
        counted.append((delivery.suspect, delivery.broker_deliveries))
        if len(counted) <= 2 * CRASH_LOOP_DELIVERIES:
            raise Outage("the database does not answer")

    async def is_handled() -> bool:
        return len(counted) > 2 * CRASH_LOOP_DELIVERIES

    async with running(consumer_of(vhost, publisher, handle)):
        await put()
        await eventually(is_handled)
        await eventually(partial(nothing_is_left, queues))
    assert counted == [(False, 0)] * (2 * CRASH_LOOP_DELIVERIES + 1)


async def test_a_deleted_queue_is_noticed_and_consumed_again_once_it_is_back(
    vhost: Vhost, publisher: Publisher, put: Any
) -> None:
    seen = Seen()
    consumer = consumer_of(vhost, publisher, seen)
    async with running(consumer):
        await delete_queue(vhost, MAIL_RAW)

        async def is_noticed() -> bool:
            return not await is_consuming(consumer)

        await eventually(is_noticed)
        await administration.apply(vhost.management, vhost.topology, vhost.passwords)
        await eventually(lambda: is_consuming(consumer))
        await put()
        await seen.times(1)


async def test_stopping_finishes_what_is_in_hand(vhost: Vhost, publisher: Publisher, queues: Queues, put: Any) -> None:
    started, go_on = asyncio.Event(), asyncio.Event()

    async def handle(_delivery: Delivery) -> None:
        started.set()
        await go_on.wait()

    stop = asyncio.Event()
    task = asyncio.create_task(consumer_of(vhost, publisher, handle, workers=1).run(stop))
    await put()
    await put()

    async def is_draining() -> bool:
        return {"event": "consumer_drains", "queue": MAIL_RAW, "in_hand": 1, "log_level": "info"} in logs

    with capture_logs() as logs:
        async with asyncio.timeout(DEADLINE_SECONDS):
            await started.wait()
            stop.set()
            await eventually(is_draining)
            go_on.set()
            await task
    assert await queues.count(MAIL_RAW) == 1


async def test_stopping_while_the_suspects_are_being_opened_finishes_what_is_in_hand(
    vhost: Vhost, publisher: Publisher, queues: Queues, put: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    started, go_on, stop = asyncio.Event(), asyncio.Event(), asyncio.Event()
    basic_qos, opened = Channel.basic_qos, 0

    async def handle(_delivery: Delivery) -> None:
        started.set()
        await go_on.wait()

    async def stops_at_the_second(channel: Channel, **asked: Any) -> Any:
        nonlocal opened
        opened += 1
        if opened == 2:
            await started.wait()
            stop.set()
            try:
                for _turn_of_the_loop in range(20):
                    await asyncio.sleep(0)
            except asyncio.CancelledError:
                await channel.close()  # as aiormq does when a request is cancelled
                raise
        return await basic_qos(channel, **asked)

    async def is_draining() -> bool:
        return any(line["event"] == "consumer_drains" for line in logs)

    monkeypatch.setattr(Channel, "basic_qos", stops_at_the_second)
    await put()
    with capture_logs() as logs:
        async with asyncio.timeout(DEADLINE_SECONDS):
            task = asyncio.create_task(consumer_of(vhost, publisher, handle, workers=1).run(stop))
            await eventually(is_draining)
            go_on.set()
            await task
    assert await queues.count(MAIL_RAW) == 0


async def test_what_does_not_finish_before_the_deadline_is_delivered_again(
    vhost: Vhost, publisher: Publisher, queues: Queues, put: Any
) -> None:
    started = asyncio.Event()

    async def handle(_delivery: Delivery) -> None:
        started.set()
        await asyncio.Event().wait()

    stop = asyncio.Event()
    task = asyncio.create_task(consumer_of(vhost, publisher, handle, drain_seconds=0.05).run(stop))
    mail = await put()
    async with asyncio.timeout(DEADLINE_SECONDS):
        await started.wait()
        stop.set()
        await task
    again = await queues.take(MAIL_RAW)
    assert not again.headers.get("x-delivery-count"), "given back, not left behind: that would count against it"
    assert again.correlation_id == str(mail.mail_id)


async def test_a_message_that_may_crash_its_consumer_is_handled_alone(
    vhost: Vhost, publisher: Publisher, queues: Queues, put: Any
) -> None:
    await put()
    await queues.crash(MAIL_RAW, times=CRASH_LOOP_DELIVERIES)
    seen = Seen()
    async with running(consumer_of(vhost, publisher, seen)):
        await seen.times(1)
    assert seen.deliveries[0].suspect
    assert await nothing_is_left(queues)


async def test_a_message_that_holds_up_others_is_handled_alone_behind_them(
    vhost: Vhost, publisher: Publisher, queues: Queues, put: Any
) -> None:
    handled: list[bool] = []
    done = asyncio.Event()

    async def handle(delivery: Delivery) -> None:
        handled.append(delivery.suspect)
        if not delivery.suspect:
            raise HandleAlone("it takes long")
        done.set()

    await put()
    async with running(consumer_of(vhost, publisher, handle)):
        async with asyncio.timeout(DEADLINE_SECONDS):
            await done.wait()
    assert handled == [False, True]
    assert await nothing_is_left(queues)


async def test_the_message_that_crashes_its_consumer_is_parked_without_work(
    vhost: Vhost, publisher: Publisher, queues: Queues, put: Any
) -> None:
    await put()
    await queues.put(suspect_queue(MAIL_RAW), await as_message(queues))
    await queues.crash(suspect_queue(MAIL_RAW), times=CRASH_LOOP_DELIVERIES)
    seen = Seen()
    async with running(consumer_of(vhost, publisher, seen)):
        parked = await queues.take(dead_queue(MAIL_RAW))
    assert "died 5 times" in str(parked.headers["reason"])
    assert seen.deliveries == []


async def test_suspects_wait_until_the_process_has_lived_for_a_while(
    vhost: Vhost, publisher: Publisher, queues: Queues, put: Any
) -> None:
    """Who kills the service soon after each start condemns nobody: a suspect is not in hand then."""
    await put()
    await queues.put(suspect_queue(MAIL_RAW), await as_message(queues))
    seen = Seen()
    async with running(consumer_of(vhost, publisher, seen, suspects_after=3600)):
        await put()
        await seen.times(1)
    assert [delivery.suspect for delivery in seen.deliveries] == [False]
    assert not (await queues.take(suspect_queue(MAIL_RAW))).headers.get("x-delivery-count")


async def as_message(queues: Queues) -> aio_pika.Message:
    taken = await queues.take(MAIL_RAW)
    headers = {name: value for name, value in taken.headers.items() if not name.startswith("x-")}
    return aio_pika.Message(taken.body, headers=headers, type=taken.type, correlation_id=taken.correlation_id)


async def test_an_outage_does_not_make_a_suspect_a_culprit(
    vhost: Vhost, publisher: Publisher, queues: Queues, put: Any
) -> None:
    await put()
    await queues.put(suspect_queue(MAIL_RAW), await as_message(queues))
    seen = Seen(lambda number, _: raise_(Outage("away")) if number == 0 else None)
    async with running(consumer_of(vhost, publisher, seen)):
        await seen.times(2)
    assert [(delivery.suspect, delivery.broker_deliveries) for delivery in seen.deliveries] == [(True, 0), (False, 0)]
    assert await nothing_is_left(queues)


async def test_replicas_share_a_queue(vhost: Vhost, publisher: Publisher, queues: Queues, put: Any) -> None:
    first, second = Seen(), Seen()
    async with running(consumer_of(vhost, publisher, first)), running(consumer_of(vhost, publisher, second)):
        await asyncio.gather(*(put() for _ in range(40)))

        async def is_done() -> bool:
            return len(first.deliveries) + len(second.deliveries) == 40

        await eventually(is_done)
    assert first.deliveries
    assert second.deliveries
    assert await nothing_is_left(queues)
