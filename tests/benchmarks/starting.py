"""What a start of the services takes, and what memory they have before any mail."""

from __future__ import annotations

import asyncio

from services.console.child_output import LogFiles
from services.console.supervisor import SERVICES, Condition, Supervisor
from tests.benchmarks.importer import DEADLINE, Importer
from tests.benchmarks.measured import Memory
from tests.benchmarks.processes import processor_seconds, resident_mb

READERS = "reader (classifier's child)"


async def startup_seconds(importer: Importer) -> dict[str, float]:
    """Seconds of the processor of each service until it is ready, its children's too."""
    supervisor = Supervisor(importer.installation.environment, LogFiles(importer.folder / "logs" / "starts"))
    stop = asyncio.Event()
    running = asyncio.create_task(supervisor.run(stop))
    try:
        async with asyncio.timeout(DEADLINE), asyncio.TaskGroup() as watching:
            seen = {name: watching.create_task(_until_ready(supervisor, name)) for name in SERVICES}
        return {name: task.result() for name, task in seen.items()}
    finally:
        stop.set()
        await running


async def _until_ready(supervisor: Supervisor, name: str) -> float:
    await supervisor.until(lambda states: states[name].condition is Condition.READY)
    process = supervisor.states[name].pid
    assert process is not None
    return processor_seconds({name: [process]})[name]


def memory(importer: Importer, *, most: bool) -> dict[str, float]:
    """MB of each service's process and of the classifier's readers: now, or the most so far."""
    seen = {name: [resident_mb(pid, most=most) for pid in pids] for name, pids in importer.processes.items()}
    own = {name: max(mb for mb, _ in figures) for name, figures in seen.items()}
    return own | {READERS: max(mb for _, mb in seen["classifier"])}


def memories(idle: dict[str, float], load: dict[str, float]) -> dict[str, Memory]:
    """Both beside each other."""
    return {name: Memory(idle[name], load[name]) for name in idle}
