"""`helpdesk-importer status`: mailboxes, queues, outcomes, mails out, dead letters, and what needs a person."""

from __future__ import annotations

import dataclasses
from typing import Any, Final

import typer

from services.console import progress
from services.console.output import Json, show_json, show_one, show_rows, visible
from services.console.queues import MonitoringConfiguration, WorkInQueue, work_in_queues
from services.console.session import with_pool
from services.console.standing import NEEDS_A_PERSON, Standing
from shared.broker.administration import ManagementRefused
from shared.database.pool import Connection, Pool, transaction
from shared.errors import Outage

ATTENTION: Final = 3
_SHOWN_BY_JSON_ALONE: Final = frozenset({"last_check_at", "problem_kind", "login_refused_since", "login_expires_at"})


def status(*, as_json: Json = False) -> None:
    """Show how the importer stands, and what needs a person.

    Mailboxes with their last successful check (S8) and their problem, the queues, what the mails of the last 24 hours
    became, the mails out, dead letters. RabbitMQ's numbers are up to ten seconds old. Reads as importer_console, with
    the secrets database_password_console and amqp_password_console.

    Exit codes: 0 all is well, 3 something needs a person (each a sentence), 1 the database does not answer, 78 bad
    configuration.
    """
    configuration = MonitoringConfiguration.load()

    async def work(pool: Pool) -> Standing:
        queues, trouble = await _queues(configuration)
        async with transaction(pool) as connection:
            return await _standing(connection, queues, trouble)

    standing = with_pool(work)
    if as_json:
        show_json({**dataclasses.asdict(standing), "needs_a_person": list(standing.needs_a_person())})
    else:
        _show(standing)
    if any(standing.needs_a_person()):
        raise typer.Exit(ATTENTION)


async def _queues(configuration: MonitoringConfiguration) -> tuple[tuple[WorkInQueue, ...] | None, str]:
    """The queues; or None and the reason, so that the database is shown nevertheless."""
    try:
        return tuple(await work_in_queues(configuration)), ""
    except (Outage, ManagementRefused) as error:
        return None, str(error)


async def _standing(connection: Connection, queues: tuple[WorkInQueue, ...] | None, trouble: str) -> Standing:
    return Standing(
        at=await progress.now(connection),
        schema_revision=await progress.schema_revision(connection),
        mailboxes=tuple(await progress.mailboxes(connection)),
        accounts=tuple(await progress.accounts(connection)),
        logins=tuple(await progress.logins(connection)),
        outcomes_of_a_day=await progress.outcomes_of_a_day(connection),
        unfinished=await progress.unfinished(connection),
        notifications=await progress.mails_out_by_state(connection),
        undelivered=tuple(await progress.undelivered(connection, list(NEEDS_A_PERSON))),
        unconfirmed=tuple(await progress.unconfirmed(connection)),
        queues=queues,
        ticket_numbers=await progress.ticket_numbers(connection),
        tickets_that_threads_would_have_saved=await progress.tickets_of_threads(connection),
        broker_trouble=trouble,
    )


def _show(standing: Standing) -> None:
    def rows(things: tuple[Any, ...]) -> list[dict[str, Any]]:
        return [dataclasses.asdict(thing) for thing in things]

    show_rows("mailboxes", rows(standing.mailboxes), as_json=False, hidden=_SHOWN_BY_JSON_ALONE)
    if standing.queues is not None:
        show_rows("queues", rows(standing.queues), as_json=False)
    show_one(
        {
            "outcomes_of_the_last_day": _counted(standing.outcomes_of_a_day),
            "mails_without_an_outcome": standing.unfinished.without_outcome,
            "mails_out_(planned,_waiting,_and_of_the_last_day)": _counted(standing.notifications),
            "dead_letters": standing.unfinished.dead_letters,
            "tickets_that_threads_would_have_saved_(30_days)": _counted(standing.tickets_that_threads_would_have_saved),
            "newest_ticket_number": standing.ticket_numbers.newest_number,
            "schema_revision": standing.schema_revision,
        },
        as_json=False,
    )
    attention = list(standing.needs_a_person())
    typer.echo("\nNeeds a person:" if attention else "\nNothing needs a person.")
    for sentence in attention:
        typer.echo(visible(f"- {sentence}"))


def _counted(counts: Any) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "none"


COMMANDS: Final = {"status": status}
