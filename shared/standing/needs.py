"""What of a standing needs a person: a sentence for each cause, in English and Dutch, with what to do. Pure.

One cause is one need, however many mailboxes, mails or helpdesks it hits: a server that does not answer is one, not one
for each of its mailboxes. `cause` and `key` together stay the same as long as it lasts, so that who tells people of it
tells them once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from shared.counted import many
from shared.logins import ANNOUNCED, ending
from shared.one_line import one_line
from shared.portal.delivery import DELIVERY, DeliveryReason
from shared.portal.english import DELIVERY as IN_ENGLISH
from shared.sentences import followed
from shared.standing.broker import BrokerAlarm, BrokerStanding
from shared.standing.certificates import ServerCertificate
from shared.standing.problems import problem_in_english
from shared.standing.recorded import (
    Flood,
    InstallationStanding,
    LoginProgress,
    MailboxProgress,
    Recorded,
    TicketNumbers,
    Unconfirmed,
    Undecided,
)
from shared.standing.schema import NOTHING_MISSING, SchemaStanding

NEEDS_A_PERSON: Final = (
    DeliveryReason.NO_ACCOUNT,
    DeliveryReason.LOGIN_REFUSED,
    DeliveryReason.NOT_ALLOWED,
    DeliveryReason.NOT_SECURE,
    DeliveryReason.OUR_ERROR,
    DeliveryReason.REFUSED,
    DeliveryReason.GAVE_UP,
)
"""What no further try cures. An address that a server does not know is a matter for its ticket, not for us."""

LOGIN_PROBLEMS: Final = frozenset({"login-refused", "login-expired"})
"""Kinds of a mailbox's problem that are its login's."""
BACKLOG_WAITS: Final = "backlog-waits"
SHARED_PROBLEMS: Final = frozenset(
    {"unreachable", "throttled", "not-secure", "our-outage", "our-error", "secret-unreadable"}
)
"""Kinds whose cause is the server's or ours, so that all mailboxes on one server have it together."""
DIFFERS: Final[Mapping[str, tuple[str, str]]] = {
    "server": ("another PostgreSQL cluster", "een andere PostgreSQL-server"),
    "database": ("another database in it", "een andere database daarin"),
    "key": ("another secret installation_id", "een ander geheim installation_id"),
    "restored": ("brought back", "teruggezet"),
}
"""What tells a copy from what was confirmed, in English and Dutch."""
NAMED: Final = 3
"""So many are named in a sentence."""
_GIB: Final = 1024**3


class Cause(StrEnum):
    """Why something needs a person: what needs are grouped by, in metrics and alarms."""

    DATABASE = "database"
    SCHEMA = "schema"
    INSTALLATION = "installation"
    BROKER = "broker"
    BROKER_ALARM = "broker-alarm"
    CERTIFICATE_ENDS = "certificate-ends"
    NOT_READ = "queue-not-read"
    NOT_CHECKED = "mailboxes-not-checked"
    SUSPECTS = "suspects"
    MAILBOX = "mailbox"
    LOGIN_REFUSED = "login-refused"
    LOGIN_ENDS = "login-ends"
    TICKET_NUMBERS = "ticket-numbers"
    DEAD_LETTERS = "dead-letters"
    OVERDUE = "mails-without-outcome"
    NOT_SENT = "not-sent"
    SERVER_AWAY = "mail-server-away"
    UNCONFIRMED = "unknown-senders"
    FLOOD = "flooding-senders"
    QUARANTINE = "quarantine"
    REVIEW = "review"
    BACKLOG = "old-mail"
    DIFFERENCES = "differences"


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that needs a person; `helpdesks` are those concerned, none when it is the whole installation."""

    cause: Cause
    english: str
    dutch: str
    """May hold a sentence that was made in English, as one of its values."""
    key: str = ""
    helpdesks: tuple[str, ...] = ()
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What could be seen `at` a moment; where a server could not be asked, its trouble says why.

    A database that could be read and takes nothing has a trouble too.
    """

    at: datetime
    database: Recorded | None
    broker: BrokerStanding | None
    database_trouble: str = ""
    broker_trouble: str = ""
    certificates: tuple[ServerCertificate, ...] = ()
    """Those that PostgreSQL and RabbitMQ show, where the way to them is TLS."""
    schema: SchemaStanding = NOTHING_MISSING


