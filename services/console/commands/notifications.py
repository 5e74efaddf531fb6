"""`notifications list` and `send-now`: the mails out, and those that wait for another try sent at once.

After a mail server or an account is mended, waiting mail goes by itself at its own next try, up to four hours later.
`send-now` moves that moment to now; the notifier, when it runs, sends within seconds.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Final
from uuid import UUID

import typer

from services.console import notifications
from services.console.commands.arguments import helpdesk_id_of
from services.console.fields import BadValue, Choice
from services.console.output import Card, Json, done, moment, show_cards, show_json, show_rows
from services.console.repairs import brakes
from services.console.session import with_database
from shared.counted import many
from shared.database.pool import Connection
from shared.one_line import one_line
from shared.standing import recorded

STATES: Final = Choice(("waiting", "planned", "sent", "failed", "not-sent"))

Helpdesk = Annotated[str | None, typer.Option(help="Only those of this helpdesk.")]


def show_list(
    helpdesk: Helpdesk = None,
    state: Annotated[
        str,
        typer.Option(metavar=STATES.metavar, help="Only these; waiting ones are tried again, or collect others first."),
    ] = "waiting",
    limit: Annotated[int, typer.Option(min=1, max=10000, help="At most this many, the newest first.")] = 100,
    *,
    as_json: Json = False,
) -> None:
    """List mails out in one state, with the reason and the server's answer."""
    try:
        wanted = STATES.parse(state)
    except BadValue as error:
        raise BadValue(f"--state: {error}.") from None

    async def work(connection: Connection) -> None:
        helpdesk_id = await helpdesk_id_of(connection, helpdesk)
        rows = await notifications.rows(connection, state=wanted, helpdesk_id=helpdesk_id, at_most=limit)
        if as_json:
            show_json([asdict(row) for row in rows])
            return
        show_cards(f"{wanted} notifications", [_card(row, wanted) for row in rows])

    with_database(work)


def _card(mail: notifications.Notification, state: str) -> Card:
    facts = (
        mail.helpdesk,
        f"to {one_line(mail.recipient)}" if mail.recipient else "to nobody",
        f"sent {moment(mail.sent_at)}" if mail.sent_at else "",
        many(mail.tries, "try", "tries") if mail.tries else "",
        f"next try {moment(mail.next_try_at)}" if mail.next_try_at and state == "waiting" else "",
        f"report {mail.report_action} {mail.report_status or ''}".rstrip() if mail.report_action else "",
    )
    said = [mail.reason or "", f"The server: {one_line(mail.server_reply)}" if mail.server_reply else ""]
    return Card(
        (str(mail.id), moment(mail.created_at), state, f"{mail.kind} {mail.ticket}", one_line(mail.subject or "")),
        facts,
        [sentence for sentence in said if sentence],
    )


def send_now(helpdesk: Helpdesk = None) -> None:
    """Let every mail out that waits for another try go now.

    For after a mail server or an account is mended. Mails that were sent, failed for good or were decided not to be
    sent stay as they are.
    """

    async def work(connection: Connection) -> None:
        moved = await notifications.due_now(connection, await helpdesk_id_of(connection, helpdesk))
        done(f"{many(moved, 'mail')} will be sent now." if moved else "No mail waits for another try.")

    with_database(work)


def hold(
    helpdesk: Annotated[str | None, typer.Option(help="Only the mail of this helpdesk; else of all.")] = None,
    reason: Annotated[str, typer.Option(help="Why.")] = "",
) -> None:
    """Send no mail out from now on; it waits until release."""

    async def work(connection: Connection) -> None:
        if not await brakes.hold(connection, await helpdesk_id_of(connection, helpdesk), reason):
            raise BadValue(f"The mail of {helpdesk or 'all'} is held already.")
        done(f"The mail of {helpdesk or 'all'} is held: notifications held shows what waits, release lets it go.")

    with_database(work)


def release(
    helpdesk: Annotated[str | None, typer.Option(help="The hold of this helpdesk; else that of all.")] = None,
) -> None:
    """Let go what was held; it is sent within two minutes."""

    async def work(connection: Connection) -> None:
        if not await brakes.release(connection, await helpdesk_id_of(connection, helpdesk)):
            raise BadValue(f"There is no hold of {helpdesk or 'all'}; notifications held shows those that there are.")
        done(f"The mail of {helpdesk or 'all'} is let go.")

    with_database(work)


def held(*, as_json: Json = False) -> None:
    """List what is held, since when, and how many mails wait; `list --state planned` names them."""

    async def work(connection: Connection) -> None:
        show_rows("holds", [asdict(one) for one in await recorded.held(connection)], as_json=as_json)

    with_database(work)


def discard(
    reason: Annotated[str, typer.Option(help="Why; it is recorded.")],
    ids: Annotated[list[UUID] | None, typer.Argument(metavar="ID...", help="ids of held mails")] = None,
    helpdesk: Helpdesk = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="All that is held.")] = False,
) -> None:
    """Never send mails that are held; others are left alone."""
    if bool(ids) == everything:
        raise BadValue("Name mails by id, or say --all; `notifications list --state planned` shows them.")

    async def work(connection: Connection) -> None:
        helpdesk_id = await helpdesk_id_of(connection, helpdesk)
        count = await brakes.discard(connection, helpdesk_id, None if everything else ids, reason)
        done(f"{many(count, 'mail')} discarded." if count else "No such mail is held; nothing was changed.")

    with_database(work)


def _group() -> typer.Typer:
    made = typer.Typer(
        help="The mails to manager, executor and customer that wait, and how to send them now.", no_args_is_help=True
    )
    made.command("list")(show_list)
    made.command("send-now")(send_now)
    made.command("hold")(hold)
    made.command("held")(held)
    made.command("release")(release)
    made.command("discard")(discard)
    return made


COMMANDS: Final = {"notifications": _group()}
