"""How each kind of fault is done, and undone at its end."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from typing import Final

import asyncpg

from deploy.demo.smtp_server import Verb
from deploy.local import processes
from shared.broker.topology import MAIL_RAW, POLICY_PRIORITY
from tests.chaos.lines import Line
from tests.chaos.plan import LEADER, Fault, Kind
from tests.chaos.stage import Servers, Stage, signal_all
from tests.faults.own_servers import MEMORY, NO_MEMORY, PrivatePostgres, PrivateRabbitmq

NO_DISK: Final = "1000GB"
"""More than any machine of ours has free: an alarm."""
DISK: Final = "50MB"
_FEW_MESSAGES: Final = 3
_LOCK_SECONDS: Final = 20
_REPLIES: Final[Mapping[str, str]] = {
    "EHLO": "421 4.3.2 Closing for a moment",
    "MAIL": "451 4.3.0 Not now",
    "RCPT": "450 4.7.1 Try again later",
    "DATA": "452 4.3.1 Insufficient system storage",
}


class NothingToDo(Exception):
    """What the fault is done to is not there at the moment: a service that waits to be started again, say."""


Does = Callable[[Stage, Fault], Awaitable[None]]


async def do(stage: Stage, fault: Fault) -> None:
    """Do it, let it last, undo it. Raises NothingToDo."""
    await _DOES[fault.kind](stage, fault)


def _process(stage: Stage, fault: Fault) -> int:
    process = stage.process_of(fault.target)
    if process is None:
        raise NothingToDo
    return process


def _reader(stage: Stage, fault: Fault) -> int:
    children = processes.descendants(_process(stage, fault))
    if not children:
        raise NothingToDo
    return children[-1].pid


@contextmanager
def _there() -> Iterator[None]:
    """A process may end by itself in the moment before its signal."""
    try:
        yield
    except ProcessLookupError:
        raise NothingToDo from None


async def _kill_service(stage: Stage, fault: Fault) -> None:
    process = _process(stage, fault)
    if fault.target.startswith("notifier"):
        stage.post.deaths.append(time.time())
    with _there():
        os.kill(process, signal.SIGKILL)


async def _restart_service(stage: Stage, fault: Fault) -> None:
    with _there():
        os.kill(_process(stage, fault), signal.SIGTERM)


async def _kill_reader(stage: Stage, fault: Fault) -> None:
    with _there():
        os.kill(_reader(stage, fault), signal.SIGKILL)


async def _stop_service(stage: Stage, fault: Fault) -> None:
    await _stop_for(_process(stage, fault), fault.seconds)


async def _stop_reader(stage: Stage, fault: Fault) -> None:
    await _stop_for(_reader(stage, fault), fault.seconds)


async def _stop_for(process: int, seconds: float) -> None:
    with _there():
        os.kill(process, signal.SIGSTOP)
    try:
        await asyncio.sleep(seconds)
    finally:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGCONT)


def _own(stage: Stage) -> Servers:
    assert stage.own is not None, "these servers are not ours to kill"
    return stage.own


async def _broker(stage: Stage, fault: Fault) -> PrivateRabbitmq:
    brokers = {broker.server.name: broker for broker in _own(stage).brokers}
    if fault.target == LEADER:
        management = stage.installation.management
        queue = await management.get(f"queues/{management.vhost}/{MAIL_RAW}")
        return brokers[queue["leader"].partition("@")[0]]
    return brokers.get(fault.target) or next(iter(brokers.values()))


async def _kill_broker(stage: Stage, fault: Fault) -> None:
    broker = await _broker(stage, fault)
    broker.kill()
    await asyncio.sleep(fault.seconds)
    await broker.start()


async def _restart_broker(stage: Stage, fault: Fault) -> None:
    broker = await _broker(stage, fault)
    assert broker.process is not None
    await asyncio.to_thread(processes.stop, broker.process, signal.SIGTERM, 60)
    await broker.start()


async def _stop_broker(stage: Stage, fault: Fault) -> None:
    broker = await _broker(stage, fault)
    assert broker.process is not None
    await _stop_for(broker.process.pid, fault.seconds)


async def _raise_memory_alarm(stage: Stage, fault: Fault) -> None:
    broker = _own(stage).brokers[0]
    await broker.set_memory(NO_MEMORY)
    await asyncio.sleep(fault.seconds)
    await broker.set_memory(MEMORY)


async def _raise_disk_alarm(stage: Stage, fault: Fault) -> None:
    broker = _own(stage).brokers[0]
    await broker.control("set_disk_free_limit", NO_DISK)
    await asyncio.sleep(fault.seconds)
    await broker.control("set_disk_free_limit", DISK)


async def _fill_queue(stage: Stage, fault: Fault) -> None:
    """Let the queue take three messages: what is in it stays, and who publishes more is refused."""
    management = stage.installation.management
    policy = stage.installation.topology.policy_of(fault.target)
    path = f"policies/{management.vhost}/{policy.name}"
    ours = {"pattern": policy.pattern, "apply-to": "queues", "priority": POLICY_PRIORITY}
    few = {**policy.definition, "max-length": _FEW_MESSAGES}
    await management.send("PUT", path, {**ours, "definition": few})
    try:
        await asyncio.sleep(fault.seconds)
    finally:
        await management.send("PUT", path, {**ours, "definition": dict(policy.definition)})


def _database(stage: Stage) -> PrivatePostgres:
    return _own(stage).database


async def _lose_primary(stage: Stage, fault: Fault) -> None:
    pair = _own(stage).pair
    assert pair is not None
    await pair.lose_primary(fault.seconds)


async def _kill_database(stage: Stage, fault: Fault) -> None:
    _database(stage).kill()
    await asyncio.sleep(fault.seconds)
    await _database(stage).start()


async def _restart_database(stage: Stage, _fault: Fault) -> None:
    process = _database(stage).process
    assert process is not None
    await asyncio.to_thread(processes.stop, process, signal.SIGINT, 60)
    await _database(stage).start()


async def _stop_database(stage: Stage, fault: Fault) -> None:
    process = _database(stage).process
    assert process is not None
    signal_all(process.pid, signal.SIGSTOP)
    try:
        await asyncio.sleep(fault.seconds)
    finally:
        signal_all(process.pid, signal.SIGCONT)


async def _fill_database_disk(stage: Stage, fault: Fault) -> None:
    """No room for a row nor for the log: a PostgreSQL that cannot write its log gives up, and is started again."""
    disk = _own(stage).disk
    assert disk is not None
    if disk.folder != _database(stage).server.folder:
        raise NothingToDo
    with disk.full():
        await asyncio.sleep(fault.seconds)
    process = _database(stage).process
    assert process is not None
    if not processes.is_alive(process):
        await _database(stage).start()


async def _fill_spool(stage: Stage, fault: Fault) -> None:
    assert stage.spool is not None
    with stage.spool.full():
        await asyncio.sleep(fault.seconds)


async def _hold_lock(stage: Stage, fault: Fault) -> None:
    async with stage.look() as connection, connection.transaction():
        await connection.execute(f"SET LOCAL lock_timeout = '{_LOCK_SECONDS}s'")
        try:
            await connection.execute(f"LOCK TABLE helpdesk.{fault.target} IN ACCESS EXCLUSIVE MODE")
        except asyncpg.LockNotAvailableError:
            raise NothingToDo from None
        await asyncio.sleep(fault.seconds)


def _lines(stage: Stage, fault: Fault) -> tuple[str, str, Sequence[Line]]:
    service, _, server = fault.target.partition(" to ")
    return service, server, stage.lines[server]


def _cutting(stage: Stage, server: str) -> AbstractContextManager[None]:
    return stage.post.cutting() if server == "mail server" else nullcontext()


def _stalling(stage: Stage, server: str) -> AbstractContextManager[None]:
    return stage.post.stalling() if server == "mail server" else nullcontext()


async def _drop(stage: Stage, fault: Fault) -> None:
    service, server, lines = _lines(stage, fault)
    with _cutting(stage, server):
        if not sum(line.drop(service) for line in lines):
            raise NothingToDo


async def _stall(stage: Stage, fault: Fault) -> None:
    service, server, lines = _lines(stage, fault)
    with ExitStack() as stack:
        for each in (_stalling(stage, server), *(line.stalled(service) for line in lines)):
            stack.enter_context(each)
        await asyncio.sleep(fault.seconds)


async def _refuse(stage: Stage, fault: Fault) -> None:
    service, server, lines = _lines(stage, fault)
    with ExitStack() as stack:
        for each in (_cutting(stage, server), *(line.refused(service) for line in lines)):
            stack.enter_context(each)
        await asyncio.sleep(fault.seconds)


async def _smtp_refuses(stage: Stage, fault: Fault) -> None:
    """Each command of this kind is answered with 4xx, as long as it lasts."""
    answers = stage.post.server.answers
    verb: Verb = next(each for each in ("EHLO", "MAIL", "RCPT", "DATA") if each == fault.target)
    answers[verb] = [_REPLIES[verb]] * 1000
    await asyncio.sleep(fault.seconds)
    del answers[verb]


async def _smtp_closes(stage: Stage, fault: Fault) -> None:
    """Whatever is sent is taken, and the connection ends without an answer."""
    server = stage.post.server
    server.break_after_data = 1000
    await asyncio.sleep(fault.seconds)
    server.break_after_data = 0


async def _smtp_stalls(stage: Stage, fault: Fault) -> None:
    with stage.post.stalling(), stage.lines["mail server"][0].stalled("notifier"):
        await asyncio.sleep(fault.seconds)


_DOES: Final[Mapping[Kind, Does]] = {
    Kind.SERVICE_KILLED: _kill_service,
    Kind.SERVICE_STOPPED: _stop_service,
    Kind.SERVICE_RESTARTED: _restart_service,
    Kind.READER_KILLED: _kill_reader,
    Kind.READER_STOPPED: _stop_reader,
    Kind.BROKER_KILLED: _kill_broker,
    Kind.BROKER_STOPPED: _stop_broker,
    Kind.BROKER_RESTARTED: _restart_broker,
    Kind.DATABASE_KILLED: _kill_database,
    Kind.DATABASE_STOPPED: _stop_database,
    Kind.DATABASE_RESTARTED: _restart_database,
    Kind.PRIMARY_LOST: _lose_primary,
    Kind.CONNECTIONS_DROPPED: _drop,
    Kind.CONNECTIONS_STALLED: _stall,
    Kind.CONNECTIONS_REFUSED: _refuse,
    Kind.QUEUE_FULL: _fill_queue,
    Kind.MEMORY_ALARM: _raise_memory_alarm,
    Kind.DISK_ALARM: _raise_disk_alarm,
    Kind.LOCK_HELD: _hold_lock,
    Kind.SMTP_REFUSES: _smtp_refuses,
    Kind.SMTP_STALLS: _smtp_stalls,
    Kind.SMTP_CLOSES: _smtp_closes,
    Kind.DATABASE_DISK_FULL: _fill_database_disk,
    Kind.SPOOL_FULL: _fill_spool,
}