def needs(standing: Standing) -> Iterator[Need]:
    """Each thing that needs a person: a database that is not confirmed, the servers, the rest."""
    if standing.database is not None and standing.database.installation.is_held:
        yield _not_confirmed(standing.database.installation)
    yield from of_database_server(standing)
    yield from _schema(standing.schema)
    yield from of_broker(standing)
    yield from _certificates(standing)
    if standing.database is not None:
        yield from _of_database(standing.database, is_away=bool(standing.database_trouble))
    yield from _parked(standing)


def of_database_server(standing: Standing) -> Iterator[Need]:
    """What keeps PostgreSQL from working for us."""
    if standing.database_trouble:
        yield Need(
            Cause.DATABASE,
            f"PostgreSQL: {standing.database_trouble} Until that is over mail waits, in or out; none is lost.",
            followed(
                followed("PostgreSQL:", standing.database_trouble),
                "Tot dat voorbij is wacht mail, in en uit; er gaat niets verloren.",
            ),
        )


def _schema(schema: SchemaStanding) -> Iterator[Need]:
    if schema.rights:
        rights = len(schema.rights)
        yield Need(
            Cause.SCHEMA,
            f"Our roles lack {many(rights, 'right')} in the database ({_some(schema.rights)}): what needs them waits. "
            "helpdesk-importer doctor --sql prints what gives them back.",
            f"Onze rollen missen {rights} recht(en) in de database ({_some(schema.rights)}): wat ze nodig heeft wacht. "
            "«helpdesk-importer doctor --sql» toont wat ze teruggeeft.",
            "rights",
        )
    if schema.guards:
        first, more = schema.guards[0], len(schema.guards) - 1
        yield Need(
            Cause.SCHEMA,
            f"What keeps mail from being doubled or forgotten was changed in the database. {first}"
            + (f" And {more} more: helpdesk-importer doctor." if more else ""),
            followed(
                followed("In de database is veranderd wat mail voor verdubbeling of vergeten behoedt.", first),
                f"En nog {more}: «helpdesk-importer doctor»." if more else "",
            ),
            "guards",
        )


def _not_confirmed(installation: InstallationStanding) -> Need:
    english, dutch = why_not_confirmed(installation)
    return Need(
        Cause.INSTALLATION,
        f"{english} No mailbox is read and no mail is sent. helpdesk-importer installation show says what would "
        "happen, installation confirm has it happen.",
        f"{dutch} Er wordt geen postvak gelezen en geen mail verstuurd. «helpdesk-importer installation show» zegt wat "
        "er zou gebeuren, «installation confirm» laat het gebeuren.",
        since=installation.since,
    )


def why_not_confirmed(installation: InstallationStanding) -> tuple[str, str]:
    """What differs from what was confirmed, as a sentence in English and in Dutch."""
    if installation.restored_to is not None:
        english, dutch = (
            f"{installation.restored_to.astimezone():{form}}" for form in ("%Y-%m-%d %H:%M", "%d-%m-%Y %H:%M")
        )
        return (
            f"This database was brought back to {english} and nobody has confirmed it yet.",
            f"Deze database is teruggezet naar {dutch} en dat heeft nog niemand bevestigd.",
        )
    english, dutch = (", ".join(DIFFERS[what][of] for what in installation.differs) for of in (0, 1))
    return (
        f"This database was confirmed for another installation: it is a copy, or the server is another ({english}).",
        f"Deze database hoort bij een andere installatie: het is een kopie, of de server is een andere ({dutch}).",
    )


