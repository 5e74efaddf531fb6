"""After the demonstration the importer goes on, with its web console, until Ctrl-C: `make demo KEEP=1`."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from deploy.local import processes
from deploy.local.ports import settle
from deploy.local.web_console import launch_web_console, wait_for_web_console
from shared.errors import ImporterError

_STOP_SECONDS: Final = 30


@asynccontextmanager
async def web_console(folder: Path) -> AsyncIterator[str]:
    """The web console for the length of a block: the link by which its first administrator chooses a password.

    Its port stays the same from one demonstration to the next while nobody else has it. Raises SetUpFailed when it does
    not start, ImporterError when no link can be made.
    """
    port = settle(folder / "ports.json", {"web": 2})["web"]
    environment = {**os.environ, "IMPORTER_WEB_PORT": str(port)}
    log, health_port = folder / "logs" / "web.log", port + 1
    process = launch_web_console(
        Path(sys.executable), environment, health_port=health_port, log=log, tether=signal.SIGTERM
    )
    try:
        await asyncio.to_thread(wait_for_web_console, process, health_port=health_port, log=log)
        yield await _first_link(environment)
    finally:
        await asyncio.to_thread(processes.stop, process, signal.SIGTERM, _STOP_SECONDS)


async def _first_link(environment: dict[str, str]) -> str:
    command = [sys.executable, "-m", "services.console", "users", "first"]
    child = await asyncio.create_subprocess_exec(*command, env=environment, stdout=asyncio.subprocess.PIPE)
    said, _ = await child.communicate()
    if child.returncode != 0:
        raise ImporterError("`helpdesk-importer users first` gave no link: it says why above.")
    return said.decode().strip()
