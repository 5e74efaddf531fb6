"""`helpdesk-importer status`: what needs a person, mailboxes, queues, outcomes, mails out; once, or live (--watch)."""

from __future__ import annotations

import asyncio
import dataclasses
import shutil
import sys
from contextlib import suppress
from typing import Annotated, Any, Final

import typer

from services.console.output import Json, show_json, visible
from services.console.quiet import keep_libraries_quiet
from services.console.status_configuration import StatusConfiguration
from services.console.status_page import status_page
from shared.standing.look import Where, look
from shared.standing.needs import Need, Standing, needs

ATTENTION: Final = 3


def status(
    *,
    as_json: Json = False,
    watch: Annotated[bool, typer.Option("--watch", help="Show it live, until Ctrl-C.")] = False,
    every: Annotated[
        float, typer.Option(min=0.5, max=3600, metavar="SECONDS", help="With --watch: how often to look.")
    ] = 2.0,
) -> None:
    """Show how the importer stands, and what needs a person.

    Each thing that does not get right by itself is a sentence that says what to do; mailboxes with their last
    successful check (S8), the queues, what the mails of the last 24 hours became, how far an import is, the mails
    out. A server that does not answer within IMPORTER_STATUS_SECONDS (1.5) is named, and what the other says is shown.
    How many messages are in hand is some seconds old, all else as of now. Reads as importer_console, with the secrets
    database_password_console and amqp_password_console.

    Exit codes: 0 all is well, 3 something needs a person (a server that does not answer too), 78 bad configuration.
    """
    keep_libraries_quiet()
    where = StatusConfiguration.load().where()
    if watch:
        with suppress(KeyboardInterrupt):
            asyncio.run(_watch(where, every))
        return
    standing = asyncio.run(look(where))
    wanting = list(needs(standing))
    if as_json:
        show_json(_for_programs(standing, wanting))
    else:
        typer.echo(_page(standing))
    if wanting:
        raise typer.Exit(ATTENTION)


def _page(standing: Standing) -> str:
    return visible("\n".join(status_page(standing, shutil.get_terminal_size().columns)))


async def _watch(where: Where, every: float) -> None:
    """The page, replaced in place on a terminal; one below the other where there is none."""
    if not sys.stdout.isatty():
        while True:
            typer.echo(_page(await look(where)) + "\n")
            await asyncio.sleep(every)
    from rich.live import Live  # noqa: PLC0415 - for this alone
    from rich.text import Text  # noqa: PLC0415

    with Live(screen=True, auto_refresh=False) as live:
        while True:
            live.update(Text(_page(await look(where)), no_wrap=True), refresh=True)
            await asyncio.sleep(every)


def _for_programs(standing: Standing, wanting: list[Need]) -> dict[str, Any]:
    """The standing as one JSON document; what could not be asked is null."""
    database, broker = standing.database, standing.broker
    recorded: dict[str, Any] = {}
    if database is not None:
        recorded = dataclasses.asdict(database)
        outcomes = recorded.pop("outcomes")
        work = database.work
        recorded |= {
            "outcomes_of_a_day": outcomes["of_a_day"],
            "work": None
            if work is None
            else {
                "done": work.done,
                "total": work.total,
                "per_second": round(work.per_second, 2),
                "seconds_left": None if work.left is None else round(work.left.total_seconds()),
            },
        }
    return {
        "at": standing.at,
        "mailboxes": None,
        "unfinished": None,
        **recorded,
        "queues": None if broker is None else [dataclasses.asdict(queue) for queue in broker.queues],
        "broker_alarms": None if broker is None else [dataclasses.asdict(alarm) for alarm in broker.alarms],
        "database_trouble": standing.database_trouble,
        "broker_trouble": standing.broker_trouble,
        "needs_a_person": [need.english for need in wanting],
        "needs": [
            {"cause": need.cause, "key": need.key, "helpdesks": need.helpdesks, "since": need.since} for need in wanting
        ],
    }


COMMANDS: Final = {"status": status}