def _certificates(standing: Standing) -> Iterator[Need]:
    for shown in standing.certificates:
        if shown.ends_at - standing.at <= ANNOUNCED:
            day, dag = f"{shown.ends_at.astimezone():%Y-%m-%d}", f"{shown.ends_at.astimezone():%d-%m-%Y}"
            yield Need(
                Cause.CERTIFICATE_ENDS,
                f"The certificate of {shown.server} ends on {day}, and then nothing connects to it: renew it (in "
                "containers: make up RUNTIME=docker) and start the server again.",
                f"Het certificaat van {shown.server} verloopt op {dag}, en dan verbindt niets meer: vernieuw het "
                "(in containers: make up RUNTIME=docker) en start de server opnieuw.",
                shown.server,
            )


def of_broker(standing: Standing) -> Iterator[Need]:
    """What of RabbitMQ needs a person."""
    if standing.broker is None:
        if standing.broker_trouble:
            yield Need(
                Cause.BROKER,
                f"{standing.broker_trouble} While RabbitMQ itself does not run, new mail stays unread in its mailbox.",
                followed(
                    standing.broker_trouble,
                    "Zolang RabbitMQ zelf niet draait, blijft nieuwe mail ongelezen in het postvak.",
                ),
            )
        return
    for node in standing.broker.nodes_down:
        yield Need(
            Cause.BROKER,
            f"RabbitMQ's node {node} does not run: start it, before a second one stops.",
            f"De RabbitMQ-node {node} draait niet: start hem, voordat een tweede uitvalt.",
            node,
        )
    for alarm in standing.broker.alarms:
        yield _alarm(alarm)
    missing = standing.broker.missing
    if missing:
        yield Need(
            Cause.NOT_READ,
            f"RabbitMQ has lost {many(len(missing), 'queue')} of ours ({_some(missing)}): helpdesk-importer "
            "deploy-topology makes them again. What they held comes again by itself within the hour, and none is lost.",
            f"RabbitMQ is {len(missing)} van onze wachtrijen kwijt ({_some(missing)}): helpdesk-importer "
            "deploy-topology maakt ze opnieuw. Wat erin zat komt binnen het uur vanzelf terug; niets gaat verloren.",
            "missing",
        )
    for queue in standing.broker.queues:
        # without all queues services stop reading the others, and without a database all of them
        if not (queue.consumers or missing or standing.database_trouble):
            yield Need(
                Cause.NOT_READ,
                f"Nobody reads the queue {queue.queue}: {queue.reader} does not run, or a server refuses its login: "
                "its /health/ready says which.",
                f"Niemand leest de wachtrij {queue.queue}: {queue.reader} draait niet, of een server weigert zijn "
                "aanmelding: zijn /health/ready zegt welke van beide.",
                queue.queue,
            )
        if queue.suspect:
            messages = many(queue.suspect, "message")
            yield Need(
                Cause.SUSPECTS,
                f"{messages} of {queue.queue} may have crashed {queue.reader}, or take it long, and are tried one at a "
                "time: see its log; what cannot be handled goes on as unreadable, or to dead-letters.",
                f"{queue.suspect} bericht(en) van {queue.queue} hebben {queue.reader} misschien laten crashen of duren "
                "lang, en worden één voor één geprobeerd: zie zijn log.",
                queue.queue,
            )


