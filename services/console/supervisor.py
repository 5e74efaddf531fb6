"""The four services as child processes of one process in the foreground: `helpdesk-importer run`, the demo, the tests.

    starting ──▶ ready ◀──▶ not ready
        │          │
        └── exit ──┴──▶ waiting (1 s, doubling to 1 min) ──▶ starting
                   ├──▶ no answer to /health/live for 15 s: killed, and started again like any that crashed
                   └──▶ exit code 78, bad configuration: everything stops, and so do we, with 78;
                        of a service that was ready before, a crash like any other

A service that ends by itself, or hangs, is started again. SIGTERM drains all four at once: their queues are durable,
so no order is needed. Each child leads a process group of its own: Ctrl-C reaches only us, and what a child started
ends with it. Should we be killed, the kernel tells the children (Linux: `PR_SET_PDEATHSIG`), which then drain.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Final

import httpx

from services.console.child_output import ChildOutput
from shared.errors import Misconfigured

SERVICES: Final = ("fetcher", "classifier", "ticket_writer", "notifier")
BAD_CONFIGURATION: Final = os.EX_CONFIG
"""Exit code of a service that its settings keep from starting: starting it again cannot help."""

_KILL_AFTER: Final = timedelta(seconds=30)
"""What a draining service gets before it is killed: more than its own limit (IMPORTER_DRAIN_SECONDS, 20 s)."""
_HUNG_AFTER: Final = timedelta(seconds=15)
"""How long a service that has answered may leave /health/live without an answer: three questions of five seconds."""
_STEADY_AFTER: Final = 60.0
"""Seconds of running after which an earlier crash is forgotten."""
_PR_SET_PDEATHSIG: Final = 1
"""`man 2 prctl`."""


class Condition(StrEnum):
    """What a supervised service is doing."""

    STARTING = "starting"
    READY = "ready"
    NOT_READY = "not ready"
    HUNG = "hung"
    WAITING = "waiting to start again"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class ServiceState:
    """One service as the supervisor sees it; `last_exit` is an exit code, or minus the signal that ended it."""

    service: str
    condition: Condition
    pid: int | None = None
    health_url: str | None = None
    starts: int = 0
    last_exit: int | None = None


class ServiceRefusedToStart(Misconfigured):
    """A service ended with 78: the text names it and where it said which setting is wrong."""


def restart_delay(crashes: int) -> float:
    """Seconds before a service that crashed this often in a row is started again: 1, 2, 4, … at most 60."""
    return min(2.0 ** min(crashes - 1, 6), 60.0)


@dataclass(slots=True)
class Supervisor:
    """Runs the services until told to stop. Cancelling `run` kills them; no mail is lost by that.

    `environment` is what the children get. `first_health_port` gives the services that port and the following ones, in
    the order of `SERVICES`; 0 takes free ones. `on_change` hears of every change of condition.
    """

    environment: Mapping[str, str]
    output: ChildOutput
    first_health_port: int = 0
    kill_after: timedelta = _KILL_AFTER
    hung_after: timedelta = _HUNG_AFTER
    on_change: Callable[[ServiceState], None] = lambda _state: None
    states: dict[str, ServiceState] = field(
        default_factory=lambda: {name: ServiceState(name, Condition.STOPPED) for name in SERVICES}
    )
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _worked: set[str] = field(default_factory=set)
    """Services that were ready once: their settings are right, whatever a server says to them later."""

    async def run(self, stop: asyncio.Event) -> None:
        """Keep all services running until `stop` is set, then drain them.

        Raises ServiceRefusedToStart, with everything stopped, when a service's settings keep it from starting, and
        Misconfigured when a configured health port cannot be had.
        """
        self._check_ports()
        refusals: list[ServiceRefusedToStart] = []

        async def keep(name: str) -> None:
            try:
                await self._keep_running(name, stop)
            except ServiceRefusedToStart as refusal:
                refusals.append(refusal)
                stop.set()

        async with asyncio.TaskGroup() as group:
            for name in SERVICES:
                group.create_task(keep(name))
        if refusals:
            raise refusals[0]

    async def until(self, fact: Callable[[Mapping[str, ServiceState]], bool]) -> None:
        """Return as soon as `fact` holds for the states of all services, by name."""
        async with self._changed:
            await self._changed.wait_for(lambda: fact(self.states))

    async def all_ready(self) -> None:
        """Return as soon as every service is ready at the same time."""
        await self.until(lambda states: all(state.condition is Condition.READY for state in states.values()))

    async def _keep_running(self, name: str, stop: asyncio.Event) -> None:
        clock = asyncio.get_running_loop().time
        crashes = 0
        starts = 0
        while not stop.is_set():
            starts += 1
            started = clock()
            code = await self._run_once(name, starts, stop)
            if stop.is_set():
                await self._tell(ServiceState(name, Condition.STOPPED, starts=starts, last_exit=code))
                return
            if code == BAD_CONFIGURATION and name not in self._worked:
                await self._tell(ServiceState(name, Condition.STOPPED, starts=starts, last_exit=code))
                raise ServiceRefusedToStart(
                    f"{name} refuses to start with these settings; "
                    f"{self.output.where(name)} which one is wrong and what belongs there."
                )
            crashes = 1 if clock() - started > _STEADY_AFTER else crashes + 1
            await self._tell(ServiceState(name, Condition.WAITING, starts=starts, last_exit=code))
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), restart_delay(crashes))

    async def _run_once(self, name: str, starts: int, stop: asyncio.Event) -> int:
        """Start the service and return its exit code; drain it when `stop` is set."""
        async with self.output.of(name) as stdout:
            with self._port(name) as port:
                child = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-m",
                    f"services.{name}",
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=stdout,
                    stderr=asyncio.subprocess.STDOUT,
                    env={**self.environment, "PYTHONSAFEPATH": "1", "IMPORTER_HEALTH_PORT": str(port)},
                    process_group=0,
                    preexec_fn=_end_with_parent(os.getpid()) if sys.platform == "linux" else None,
                )
                state = ServiceState(name, Condition.STARTING, child.pid, f"http://127.0.0.1:{port}", starts)
                return await self._attend(child, state, stop)

    async def _attend(self, child: asyncio.subprocess.Process, state: ServiceState, stop: asyncio.Event) -> int:
        """Follow the health of a running child until it ends, by itself or as asked; its exit code."""
        exited = asyncio.create_task(child.wait())
        try:
            await self._tell(state)
            async with asyncio.TaskGroup() as beside:
                stopping = beside.create_task(stop.wait())
                following = beside.create_task(self._follow_health(state))
                await asyncio.wait((exited, stopping), return_when=asyncio.FIRST_COMPLETED)
                following.cancel()
                stopping.cancel()
            if not exited.done():
                with suppress(ProcessLookupError):
                    child.send_signal(signal.SIGTERM)
                await asyncio.wait((exited,), timeout=self.kill_after.total_seconds())
        finally:
            # What is left of its group: a child that did not drain in time, or that one's own children.
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            code = await exited
        return code

    async def _follow_health(self, state: ServiceState) -> None:
        """Tell of each change, until the service hangs: then kill it, which loses nothing."""
        clock = asyncio.get_running_loop().time
        condition, answered = Condition.STARTING, None
        timeout = min(5.0, self.hung_after.total_seconds() / 3)
        async with httpx.AsyncClient(base_url=state.health_url or "", timeout=timeout, trust_env=False) as client:
            while True:
                ready = await _answers(client, "/health/ready") is True
                if ready or await _answers(client, "/health/live") is not None:
                    answered = clock()
                if ready:
                    self._worked.add(state.service)
                if answered is not None and clock() - answered > self.hung_after.total_seconds():
                    now = Condition.HUNG
                elif ready:
                    now = Condition.READY
                else:
                    now = Condition.STARTING if condition is Condition.STARTING else Condition.NOT_READY
                if now is not condition:
                    condition = now
                    await self._tell(ServiceState(state.service, condition, state.pid, state.health_url, state.starts))
                if condition is Condition.HUNG and state.pid is not None:
                    with suppress(ProcessLookupError):
                        os.killpg(state.pid, signal.SIGKILL)
                    return
                await asyncio.sleep(0.1 if condition is Condition.STARTING else min(2.0, timeout))

    async def _tell(self, state: ServiceState) -> None:
        async with self._changed:
            self.states[state.service] = state
            self._changed.notify_all()
        self.on_change(state)

    def _configured_port(self, name: str) -> int:
        return self.first_health_port + SERVICES.index(name)

    @contextmanager
    def _port(self, name: str) -> Iterator[int]:
        """The service's health port. A free one is kept bound, so that no connection takes it before the service does.

        Both ends set SO_REUSEADDR, and we do not listen: then Linux lets the service bind and listen (man 7 socket).
        """
        if self.first_health_port:
            yield self._configured_port(name)
            return
        with socket.socket() as reserved:
            reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            reserved.bind(("127.0.0.1", 0))
            yield reserved.getsockname()[1]

    def _check_ports(self) -> None:
        for name in SERVICES if self.first_health_port else ():
            try:
                with socket.create_server(("127.0.0.1", self._configured_port(name))):
                    pass
            except OSError as error:
                raise Misconfigured(
                    f"Port {self._configured_port(name)} on 127.0.0.1, the health port of {name}, cannot be had "
                    f"({error.strerror}): choose another --first-health-port."
                ) from None


async def _answers(client: httpx.AsyncClient, path: str) -> bool | None:
    """Whether the answer was a success; None: there was none."""
    try:
        return (await client.get(path)).is_success
    except httpx.HTTPError:
        return None


def _end_with_parent(parent: int) -> Callable[[], None]:
    """What a child does before it becomes the service: ask the kernel for SIGTERM when its parent is gone."""
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died before we could ask
            os._exit(1)

    return ask
