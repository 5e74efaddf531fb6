"""`alarms`: what people are told of, who is told, and when nobody is."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

import typer

from services.console import repository
from services.console.alarms.configuration import AlarmConfiguration
from services.console.alarms.messages import Alarm, Event, alarm_message
from services.console.alarms.sending import NotTold
from services.console.alarms.watch import channels_of
from services.console.commands.arguments import helpdesk_id_of
from services.console.commands.signatures import group
from services.console.fields import BadValue, Moment
from services.console.output import Json, done, moment, show_rows
from services.console.repairs import alarms
from services.console.resources import EMPLOYEES, HELPDESKS
from services.console.session import with_database
from services.console.texts import _, texts
from shared.database.pool import Connection

Helpdesk = Annotated[str, typer.Argument(help="the helpdesk's name or id")]
Employee = Annotated[str, typer.Argument(help="the employee's name or id")]


def list_alarms(
    *,
    ended: Annotated[bool, typer.Option("--ended", help="those of the last seven days, too")] = False,
    as_json: Json = False,
) -> None:
    """List the alarms that go on, since when, and when they were told."""

    async def work(connection: Connection) -> None:
        rows = [asdict(row) for row in await alarms.alarms(connection, ended_too=ended)]
        if texts().language == "nl" and not as_json:
            rows = [{**row, "text": row["dutch"]} for row in rows]
        show_rows(_("alarms"), rows, as_json=as_json, hidden=frozenset({"id", "last_seen_at", "dutch"}))

    with_database(work)


def administrators(*, as_json: Json = False) -> None:
    """List who is told of which helpdesk's alarms, and gets its digest."""

    async def work(connection: Connection) -> None:
        rows = [asdict(row) for row in await alarms.administrators(connection)]
        show_rows(_("administrators"), rows, as_json=as_json)

    with_database(work)


def add_administrator(helpdesk: Helpdesk, employee: Employee) -> None:
    """Tell this employee too of a helpdesk's alarms, and each morning of its day."""

    async def work(connection: Connection) -> None:
        await alarms.add_administrator(connection, *await _both(connection, helpdesk, employee))
        told = {"employee": employee, "helpdesk": helpdesk}
        done(_("%(employee)s is told of the alarms of %(helpdesk)s from now on.") % told)

    with_database(work)


def remove_administrator(helpdesk: Helpdesk, employee: Employee) -> None:
    """Tell this employee no more of a helpdesk's alarms."""

    async def work(connection: Connection) -> None:
        told = {"employee": employee, "helpdesk": helpdesk}
        if not await alarms.remove_administrator(connection, *await _both(connection, helpdesk, employee)):
            raise BadValue(_("%(employee)s is no administrator of %(helpdesk)s.") % told)
        done(_("%(employee)s is told no more of the alarms of %(helpdesk)s.") % told)

    with_database(work)


def maintenance(*, as_json: Json = False) -> None:
    """List planned maintenance that goes on or lies ahead."""

    async def work(connection: Connection) -> None:
        rows = [asdict(row) for row in await alarms.maintenance(connection)]
        show_rows(_("maintenance windows"), rows, as_json=as_json)

    with_database(work)


def plan_maintenance(
    hours: Annotated[float, typer.Argument(min=0.1, max=720, help="how long it lasts")],
    helpdesk: Annotated[str | None, typer.Option(help="only the alarms of this helpdesk; else all of them")] = None,
    begins: Annotated[str | None, typer.Option("--from", metavar=Moment.metavar, help="when; else now")] = None,
    reason: Annotated[str, typer.Option(help="what is done")] = "",
) -> None:
    """Keep alarms silent for planned maintenance; what outlasts it is told then."""
    try:
        starts_at = None if begins is None else Moment().parse(begins)
    except BadValue as error:
        raise BadValue(f"--from: {error}.") from None

    async def work(connection: Connection) -> None:
        helpdesk_id = await helpdesk_id_of(connection, helpdesk)
        lasts = timedelta(hours=hours)
        window, ends_at = await alarms.plan_maintenance(connection, helpdesk_id, starts_at, lasts, reason)
        done(_("Maintenance %(id)s: silent until %(until)s.") % {"id": window, "until": moment(ends_at)})

    with_database(work)


def end_maintenance(window: Annotated[int, typer.Argument(help="its id, as `alarms maintenance` shows it")]) -> None:
    """End planned maintenance now."""

    async def work(connection: Connection) -> None:
        if not await alarms.end_maintenance(connection, window):
            raise BadValue(_("There is no maintenance %(id)s that goes on or lies ahead.") % {"id": window})
        done(_("Maintenance %(id)s has ended.") % {"id": window})

    with_database(work)


def test() -> None:
    """Send a test alarm to the operators by every channel that is set up."""
    configuration = AlarmConfiguration.load()
    channels = channels_of(configuration)
    if not channels:
        raise BadValue(
            _("No channel is set up: set IMPORTER_ALARM_SMTP_URL (and _FROM, _TO) or IMPORTER_ALARM_WEBHOOK_URL.")
        )
    alarm = Alarm(
        0, "test", "", (), "This is a test; nothing is wrong.", "Dit is een test; er is niets mis.", datetime.now(UTC)
    )
    message = alarm_message(Event.BEGAN, [alarm], configuration.language)
    failed = []
    for name, channel in channels.items():
        try:
            asyncio.run(channel.tell(message, configuration.operators))
        except NotTold as trouble:
            failed.append(f"{name}: {trouble}")
        else:
            done(_("%(channel)s: taken.") % {"channel": name})
    if failed:
        raise NotTold("\n".join(failed))


async def _both(connection: Connection, helpdesk: str, employee: str) -> tuple[int, int]:
    return await repository.find(connection, HELPDESKS, helpdesk), await repository.find(
        connection, EMPLOYEES, employee
    )


COMMANDS: Final = {
    "alarms": group(
        "alarms",
        "What people are told of by mail or webhook, who is told, and planned maintenance.",
        {
            "list": list_alarms,
            "test": test,
            "administrators": administrators,
            "add-administrator": add_administrator,
            "remove-administrator": remove_administrator,
            "maintenance": maintenance,
            "plan-maintenance": plan_maintenance,
            "end-maintenance": end_maintenance,
        },
    )
}