def _alarm(alarm: BrokerAlarm) -> Need:
    has, limit = f"{alarm.has / _GIB:.1f} GiB", f"{alarm.limit / _GIB:.1f} GiB"
    if alarm.what == "disk":
        english = f"its disk has {has} left, the limit is {limit}: make room on it"
        dutch = f"op zijn schijf is {has} vrij, de grens is {limit}: maak daar ruimte"
    else:
        english = f"it uses {has} of memory, the limit is {limit}: see which queue grows, and why nobody empties it"
        dutch = f"het gebruikt {has} geheugen, de grens is {limit}: kijk welke wachtrij groeit, en waarom"
    return Need(
        Cause.BROKER_ALARM,
        f"RabbitMQ takes no messages ({alarm.what} alarm of {alarm.node}): {english}. New mail stays unread.",
        f"RabbitMQ neemt geen berichten aan ({alarm.what}-alarm van {alarm.node}): {dutch}. Nieuwe mail blijft tot dan "
        "ongelezen.",
        f"{alarm.what} {alarm.node}",
    )


def _of_database(database: Recorded, *, is_away: bool) -> Iterator[Need]:
    if not (database.installation.is_held or is_away):  # of which late mailboxes are but the effect
        yield from _late(database.mailboxes)
    yield from _mailboxes(database)
    yield from _logins(database)
    yield from number_needs(database.ticket_numbers)
    yield from _differences(database)
    yield from _floods(database.floods, database.at)
    for helpdesk in database.undecided:
        yield from _undecided(helpdesk)
        yield from _overdue(helpdesk)
    for server in database.servers_away:
        since = _clock(server.since, database.at)
        yield Need(
            Cause.SERVER_AWAY,
            f"{many(server.count, 'mail waits', 'mails wait')} for {server.server} since {since}: it does not answer. "
            "See whether it runs and can be reached; the mails go by themselves, or with notifications send-now.",
            f"{server.count} mail(s) wachten sinds {since} op {server.server}, dat niet antwoordt. Kijk of de server "
            "draait en bereikbaar is; de mails gaan daarna vanzelf.",
            server.server,
            server.helpdesks,
            server.since,
        )
    for cause in database.undelivered:
        reason = DeliveryReason(cause.reason)
        explained, uitgelegd = (f"{of[reason].sentence} {of[reason].remedy}".rstrip() for of in (IN_ENGLISH, DELIVERY))
        yield Need(
            Cause.NOT_SENT,
            f"{many(cause.count, 'mail')} of {cause.helpdesk} not sent: {explained}",
            f"{cause.count} mail(s) van {cause.helpdesk} niet verstuurd: {uitgelegd}",
            f"{cause.reason} {cause.helpdesk}",
            (cause.helpdesk,),
            cause.since,
        )
    yield from _unconfirmed(database.unconfirmed)


def beside_the_work_lists(
    at: datetime,
    mailboxes: Iterable[MailboxProgress],
    undecided: Iterable[Undecided],
    floods: Iterable[Flood],
    unconfirmed: Iterable[Unconfirmed],
) -> Iterator[Need]:
    """What of some helpdesks needs a person and is in no work list of his: what nobody checks, and what is held up."""
    yield from _late(mailboxes)
    yield from _floods(floods, at)
    for helpdesk in undecided:
        yield from _overdue(helpdesk)
    yield from _unconfirmed(unconfirmed)


def _unconfirmed(floods: Iterable[Unconfirmed]) -> Iterator[Need]:
    for flood in floods:
        since = f"{flood.since.astimezone():%Y-%m-%d %H:%M}"
        yield Need(
            Cause.UNCONFIRMED,
            f"{many(flood.count, 'unknown sender')} got no confirmation from {flood.helpdesk} since {since}: it sends "
            f"{flood.per_hour} an hour at most. Forged mail is for the mail server to stop; for real senders: "
            "helpdesks set, --unknown-senders-per-hour.",
            f"{flood.count} onbekende afzender(s) kregen sinds {since} geen bevestiging van {flood.helpdesk}: die "
            f"stuurt er hoogstens {flood.per_hour} per uur. Vervalste mail moet de mailserver tegenhouden.",
            flood.helpdesk,
            (flood.helpdesk,),
            flood.since,
        )


