"""`nightly`: what is done once a night; `--now` for a timer, without it each night at three."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Mapping
from dataclasses import asdict
from enum import StrEnum
from functools import partial
from typing import Annotated, Any, Final

import typer

from services.console.labels import label
from services.console.nightly.clock import each_night, tonight
from services.console.nightly.jobs import turn
from services.console.nightly.operator import open_as_operator
from services.console.nightly.retention import remove_unneeded
from services.console.output import done, told_by
from services.console.reconcile.comparing import Servers, Wanted, compare
from services.console.reconcile.configuration import ReconcilerConfiguration, open_as_reconciler
from services.console.texts import N_, _
from shared.errors import ImporterError

_COUNTED: Final = (
    N_("raw mails"),
    N_("bytes"),
    N_("content keys"),
    N_("blobs"),
    N_("mailbox checks"),
    N_("differences"),
    N_("repaired"),
    N_("left"),
    N_("harmless"),
    N_("not compared"),
    N_("mailboxes"),
    N_("mails in mailboxes"),
    N_("mails"),
    N_("tickets"),
    N_("messages"),
    N_("hashed"),
)
"""What the jobs count, as fields of what they tell."""


class OneJob(StrEnum):
    """A job of the night."""

    RETENTION = "retention"
    RECONCILE = "reconcile"


def nightly(
    *,
    now: Annotated[bool, typer.Option("--now", help="do it at once and end, for a timer or a person")] = False,
    only: Annotated[
        OneJob | None, typer.Option("--only", help="this job alone, where another process has the other")
    ] = None,
) -> None:
    """Remove what nothing needs (`retention`) and compare all (`reconcile --repair`), each night at three.

    However many run this, one does it: the others find it done. The hour is that of this machine's clock. retention
    works as importer_operator, with the secret database_password_operator; reconcile with the secrets that `reconcile`
    names. What that leaves for a person, `status` and the alarms tell.
    """
    if now:
        asyncio.run(_tonight(only))
    else:
        asyncio.run(_each_night(only))


async def _each_night(only: OneJob | None) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await each_night(stop, partial(tonight, *(["--only", only.value] if only else [])))


async def _tonight(only: OneJob | None) -> None:
    """Each job by itself: what keeps one from being done is no matter of the other."""
    jobs = {OneJob.RETENTION: _retention, OneJob.RECONCILE: _reconcile}
    troubles = []
    for job, do in jobs.items():
        if only in {None, job}:
            try:
                _say(job, await do())
            except ImporterError as trouble:
                troubles.append(trouble)
    for other in troubles[1:]:
        typer.echo(told_by(other), err=True)
    if troubles:
        raise troubles[0]


async def _retention() -> Mapping[str, Any] | None:
    async with (
        open_as_operator("helpdesk-importer nightly", connections=2) as pool,
        turn(pool, "retention") as mine,
    ):
        if mine is not None:
            mine.told = asdict(await remove_unneeded(pool))
        return None if mine is None else mine.told


async def _reconcile() -> Mapping[str, Any] | None:
    """With the repairs: each of them only makes the services do again what they do anyway."""
    configuration = ReconcilerConfiguration.load()
    async with open_as_reconciler(configuration) as pool, turn(pool, "reconcile") as mine:
        if mine is not None:
            servers = Servers(pool, configuration.queues(), configuration)
            mine.told = (await compare(servers, Wanted(repairs=True))).summary
        return None if mine is None else mine.told


def _say(job: str, told: Mapping[str, Any] | None) -> None:
    if told is None:
        done(_("%(job)s: done already, or somebody else does it.") % {"job": job})
    else:
        done(f"{job}: " + ", ".join(f"{count} {label(what)}" for what, count in told.items()) + ".")


COMMANDS: Final = {"nightly": nightly}
