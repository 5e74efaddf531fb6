"""`notifications`: the mails out; those that wait for another try sent at once, and those that ended sent once more.

After a mail server or an account is mended, waiting mail goes by itself at its own next try, up to four hours later.
`send-now` moves that moment to now; the notifier, when it runs, sends within seconds.
"""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Annotated, Final
from uuid import UUID

import typer

from services.console import notifications
from services.console.commands.arguments import helpdesk_id_of
from services.console.explanations import of_mail_out
from services.console.fields import BadValue, Choice
from services.console.output import Card, Json, done, moment, number, show_cards, show_json, show_rows
from services.console.repairs import brakes
from services.console.repairs import resend as repairs
from services.console.repairs.resend import Bar, Candidate
from services.console.session import with_database, with_pool
from services.console.texts import N_, _, ngettext
from shared.database.pool import Connection, Pool, transaction
from shared.one_line import one_line
from shared.standing import recorded

_TITLES: Final = {
    "waiting": N_("waiting notifications"),
    "planned": N_("planned notifications"),
    "sent": N_("sent notifications"),
    "failed": N_("failed notifications"),
    "not-sent": N_("notifications not sent"),
}
_BARRED: Final = {
    Bar.ALREADY: N_("it was sent again already; name the newest, which `mails show` has."),
    Bar.NOT_ENDED: N_("it is still to be sent, or was decided not to be sent."),
    Bar.NO_ADDRESS: N_("its recipient has no e-mail address now."),
}
STATES: Final = Choice(tuple(_TITLES))

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
        show_cards(_(_TITLES[wanted]), [_card(row, wanted) for row in rows])

    with_database(work)


def _card(mail: notifications.Notification, state: str) -> Card:
    facts = (
        mail.helpdesk,
        _("to %(recipient)s") % {"recipient": one_line(mail.recipient)} if mail.recipient else _("to nobody"),
        _("sent %(at)s") % {"at": moment(mail.sent_at)} if mail.sent_at else "",
        ngettext("%(count)s try", "%(count)s tries", mail.tries) % {"count": number(mail.tries)} if mail.tries else "",
        _("next try %(at)s") % {"at": moment(mail.next_try_at)} if mail.next_try_at and state == "waiting" else "",
        _report(mail),
    )
    reply = _("The server: %(reply)s") % {"reply": one_line(mail.server_reply)} if mail.server_reply else ""
    said = [of_mail_out(mail.reason), reply]
    return Card(
        (str(mail.id), moment(mail.created_at), state, f"{mail.kind} {mail.ticket}", one_line(mail.subject or "")),
        facts,
        [sentence for sentence in said if sentence],
    )


def _report(mail: notifications.Notification) -> str:
    if not mail.report_action:
        return ""
    return _("report %(says)s") % {"says": " ".join(filter(None, (mail.report_action, mail.report_status)))}


def send_now(helpdesk: Helpdesk = None) -> None:
    """Let every mail out that waits for another try go now.

    For after a mail server or an account is mended. Mails that were sent, failed for good or were decided not to be
    sent stay as they are.
    """

    async def work(connection: Connection) -> None:
        moved = await notifications.due_now(connection, await helpdesk_id_of(connection, helpdesk))
        sentence = ngettext("%(count)s mail will be sent now.", "%(count)s mails will be sent now.", moved)
        done(sentence % {"count": number(moved)} if moved else _("No mail waits for another try."))

    with_database(work)


def hold(
    helpdesk: Annotated[str | None, typer.Option(help="Only the mail of this helpdesk; else of all.")] = None,
    reason: Annotated[str, typer.Option(help="Why.")] = "",
) -> None:
    """Send no mail out from now on; it waits until release."""

    async def work(connection: Connection) -> None:
        if not await brakes.hold(connection, await helpdesk_id_of(connection, helpdesk), reason):
            raise BadValue(_("The mail of %(helpdesk)s is held already.") % _of(helpdesk))
        sentence = _("The mail of %(helpdesk)s is held: notifications held shows what waits, release lets it go.")
        done(sentence % _of(helpdesk))

    with_database(work)