def _floods(floods: Iterable[Flood], at: datetime) -> Iterator[Need]:
    for flood in floods:
        others = flood.senders - 1
        until = _clock(flood.until, at)
        yield Need(
            Cause.FLOOD,
            f"{many(flood.count, 'mail')} of {one_line(flood.sender)}{f' and {others} more' if others else ''} to "
            f"{flood.helpdesk} wait their turn, the last until {until}: more than {flood.per_hour} an hour of one "
            "sender came. mails release lets them go on at once, senders block has them set aside.",
            f"{flood.count} mail(s) van {one_line(flood.sender)}{f' en {others} anderen' if others else ''} aan "
            f"{flood.helpdesk} wachten op hun beurt, de laatste tot {until}: van één afzender kwamen er meer dan "
            f"{flood.per_hour} per uur.",
            flood.helpdesk,
            (flood.helpdesk,),
            flood.since,
        )


def _differences(database: Recorded) -> Iterator[Need]:
    compared = database.compared
    if compared is not None and compared.left:
        since = _clock(compared.at, database.at)
        yield Need(
            Cause.DIFFERENCES,
            f"{many(compared.left, 'difference')} between mailboxes, ledger, tickets, notifications, queues and stored "
            f"bytes, as of {since}: helpdesk-importer reconcile tells each and what to do.",
            f"{compared.left} verschil(len) tussen postvakken, administratie, tickets, meldingen, wachtrijen en "
            f"opgeslagen bytes, per {since}: helpdesk-importer reconcile noemt ze, met wat te doen.",
            since=compared.at,
        )


def _undecided(of: Undecided) -> Iterator[Need]:
    place, helpdesks = of.helpdesk, (of.helpdesk,)
    if of.quarantined:
        yield Need(
            Cause.QUARANTINE,
            f"{many(of.quarantined, 'mail')} of {place} in quarantine, undecided: helpdesk-importer quarantine list "
            "shows why; replay or discard each.",
            f"{of.quarantined} mail(s) van {place} in quarantaine, zonder beslissing: bied ze weer aan of gooi ze weg.",
            place,
            helpdesks,
            of.quarantined_since,
        )
    if of.to_review:
        yield Need(
            Cause.REVIEW,
            f"{many(of.to_review, 'ticket or supplement', 'tickets and supplements')} of {place} to be reviewed: "
            "helpdesk-importer review list.",
            f"{of.to_review} ticket(s) en aanvulling(en) van {place} te beoordelen.",
            place,
            helpdesks,
            of.to_review_since,
        )


def _overdue(of: Undecided) -> Iterator[Need]:
    place, helpdesks = of.helpdesk, (of.helpdesk,)
    if of.overdue and of.overdue_since is not None:
        yield Need(
            Cause.OVERDUE,
            f"{many(of.overdue, 'mail')} of {place} without an outcome since "
            f"{of.overdue_since.astimezone():%Y-%m-%d %H:%M}: see that all services run, and what doctor finds; "
            "mails list --waiting names them.",
            f"{of.overdue} mail(s) van {place} zonder uitkomst sinds {of.overdue_since.astimezone():%Y-%m-%d %H:%M}: "
            "kijk of alle diensten draaien, en wat «helpdesk-importer doctor» vindt.",
            place,
            helpdesks,
            of.overdue_since,
        )


def _parked(standing: Standing) -> Iterator[Need]:
    recorded = standing.database.unfinished.dead_letters if standing.database else 0
    parked = max(recorded, sum(queue.dead for queue in standing.broker.queues) if standing.broker else 0)
    if parked:
        yield Need(
            Cause.DEAD_LETTERS,
            f"{many(parked, 'mail')} could not be handled: helpdesk-importer dead-letters list.",
            f"{parked} mail(s) konden niet worden verwerkt: helpdesk-importer dead-letters list.",
        )


