"""The life of a service's process: configuration, telemetry, health, work, drain.

    async def main(process: Process[ServiceConfiguration]) -> None:
        async with Publisher(process.configuration.amqp_dsn, "classifier") as publisher:
            consumer = Consumer(process.configuration.amqp_dsn, MAIL_RAW, handle, publisher, service="classifier", …)
            process.ready_when("broker", consumer.check)
            await process.run(consumer.run, sweep)         # each gets the event `stop` and ends soon after it is set

    if __name__ == "__main__":
        run_service("classifier", main)

SIGTERM and SIGINT set `stop`: nothing new is taken, what is in hand is finished, within IMPORTER_DRAIN_SECONDS. While
the service still waits for its servers it ends at once. A second signal, or that deadline, ends it as a crash would,
which loses nothing. Exit codes: 0 drained, 78 bad configuration (one sentence for each variable on standard error),
75 stopped before all was finished, 1 an error of ours (its traceback is in the log).
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final, Generic, NoReturn, TypeVar, overload

import structlog

from shared.configuration import ProcessConfiguration, ServiceConfiguration
from shared.errors import ImporterError, Misconfigured
from shared.health import Check, HealthServer, Note
from shared.memory import give_back_large_blocks, look_past_what_stands
from shared.telemetry import telemetry

CLOSING_SECONDS: Final = 5
"""What closing connections may take, after the work's own `drain_seconds`."""

C = TypeVar("C", bound=ProcessConfiguration)
Work = Callable[[asyncio.Event], Awaitable[None]]
Main = Callable[["Process[C]"], Awaitable[None]]

_log = structlog.get_logger(__name__)


class NotRunning(ImporterError):
    """The service does not work yet, or not any more."""


class Process(Generic[C]):
    """What a service's `main` gets: its configuration, its checks, and `stop`."""

    def __init__(self, configuration: C, health: HealthServer) -> None:
        self.configuration = configuration
        self.stop = asyncio.Event()
        self._health = health
        self.started = False
        health.add_check("process", self._check_running)

    def ready_when(self, name: str, check: Check) -> None:
        """Be ready (GET /health/ready) only while `check` does not raise."""
        self._health.add_check(name, check)

    def note(self, name: str, note: Note) -> None:
        """Say with /health/ready what `note` says, ready or not, unless that is None."""
        self._health.add_note(name, note)

    async def run(self, *works: Work) -> None:
        """Be ready, and do all works until each has ended; one that fails stops the others, gently, and is raised."""
        look_past_what_stands()
        self.started = True
        async with asyncio.TaskGroup() as group:
            for work in works:
                group.create_task(self._supervise(work))

    async def _supervise(self, work: Work) -> None:
        try:
            await work(self.stop)
        finally:
            self.stop.set()

    async def _check_running(self) -> None:
        if self.stop.is_set():
            raise NotRunning("The service is stopping: it finishes what is in hand")
        if not self.started:
            raise NotRunning("The service is starting: it waits for its servers")


@overload
def run_service(service: str, main: Main[ServiceConfiguration]) -> NoReturn: ...


@overload
def run_service(service: str, main: Main[C], configuration: type[C]) -> NoReturn: ...


def run_service(service: str, main: Any, configuration: type[Any] = ServiceConfiguration) -> NoReturn:
    """Run `main` as the process of `service`, configured by the class `configuration`; never returns."""
    try:
        loaded = configuration.load(service=service)
        give_back_large_blocks()
        with telemetry(service, loaded), asyncio.Runner(loop_factory=_loop_factory()) as runner:
            code = runner.run(_run(service, loaded, main))
    except Misconfigured as misconfigured:
        sys.stderr.write(f"{service}: {misconfigured}\n")
        code = os.EX_CONFIG
    sys.exit(code)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's, where it exists: 12 to 31 % less CPU for the same messages."""
    try:
        import uvloop  # noqa: PLC0415 - absent on some platforms
    except ImportError:
        return None
    return uvloop.new_event_loop


async def _run(service: str, configuration: C, main: Main[C]) -> int:
    async with HealthServer(configuration.health_host, configuration.health_port) as health:
        process = Process(configuration, health)
        work = asyncio.create_task(_main(main, process), name=service)
        _listen_to_signals(process, work)
        _log.info("service_started", pid=os.getpid())
        deadline = asyncio.create_task(_cancel_at_deadline(process.stop, configuration.drain_seconds, work))
        try:
            await work
        except asyncio.CancelledError:
            _log.warning("service_stopped", drained=not process.started)
            return os.EX_TEMPFAIL if process.started else os.EX_OK
        except Misconfigured:
            raise
        except Exception as error:  # noqa: BLE001 - the last resort: say it and let the supervisor start us again
            _log.critical("service_failed", exc_info=error)
            return 1
        finally:
            deadline.cancel()
        _log.info("service_stopped", drained=True)
        return os.EX_OK


async def _main(main: Main[C], process: Process[C]) -> None:
    """`main`, with a lone error out of its TaskGroup's wrapping."""
    try:
        await main(process)
    except BaseExceptionGroup as group:
        if len(group.exceptions) == 1:
            raise group.exceptions[0] from None
        raise


def _listen_to_signals(process: Process[C], work: asyncio.Task[None]) -> None:
    def on_signal(number: signal.Signals) -> None:
        _log.info("signal_received", signal=number.name, again=process.stop.is_set())
        if process.stop.is_set() or not process.started:
            work.cancel()
        process.stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal, number)


async def _cancel_at_deadline(stop: asyncio.Event, drain_seconds: float, work: asyncio.Task[None]) -> None:
    await stop.wait()
    with suppress(TimeoutError):
        async with asyncio.timeout(drain_seconds + CLOSING_SECONDS):
            await asyncio.wait([work])
    if not work.done():
        _log.error("drain_deadline_passed", seconds=drain_seconds)
        work.cancel()
