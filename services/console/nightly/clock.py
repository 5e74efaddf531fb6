"""Begins the work of the night at its hour, as a process of its own, which ends with it: nothing is loaded all day."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Awaitable, Callable
from datetime import datetime

import typer

from services.console.nightly.jobs import next_night
from services.console.texts import _
from shared import acting


async def tonight(*options: str) -> None:
    """Do the night's work as `helpdesk-importer nightly --now`; what it says goes where ours goes."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.console", "nightly", "--now", *options),
        env={**os.environ, "PYTHONSAFEPATH": "1", acting.VARIABLE: "nightly"},
    )
    try:
        code = await process.wait()
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
    if code:
        typer.echo(
            _("The work of the night ended with exit code %(code)s; the next night it is done again.") % {"code": code},
            err=True,
        )


async def each_night(stop: asyncio.Event, work: Callable[[], Awaitable[None]] = tonight) -> None:
    """Do `work` each night until `stop` is set."""
    while not stop.is_set():
        now = datetime.now().astimezone()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout((next_night(now) - now).total_seconds()):
                await stop.wait()
        if not stop.is_set():
            await work()