def _late(mailboxes: Iterable[MailboxProgress]) -> Iterator[Need]:
    late = [mailbox for mailbox in mailboxes if mailbox.enabled and mailbox.is_late]
    if late:
        named = _some([mailbox.helpdesk for mailbox in late])
        yield Need(
            Cause.NOT_CHECKED,
            f"Nobody checks {many(len(late), 'mailbox', 'mailboxes')} whose time has come ({named}): no fetcher "
            "runs, or too few for so many.",
            f"Niemand leest {len(late)} postvak(ken) die aan de beurt zijn ({named}): er draait geen fetcher, of te "
            "weinig voor zoveel.",
            helpdesks=tuple(mailbox.helpdesk for mailbox in late),
            since=min((mailbox.next_check_at for mailbox in late if mailbox.next_check_at is not None), default=None),
        )


def _mailboxes(database: Recorded) -> Iterator[Need]:
    told_once = {helpdesk for login in database.logins if _refused_for_several(login) for helpdesk in login.mailboxes}
    shared: dict[tuple[str, str], list[MailboxProgress]] = defaultdict(list)
    for mailbox in database.mailboxes:
        if not mailbox.enabled or mailbox.paused_since is not None:
            continue
        kind = mailbox.problem_kind or ""
        if mailbox.backlog_waiting and kind != BACKLOG_WAITS:
            yield _old_mail(mailbox)
        if mailbox.problem is None or (kind in LOGIN_PROBLEMS and mailbox.helpdesk in told_once):
            continue
        if kind in SHARED_PROBLEMS:
            shared[kind, mailbox.server or "Microsoft 365"].append(mailbox)
        else:
            yield _old_mail(mailbox) if kind == BACKLOG_WAITS else _mailbox(mailbox)
    for (kind, server), mailboxes in shared.items():
        yield _mailbox(mailboxes[0]) if len(mailboxes) == 1 else _several(kind, server, mailboxes)


def _mailbox(mailbox: MailboxProgress) -> Need:
    where = mailbox.server or "Microsoft 365" if mailbox.problem_kind in SHARED_PROBLEMS else mailbox.helpdesk
    return Need(
        Cause.MAILBOX,
        f"The mailbox of {mailbox.helpdesk}: {problem_in_english(mailbox.problem_kind, mailbox.problem)}",
        f"Het postvak van {mailbox.helpdesk}: {mailbox.problem}",
        f"{mailbox.problem_kind} {where}",
        (mailbox.helpdesk,),
        mailbox.problem_since,
    )


def _several(kind: str, server: str, mailboxes: Sequence[MailboxProgress]) -> Need:
    helpdesks = tuple(mailbox.helpdesk for mailbox in mailboxes)
    named = _some(helpdesks)
    return Need(
        Cause.MAILBOX,
        f"{len(mailboxes)} mailboxes at {server} ({named}): {problem_in_english(kind, mailboxes[0].problem)}",
        f"{len(mailboxes)} postvakken bij {server} ({named}): {mailboxes[0].problem}",
        f"{kind} {server}",
        helpdesks,
        min((mailbox.problem_since for mailbox in mailboxes if mailbox.problem_since is not None), default=None),
    )


def _old_mail(mailbox: MailboxProgress) -> Need:
    count = mailbox.backlog_waiting
    return Need(
        Cause.BACKLOG,
        f"{many(count, 'old mail waits', 'old mails wait')} for your choice at {mailbox.helpdesk}: helpdesk-importer "
        "backlog (import, import without mails, or mark read).",
        f"{count} oude mail(s) van {mailbox.helpdesk} wachten op een keuze: importeren, importeren zonder mails, of op "
        "gelezen zetten.",
        mailbox.helpdesk,
        (mailbox.helpdesk,),
        mailbox.problem_since,
    )


