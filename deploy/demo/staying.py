"""After the demonstration the importer goes on, with its web console, until Ctrl-C: `make demo KEEP=1`."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from deploy.local import processes
from deploy.local.ports import settle
from deploy.local.web_console import launch_web_console, wait_for_web_console
from shared.errors import ImporterError

_STOP_SECONDS: Final = 30


@asynccontextmanager
async def running_web_console(environment: Mapping[str, str], folder: Path, log: Path) -> AsyncIterator[int]:
    """The web console for the length of a block: its port.

    That stays the same from one time to the next in this `folder`, while nobody else has it. Raises SetUpFailed when
    the console does not start.
    """
    port = settle(folder / "ports.json", {"web": 2})["web"]
    health_port = port + 1
    process = launch_web_console(
        Path(sys.executable),
        {**environment, "IMPORTER_WEB_PORT": str(port)},
        health_port=health_port,
        log=log,
        tether=signal.SIGTERM,
    )
    try:
        await asyncio.to_thread(wait_for_web_console, process, health_port=health_port, log=log)
        yield port
    finally:
        await asyncio.to_thread(processes.stop, process, signal.SIGTERM, _STOP_SECONDS)


@asynccontextmanager
async def web_console(folder: Path) -> AsyncIterator[str]:
    """The same beside the demonstration: the link by which its first administrator chooses a password.

    Raises ImporterError too, when no link can be made.
    """
    async with running_web_console(os.environ, folder, folder / "logs" / "web.log") as port:
        yield await _first_link({**os.environ, "IMPORTER_WEB_PORT": str(port)})


async def _first_link(environment: dict[str, str]) -> str:
    command = [sys.executable, "-m", "services.console", "users", "first"]
    child = await asyncio.create_subprocess_exec(*command, env=environment, stdout=asyncio.subprocess.PIPE)
    said, _ = await child.communicate()
    if child.returncode != 0:
        raise ImporterError("`helpdesk-importer users first` gave no link: it says why above.")
    return said.decode().strip()
