"""The four services under their supervisor for as long as a block lasts: for the demo and for tests end to end."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from deploy.local import processes
from deploy.local.moves import Moves
from services.console.child_output import LogFiles
from services.console.supervisor import Condition, Supervisor
from shared.errors import Outage

_LOOK_SECONDS = 1.0


@asynccontextmanager
async def running_services(environment: Mapping[str, str], logs: Path) -> AsyncIterator[Supervisor]:
    """Start the services, hand out their supervisor once all are ready, and drain them at the end.

    Each service's log goes to `logs`. Raises Misconfigured when one refuses to start, Outage when they are not
    ready and none of them does anything any more; nothing runs then.
    """
    supervisor = Supervisor(environment, LogFiles(logs))
    stop = asyncio.Event()
    running = asyncio.create_task(supervisor.run(stop))
    ready = asyncio.create_task(supervisor.all_ready())
    try:
        moves = Moves(processes.identify(os.getpid()))
        while not (running.done() or ready.done()):
            await asyncio.wait((running, ready), timeout=_LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if not ready.done() and moves.stands_still():
                late = [state.service for state in supervisor.states.values() if state.condition is not Condition.READY]
                raise Outage(f"Not ready, and nothing moves any more: {', '.join(late)}. See their logs in {logs}.")
        if not running.done():
            yield supervisor
    finally:
        ready.cancel()
        stop.set()
        await running
