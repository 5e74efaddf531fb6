"""The four services under their supervisor for as long as a block lasts: for the demo and for tests end to end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from services.console.child_output import LogFiles
from services.console.supervisor import Condition, Supervisor
from shared.errors import Outage

READY_WITHIN = 60.0
"""Seconds in which services that have a database and a broker are ready, also on a slow machine."""


@asynccontextmanager
async def running_services(environment: Mapping[str, str], logs: Path) -> AsyncIterator[Supervisor]:
    """Start the services, hand out their supervisor once all are ready, and drain them at the end.

    Each service's log goes to `logs`. Raises Misconfigured when one refuses to start, Outage when one is not ready
    within READY_WITHIN; nothing runs then.
    """
    supervisor = Supervisor(environment, LogFiles(logs))
    stop = asyncio.Event()
    running = asyncio.create_task(supervisor.run(stop))
    ready = asyncio.create_task(supervisor.all_ready())
    try:
        await asyncio.wait((running, ready), timeout=READY_WITHIN, return_when=asyncio.FIRST_COMPLETED)
        if not running.done() and not ready.done():
            late = [state.service for state in supervisor.states.values() if state.condition is not Condition.READY]
            raise Outage(f"Not ready after {READY_WITHIN:.0f} s: {', '.join(late)}. See their logs in {logs}.")
        if not running.done():
            yield supervisor
    finally:
        ready.cancel()
        stop.set()
        await running
