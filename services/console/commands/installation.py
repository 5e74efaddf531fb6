"""`installation`: whether mailboxes are read and mail is sent from this database, and a person's word that they are."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Final

import typer

from services.console.commands.signatures import group
from services.console.database import ConsoleConfiguration
from services.console.output import Json, done, moment, show_json
from services.console.repairs import installation
from services.console.repairs.installation import Consequences
from services.console.session import with_database
from shared.counted import many
from shared.database.installation import presented
from shared.database.pool import Connection
from shared.one_line import one_line
from shared.standing import recorded
from shared.standing.needs import why_not_confirmed
from shared.standing.recorded import InstallationStanding

NAMED: Final = 20
"""So many mailboxes are named."""


def show(*, as_json: Json = False) -> None:
    """Show whether this database is confirmed for where it is, and what is read and sent from it."""

    async def work(connection: Connection) -> None:
        standing, follows = await recorded.installation(connection), await installation.consequences(connection)
        if as_json:
            show_json(asdict(standing) | asdict(follows))
            return
        for line in (*_said(standing), *_follows(follows, would=standing.is_held)):
            typer.echo(line)

    with_database(work)


def confirm(
    *,
    discard_waiting: Annotated[
        bool, typer.Option("--discard-waiting", help="Never send the mails that wait; they stay listed as not sent.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Confirm; without it only what would happen is shown.")] = False,
) -> None:
    """Have mailboxes read and mail sent from this database, where it is now.

    Only one installation may read a mailbox: be sure that the one which this database was copied from stands still, or
    is this one. To look at the mails first: notifications hold, confirm, then notifications discard or release.
    Services notice it within seconds.
    """
    secret = ConsoleConfiguration.load().secret_if_given("installation_id")
    presents = None if secret is None else presented(secret)

    async def work(connection: Connection) -> None:
        standing, follows = await recorded.installation(connection), await installation.consequences(connection)
        if not yes:
            for line in (*_said(standing), *_follows(follows, would=True)):
                typer.echo(line)
            typer.echo("Nothing was confirmed: say --yes.", err=True)
            return
        discarded = await installation.confirm(connection, presents, discard=discard_waiting)
        done("Confirmed." + (f" {many(discarded, 'mail')} discarded." if discard_waiting else ""))

    with_database(work)


def _said(standing: InstallationStanding) -> list[str]:
    if standing.is_held:
        since = f" Services are kept from their work since {moment(standing.since)}." if standing.since else ""
        return [f"{why_not_confirmed(standing)[0]}{since}"]
    if standing.confirmed_at is None:
        return ["No fetcher or notifier was started on this database yet: the first one confirms it."]
    return [f"This database is confirmed for this installation since {moment(standing.confirmed_at)}."]


def _follows(follows: Consequences, *, would: bool) -> list[str]:
    are = "would be" if would else "are"
    names = ", ".join(one_line(name) for name in follows.mailboxes[:NAMED])
    more = ", …" if len(follows.mailboxes) > NAMED else ""
    named = f": {names}{more}" if names else ""
    lines = [f"{many(len(follows.mailboxes), 'mailbox', 'mailboxes')} {are} read{named}."]
    lines += [
        f"{many(waiting.mails, 'mail')} of {one_line(waiting.helpdesk)}, decided since {moment(waiting.since)}, "
        + ("stay held (notifications held)." if waiting.held else f"{are} sent.")
        for waiting in follows.mails
    ]
    return lines if follows.mails else [*lines, "No mail waits to be sent."]


COMMANDS: Final = {
    "installation": group(
        "installation",
        "Whether this database may be worked from: a copy reads no mailbox and mails nobody until it is confirmed.",
        {"show": show, "confirm": confirm},
    ),
}