def _logins(database: Recorded) -> Iterator[Need]:
    for login in database.logins:
        users = [*(f"mailbox of {name}" for name in login.mailboxes), *(f"account {name}" for name in login.accounts)]
        gebruikers = [
            *(f"postvak van {name}" for name in login.mailboxes),
            *(f"account {name}" for name in login.accounts),
        ]
        if not users:
            continue
        who = f"The login {login.login} ({_some(users)})" if login.is_shared else f"The {users[0]}"
        wie = f"De login {login.login} ({_some(gebruikers)})" if login.is_shared else f"Het {gebruikers[0]}"
        if login.refused_since is not None and (login.is_shared or login.accounts):
            cure = "logins" if login.is_shared else "accounts"
            since = f"{login.refused_since.astimezone():%Y-%m-%d %H:%M}"
            yield Need(
                Cause.LOGIN_REFUSED,
                f"{who}: its login is refused since {since} ({login.problem}). It is seldom tried, so that it is not "
                f"locked: set it right with {cure} set, set-password or set-certificate.",
                f"{wie}: de login wordt sinds {since} geweigerd ({login.problem}). Hij wordt zelden geprobeerd, zodat "
                "hij niet op slot gaat: stel hem opnieuw in.",
                login.login,
                login.mailboxes,
                login.refused_since,
            )
        if sentence := ending(login.expires_at, database.at):
            yield Need(Cause.LOGIN_ENDS, f"{who}: {sentence}", f"{wie}: {sentence}", login.login, login.mailboxes)


def number_needs(numbers: TicketNumbers) -> Iterator[Need]:
    """What the pattern of ticket numbers does not find; `key` is newest, next or aliases."""
    cure = "set IMPORTER_TICKET_NUMBER_PATTERN so that it finds it, and start the classifier again."
    remedie = "zet IMPORTER_TICKET_NUMBER_PATTERN zo dat het wel wordt gevonden, en start de classifier opnieuw."
    if numbers.newest_is_found is False:
        yield Need(
            Cause.TICKET_NUMBERS,
            f"Answers to ticket {numbers.newest_number} become new tickets: the pattern of ticket numbers "
            f"({numbers.pattern}) does not find it; {cure}",
            f"Antwoorden op ticket {numbers.newest_number} worden nieuwe tickets: het patroon van ticketnummers "
            f"({numbers.pattern}) vindt het niet; {remedie}",
            "newest",
        )
    elif not numbers.next_is_found:
        yield Need(
            Cause.TICKET_NUMBERS,
            f"Answers to the next ticket, {numbers.next_number}, would become new tickets: the pattern of ticket "
            f"numbers ({numbers.pattern}) does not find it; {cure}",
            f"Antwoorden op het volgende ticket, {numbers.next_number}, zouden nieuwe tickets worden: het patroon van "
            f"ticketnummers ({numbers.pattern}) vindt het niet; {remedie}",
            "next",
        )
    if numbers.aliases_not_found:
        count = many(numbers.aliases_not_found, "old number", "old numbers")
        yield Need(
            Cause.TICKET_NUMBERS,
            f"{count} of tickets (such as {numbers.alias_not_found}) not found by the pattern of ticket numbers "
            f"({numbers.pattern}): {cure}",
            f"{numbers.aliases_not_found} oude ticketnummer(s) (zoals {numbers.alias_not_found}) vindt het patroon van "
            f"ticketnummers ({numbers.pattern}) niet: {remedie}",
            "aliases",
        )


def _refused_for_several(login: LoginProgress) -> bool:
    return login.is_shared and login.refused_since is not None


def _some(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" +{more}" if more > 0 else "")


def _clock(moment: datetime, now: datetime) -> str:
    """Local time; with the date when it is not today's."""
    local = moment.astimezone()
    return f"{local:%H:%M}" if local.date() == now.astimezone().date() else f"{local:%Y-%m-%d %H:%M}"


def by_cause(found: Iterable[Need]) -> dict[Cause, int]:
    """How many needs each cause has; every cause is there."""
    counts = dict.fromkeys(Cause, 0)
    for need in found:
        counts[need.cause] += 1
    return counts
