"""The web console as a process of this machine, beside the services."""

import signal
import time
from collections.abc import Mapping
from pathlib import Path

from deploy.local import health, processes
from deploy.local.failure import SetUpFailed
from deploy.local.moves import Moves
from deploy.local.processes import Process
from deploy.local.server_log import last_words

_POLL_SECONDS = 0.1


def launch_web_console(
    python: Path, environment: Mapping[str, str], *, health_port: int, log: Path, tether: signal.Signals | None
) -> Process:
    """Start it; `wait_for_web_console` tells when it is ready. `tether` as of `processes.launch`."""
    return processes.launch(
        [str(python), "-m", "services.console.web"],
        environment={**environment, "IMPORTER_HEALTH_PORT": str(health_port)},
        log=log,
        folder=log.parent,
        tether=tether,
    )


def wait_for_web_console(process: Process, *, health_port: int, log: Path) -> None:
    """Return as soon as it is ready. Raises SetUpFailed when it ends, or stands still before."""
    moves = Moves(process, log)
    while health.trouble(health_port):
        if not processes.is_alive(process) or moves.stands_still():
            raise SetUpFailed(f"The web console does not start: {last_words(log)}")
        time.sleep(_POLL_SECONDS)
