"""`helpdesk-importer run`: all four services in the foreground, until SIGTERM or Ctrl-C, or until they are idle."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from services.console.alarms.configuration import AlarmConfiguration
from services.console.alarms.watch import Watch, channels_of
from services.console.child_output import ChildOutput, LogFiles, OneStream
from services.console.idle import IdleWatch, Situation
from services.console.nightly.clock import each_night
from services.console.output import number, told_by
from services.console.supervisor import SERVICES, Condition, ServiceState, Supervisor
from services.console.texts import _, ngettext
from shared.errors import ImporterError, Misconfigured
from shared.health import HealthServer
from shared.sentences import Sentence
from shared.telemetry import telemetry

DONE: Final = 0
NOT_IDLE: Final = 1
NEEDS_A_PERSON: Final = 3

DEFAULT_TIMEOUT_SECONDS: Final = 300.0


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
            max=65531,
            help="Health and metrics of fetcher, classifier, ticket_writer, notifier and the watch on this port and "
            "the next four; 0 takes free ports.",
        ),
    ] = 0,
    until_idle: Annotated[  # noqa: FBT002 - typer makes the flag of it
        bool, typer.Option("--until-idle", help="Stop when every mailbox is checked and all is imported and sent.")
    ] = False,
    timeout: Annotated[
        float | None,
        typer.Option(
            min=1, metavar="SECONDS", help=f"With --until-idle: give up after this ({DEFAULT_TIMEOUT_SECONDS:.0f})."
        ),
    ] = None,
) -> None:
    """Run fetcher, classifier, ticket writer and notifier, and start again what crashes.

    Beside them it tells people what needs them, as `watch` does, and at three in the night does what `nightly` does.

    Until Ctrl-C or SIGTERM; or, with --until-idle, until each mailbox that is on had a good check, everything is
    imported and sent, and the work and wait queues are empty. What waits for a person (old mail, quarantine) or for
    another try (mails out) counts as done. --until-idle asks as importer_console, with the secrets
    database_password_console and amqp_password_console.

    Exit codes: 0 stopped as asked, or idle; 1 not idle at the timeout (it says what still waits), or a log or the state
    file cannot be written; 3 idle, but there are dead letters; 78 a service refuses to start with these settings (its
    log says which).
    """
    if timeout is not None and not until_idle:
        raise typer.BadParameter(_("it belongs to --until-idle."), param_hint="--timeout")
    seconds = (timeout or DEFAULT_TIMEOUT_SECONDS) if until_idle else None
    try:
        code = asyncio.run(_run(_output(log_dir), state, first_health_port, seconds))
    except OSError as error:
        raise CannotWrite(
            Sentence(
                "%(file)s cannot be written (%(why)s). Choose another place or free this one.",
                file=error.filename,
                why=error.strerror,
            )
        ) from None
    finally:
        if state is not None:
            state.unlink(missing_ok=True)
    raise typer.Exit(code)


async def _run(
    output: ChildOutput, state_file: Path | None, first_health_port: int, until_idle_seconds: float | None
) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, stop.set)

    def report(state: ServiceState) -> None:
        typer.echo(_sentence(state), err=True)
        if state_file is not None:
            write_state(state_file, supervisor.states)

    supervisor = Supervisor(os.environ, output, first_health_port, on_change=report)
    if until_idle_seconds is None:
        watching = asyncio.create_task(_watch(first_health_port, stop), name="watch")
        nights = asyncio.create_task(each_night(stop), name="nights")
        try:
            await supervisor.run(stop)
        finally:
            stop.set()
            nights.cancel()
            await asyncio.gather(nights, return_exceptions=True)
            await watching
        return DONE
    return await _run_until_idle(supervisor, stop, until_idle_seconds)


async def _watch(first_health_port: int, stop: asyncio.Event) -> None:
    """Tell people what needs them, beside the services; without the console's secrets nobody is told."""
    try:
        configuration = AlarmConfiguration.load(
            **{"health_port": first_health_port + len(SERVICES)} if first_health_port else {}
        )
        watch = Watch(configuration, channels_of(configuration))
        with telemetry("watch", configuration):
            async with HealthServer(configuration.health_host, configuration.health_port) as health:
                health.add_check("watch", watch.check_looks)
                await watch.run(stop)
    except Misconfigured as misconfigured:
        typer.echo(_("watch: nobody is told of alarms: %(why)s") % {"why": told_by(misconfigured)}, err=True)


async def _run_until_idle(supervisor: Supervisor, stop: asyncio.Event, seconds: float) -> int:
    """Run the services until all is done, `stop` is set or the time is up; drain them, and tell how it ended."""
    watch = IdleWatch()
    running = asyncio.create_task(supervisor.run(stop), name="services")
    watching = asyncio.create_task(watch.until_idle(), name="watch")
    try:
        await asyncio.wait((running, watching), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        stopped = stop.is_set()
    finally:
        stop.set()
        watching.cancel()
        await asyncio.wait((watching,))
        await running
    if not watching.cancelled():
        return _tell_idle(watching.result())
    why = _("Stopped before all was done:") if stopped else _("Not idle after %(seconds)s seconds:")
    typer.echo(why % {"seconds": f"{seconds:g}"}, err=True)
    for sentence in watch.waits():
        typer.echo(f"- {sentence}", err=True)
    return NOT_IDLE


def _tell_idle(situation: Situation) -> int:
    """Say that all is done, and what waits nevertheless; the exit code."""
    typer.echo(_("Idle: every mailbox is checked, and all that could be imported and sent is."))
    if later := situation.unfinished.mails_later:
        text = ngettext(
            "%(count)s mail out will be tried again later, or is held: helpdesk-importer notifications list.",
            "%(count)s mails out will be tried again later, or are held: helpdesk-importer notifications list.",
            later,
        )
        typer.echo(text % {"count": number(later)})
    if situation.dead_letters:
        text = ngettext(
            "%(count)s mail could not be handled and waits for a person: helpdesk-importer dead-letters list.",
            "%(count)s mails could not be handled and wait for a person: helpdesk-importer dead-letters list.",
            situation.dead_letters,
        )
        typer.echo(text % {"count": number(situation.dead_letters)}, err=True)
        return NEEDS_A_PERSON
    return DONE


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
            text = _("%(service)s: starting (process %(pid)s, health %(health)s)")
        case Condition.WAITING:
            text = _("%(service)s: ended with %(exit)s; it will be started again")
        case Condition.STOPPED:
            text = _("%(service)s: stopped with %(exit)s")
        case Condition.HUNG:
            text = _("%(service)s: does not answer (process %(pid)s); it is ended and started again")
        case Condition.READY:
            text = _("%(service)s: ready")
        case Condition.NOT_READY:
            text = _("%(service)s: not ready")
    return text % {
        "service": state.service,
        "pid": state.pid,
        "health": state.health_url,
        "exit": _exit(state.last_exit),
    }


def _exit(code: int | None) -> str:
    if code is not None and code < 0:
        return _("signal %(name)s") % {"name": signal.Signals(-code).name}
    return _("exit code %(code)s") % {"code": code}


COMMANDS: Final = {"run": run}
