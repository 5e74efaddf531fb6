"""`installation`: whether mailboxes are read and mail is sent from this database, and a person's word that they are."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Final
from urllib.parse import quote

import typer

from services.console.commands.signatures import group
from services.console.database import ConsoleConfiguration
from services.console.fields import BadValue, Moment
from services.console.layout import wrapped
from services.console.output import Json, done, moment, number, show_json, terminal_width
from services.console.repairs import installation
from services.console.repairs.installation import BroughtBack, Consequences, MailsWaiting
from services.console.session import with_database
from services.console.texts import _, ngettext, texts
from shared.broker import administration
from shared.broker.topology import topology
from shared.configuration import BrokerAdministration
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
        _show([*_said(standing), *_follows(follows, would=standing.is_held)])

    with_database(work)


def confirm(
    *,
    discard_waiting: Annotated[
        bool, typer.Option("--discard-waiting", help="Never send the mails that wait; they stay listed as not sent.")
    ] = False,
    without_mails: Annotated[
        bool, typer.Option("--without-mails", help="Mail that is read again after a restore causes no mails (M2–M4).")
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
            _show([*_said(standing), *_follows(follows, would=True)])
            typer.echo(_("Nothing was confirmed: say --yes."), err=True)
            return
        discarded = await installation.confirm(connection, presents, discard=discard_waiting, silent=without_mails)
        thrown_away = ngettext("%(count)s mail discarded.", "%(count)s mails discarded.", discarded)
        sentences = [_("Confirmed."), *([thrown_away % {"count": number(discarded)}] if discard_waiting else [])]
        done(" ".join(sentences))

    with_database(work)


def restored(
    *,
    to: Annotated[str, typer.Option(metavar=Moment.metavar, help="The moment that the database was brought back to.")],
    last_number: Annotated[
        int | None,
        typer.Option(min=1, help="The highest ticket number given since, where it is known; else it is judged."),
    ] = None,
) -> None:
    """Prepare a database that was brought back to an earlier moment: say it while no service runs, before they start.

    Ticket numbers that were given since are not given again: the next one lies beyond --last-number, or a thousand and
    four busy days' numbers for each day that was lost. Mail that was imported since is imported again, read or not.
    RabbitMQ's queues are emptied: what they held is in the database, or still in its mailbox. No mailbox is read and
    no mail is sent until installation confirm.

    Reads IMPORTER_RABBITMQ_MANAGEMENT_URL, IMPORTER_AMQP_URL and the secret amqp_password_admin besides.
    """
    try:
        moment_of_restore = Moment().parse(to)
    except BadValue as error:
        raise BadValue(f"--to: {error}.") from None
    broker = BrokerAdministration.load()

    async def work(connection: Connection) -> BroughtBack:
        return await installation.brought_back(connection, moment_of_restore, last_number)

    prepared = with_database(work)
    asyncio.run(_empty_queues(broker))
    sentence = _(
        "The next ticket is %(ticket)s. %(mailboxes)s will be read again, %(mails)s published again. Start the "
        "services, see installation show, and then installation confirm."
    )
    mails = ngettext("%(count)s mail", "%(count)s mails", prepared.mails) % {"count": number(prepared.mails)}
    done(sentence % {"ticket": prepared.next_number, "mailboxes": _mailboxes(prepared.mailboxes), "mails": mails})


async def _empty_queues(configuration: BrokerAdministration) -> None:
    vhost = administration.vhost_of(configuration.amqp_url)
    async with administration.management(configuration.management_dsn, vhost) as broker:
        for queue in topology().queues:
            await broker.send("DELETE", f"queues/{broker.vhost}/{quote(queue, safe='')}/contents")


def _show(sentences: Sequence[str]) -> None:
    for sentence in sentences:
        for line in wrapped(sentence, terminal_width()):
            typer.echo(line)


def _said(standing: InstallationStanding) -> list[str]:
    if standing.is_held:
        said = [why_not_confirmed(standing)[texts().language == "nl"]]
        if standing.since:
            said.append(_("Services are kept from their work since %(since)s.") % {"since": moment(standing.since)})
        return [" ".join(said)]
    if standing.confirmed_at is None:
        return [_("No fetcher or notifier was started on this database yet: the first one confirms it.")]
    since = {"since": moment(standing.confirmed_at)}
    return [_("This database is confirmed for this installation since %(since)s.") % since]


def _follows(follows: Consequences, *, would: bool) -> list[str]:
    names = ", ".join(one_line(name) for name in follows.mailboxes[:NAMED])
    more = ", …" if len(follows.mailboxes) > NAMED else ""
    named = f": {names}{more}" if names else ""
    read = _("%(mailboxes)s would be read%(named)s.") if would else _("%(mailboxes)s are read%(named)s.")
    lines = [read % {"mailboxes": _mailboxes(len(follows.mailboxes)), "named": named}]
    if follows.read_again and follows.read_again_from is not None:
        again = _(
            "Mail that arrived since %(since)s and is not known here is imported again, in %(mailboxes)s, and "
            "answered again unless you say --without-mails."
        )
        told = {"since": moment(follows.read_again_from), "mailboxes": _mailboxes(follows.read_again)}
        lines.append(again % told)
    lines += [_waits(waiting, would=would) for waiting in follows.mails]
    return lines if follows.mails else [*lines, _("No mail waits to be sent.")]


def _mailboxes(count: int) -> str:
    return ngettext("%(count)s mailbox", "%(count)s mailboxes", count) % {"count": number(count)}


def _waits(waiting: MailsWaiting, *, would: bool) -> str:
    if waiting.held:
        sentence = ngettext(
            "%(count)s mail of %(helpdesk)s, decided since %(since)s, stays held (notifications held).",
            "%(count)s mails of %(helpdesk)s, decided since %(since)s, stay held (notifications held).",
            waiting.mails,
        )
    elif would:
        sentence = ngettext(
            "%(count)s mail of %(helpdesk)s, decided since %(since)s, would be sent.",
            "%(count)s mails of %(helpdesk)s, decided since %(since)s, would be sent.",
            waiting.mails,
        )
    else:
        sentence = ngettext(
            "%(count)s mail of %(helpdesk)s, decided since %(since)s, is sent.",
            "%(count)s mails of %(helpdesk)s, decided since %(since)s, are sent.",
            waiting.mails,
        )
    told = {"count": number(waiting.mails), "helpdesk": one_line(waiting.helpdesk), "since": moment(waiting.since)}
    return sentence % told


COMMANDS: Final = {
    "installation": group(
        "installation",
        "Whether this database may be worked from: a copy reads no mailbox and mails nobody until it is confirmed.",
        {"show": show, "confirm": confirm, "restored": restored},
    ),
}
