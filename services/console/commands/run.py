"""`helpdesk-importer run`: all four services in the foreground, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from services.console.child_output import ChildOutput, LogFiles, OneStream
from services.console.supervisor import Condition, ServiceState, Supervisor
from shared.errors import ImporterError


class CannotWrite(ImporterError):
    """A log or the state file cannot be written: choose another place."""


def run(
    log_dir: Annotated[
        Path | None, typer.Option(help="Append each service's log to DIRECTORY/SERVICE.log instead of showing it.")
    ] = None,
    state: Annotated[
        Path | None, typer.Option(help="Keep FILE up to date with process ids and health addresses (JSON).")
    ] = None,
    first_health_port: Annotated[
        int,
        typer.Option(
            min=0,
            max=65532,
            help="Health and metrics of fetcher, classifier, ticket_writer and notifier on this port and the next "
            "three; 0 takes free ports.",
        ),
    ] = 0,
) -> None:
    """Run fetcher, classifier, ticket writer and notifier, and start again what crashes.

    Until Ctrl-C or SIGTERM.

    Exit codes: 0 stopped as asked, 1 a log or the state file cannot be written, 78 a service refuses to start with
    these settings (its log says which).
    """
    try:
        asyncio.run(_run(_output(log_dir), state, first_health_port))
    except OSError as error:
        raise CannotWrite(
            f"{error.filename} cannot be written ({error.strerror}). Choose another place or free this one."
        ) from None
    finally:
        if state is not None:
            state.unlink(missing_ok=True)


async def _run(output: ChildOutput, state_file: Path | None, first_health_port: int) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    def report(state: ServiceState) -> None:
        typer.echo(_sentence(state), err=True)
        if state_file is not None:
            write_state(state_file, supervisor.states)

    supervisor = Supervisor(os.environ, output, first_health_port, on_change=report)
    await supervisor.run(stop)


def _output(log_dir: Path | None) -> ChildOutput:
    if log_dir is not None:
        return LogFiles(log_dir)
    return OneStream(sys.stdout.buffer, prefixed=sys.stdout.isatty())


def write_state(file: Path, states: dict[str, ServiceState]) -> None:
    """Write what runs where, whole or not at all: `{"pid": …, "ready": …, "services": {NAME: {"pid": …, …}}}`."""
    content = {
        "pid": os.getpid(),
        "ready": all(state.condition is Condition.READY for state in states.values()),
        "services": {
            name: {
                "condition": state.condition.value,
                "pid": state.pid,
                "health_url": state.health_url,
                "starts": state.starts,
                "last_exit": state.last_exit,
            }
            for name, state in states.items()
        },
    }
    unfinished = file.with_name(f"{file.name}.new")
    unfinished.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    unfinished.replace(file)


def _sentence(state: ServiceState) -> str:
    match state.condition:
        case Condition.STARTING:
            return f"{state.service}: starting (process {state.pid}, health {state.health_url})"
        case Condition.WAITING:
            return f"{state.service}: ended with {_exit(state.last_exit)}; it will be started again"
        case Condition.STOPPED:
            return f"{state.service}: stopped with {_exit(state.last_exit)}"
        case Condition.READY | Condition.NOT_READY:
            return f"{state.service}: {state.condition.value}"


def _exit(code: int | None) -> str:
    if code is not None and code < 0:
        return f"signal {signal.Signals(-code).name}"
    return f"exit code {code}"


COMMANDS: Final = {"run": run}