def release(
    helpdesk: Annotated[str | None, typer.Option(help="The hold of this helpdesk; else that of all.")] = None,
) -> None:
    """Let go what was held; it is sent within two minutes."""

    async def work(connection: Connection) -> None:
        if not await brakes.release(connection, await helpdesk_id_of(connection, helpdesk)):
            sentence = _("There is no hold of %(helpdesk)s; notifications held shows those that there are.")
            raise BadValue(sentence % _of(helpdesk))
        done(_("The mail of %(helpdesk)s is let go.") % _of(helpdesk))

    with_database(work)


def _of(helpdesk: str | None) -> dict[str, str]:
    return {"helpdesk": helpdesk or _("all")}


def held(*, as_json: Json = False) -> None:
    """List what is held, since when, and how many mails wait; `list --state planned` names them."""

    async def work(connection: Connection) -> None:
        show_rows(_("holds"), [asdict(one) for one in await recorded.held(connection)], as_json=as_json)

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
        raise BadValue(_("Name mails by id, or say --all; `notifications list --state planned` shows them."))

    async def work(connection: Connection) -> None:
        helpdesk_id = await helpdesk_id_of(connection, helpdesk)
        count = await brakes.discard(connection, helpdesk_id, None if everything else ids, reason)
        sentence = ngettext("%(count)s mail discarded.", "%(count)s mails discarded.", count)
        done(sentence % {"count": number(count)} if count else _("No such mail is held; nothing was changed."))

    with_database(work)


def resend(
    ids: Annotated[list[UUID], typer.Argument(help="The mails, by their id in `notifications list`.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Send without a question.")] = False,
) -> None:
    """Send mails out once more that were sent, failed for good, or were discarded.

    Each goes to the address that its recipient has now, written anew; what became of the earlier one stays on record.
    Of one that was resent already, name the newest.
    """

    async def work(pool: Pool) -> None:
        for each in ids:
            async with transaction(pool) as acquired:
                found = await repairs.candidate(acquired, each)
            if found is None:
                raise BadValue(_("There is no mail out %(id)s.") % {"id": each})
            told = {"recipient": one_line(f"{found.name} <{found.recipient}>"), "ticket": found.ticket, "id": each}
            if found.barred is not None or found.recipient is None:
                raise BadValue(_("Mail %(id)s is not sent again: %(why)s") % {**told, "why": _why(found)})
            if not yes:
                _ask(found, told)
            async with transaction(pool) as acquired:
                if not await repairs.resend(acquired, each, found.recipient):
                    raise BadValue(_("Mail %(id)s has changed meanwhile: look at it again.") % told)
            done(_("The mail of ticket %(ticket)s to %(recipient)s is sent again.") % told)

    with_pool(work)


def _why(found: Candidate) -> str:
    return _(_BARRED[found.barred]) if isinstance(found.barred, Bar) else of_mail_out(found.barred)


def _ask(found: Candidate, told: dict[str, object]) -> None:
    sentence = _("«%(subject)s» goes once more to %(recipient)s, about ticket %(ticket)s.") % {
        **told,
        "subject": one_line(found.subject or found.kind),
    }
    if not sys.stdin.isatty():
        raise BadValue(" ".join([sentence, _("Say --yes to send it without a question.")]))
    typer.confirm(" ".join([sentence, _("Go on?")]), abort=True)


def _group() -> typer.Typer:
    made = typer.Typer(
        help="The mails to manager, executor and customer that wait, and how to send them now.", no_args_is_help=True
    )
    made.command("list")(show_list)
    made.command("send-now")(send_now)
    made.command("resend")(resend)
    made.command("hold")(hold)
    made.command("held")(held)
    made.command("release")(release)
    made.command("discard")(discard)
    return made


COMMANDS: Final = {"notifications": _group()}
