"""`nightly`: what is done once a night; `--now` for a timer, without it each night at three."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any, Final

import typer

from services.console.nightly.clock import each_night
from services.console.nightly.jobs import turn
from services.console.nightly.operator import open_as_operator
from services.console.nightly.retention import remove_unneeded
from services.console.output import done


def nightly(
    *, now: Annotated[bool, typer.Option("--now", help="do it at once and end, for a timer or a person")] = False
) -> None:
    """Remove what nothing needs any more (`retention`), each night at three by the clock of this machine.

    However many run this, one does it: the others find it done. Works as importer_operator: reads
    IMPORTER_DATABASE_URL and the secret database_password_operator.
    """
    if now:
        asyncio.run(_tonight())
    else:
        asyncio.run(_each_night())


async def _each_night() -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await each_night(stop)


async def _tonight() -> None:
    async with open_as_operator("helpdesk-importer nightly", connections=2) as pool:
        async with turn(pool, "retention") as mine:
            if mine is not None:
                mine.told = asdict(await remove_unneeded(pool))
        _say("retention", None if mine is None else mine.told)


def _say(job: str, told: Mapping[str, Any] | None) -> None:
    if told is None:
        done(f"{job}: done already, or somebody else does it.")
    else:
        done(f"{job}: " + ", ".join(f"{count} {what.replace('_', ' ')}" for what, count in told.items()) + ".")


COMMANDS: Final = {"nightly": nightly}
