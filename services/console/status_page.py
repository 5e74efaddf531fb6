"""How `helpdesk-importer status` shows a standing on a terminal: lines no wider than it, names never broken.

In the language of the process.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from services.console.needs_in_dutch import in_dutch
from services.console.output import number
from services.console.texts import N_, _, ngettext, texts
from shared.one_line import one_line
from shared.standing.broker import BrokerStanding
from shared.standing.importing import Import
from shared.standing.needs import Need, Standing, needs
from shared.standing.recorded import Held, MailboxProgress, Recorded
from shared.standing.work import Work, duration, rate

_GAP: Final = 2
_LEAST_NAME: Final = 20
_IN_WORDS: Final = (
    N_("login-refused"),
    N_("login-expired"),
    N_("secret-unreadable"),
    N_("mailbox-missing"),
    N_("access-denied"),
    N_("switched-off"),
    N_("not-secure"),
    N_("throttled"),
    N_("unreachable"),
    N_("mail-unreadable"),
    N_("after-import"),
    N_("backlog-waits"),
    N_("paused"),
    N_("our-outage"),
    N_("our-error"),
    N_("ticket"),
    N_("supplement"),
    N_("duplicate"),
    N_("quarantine"),
    N_("planned"),
    N_("sent"),
    N_("not-sent"),
    N_("failed"),
)
"""Kinds of a mailbox's problem, outcomes, and states of mails out: ids that are words in English."""


def status_page(standing: Standing, width: int) -> list[str]:
    """What needs a person first, then what there is to see, of the servers that answer."""
    lines = list(_needs(standing, width))
    if standing.database is not None:
        lines += ["", *_mailboxes(standing.database, width)]
    if standing.broker is not None:
        lines += ["", *_queues(standing.broker, width)]
    if standing.database is not None:
        lines += ["", *_counts(standing.database, width)]
    return lines


def _needs(standing: Standing, width: int) -> Iterator[str]:
    sentences = [said(need) for need in needs(standing)]
    moment = f"{standing.at.astimezone():%Y-%m-%d %H:%M:%S %Z}"
    if not sentences:
        yield _("Nothing needs a person. (%(moment)s)") % {"moment": moment}
        return
    told = ngettext(
        "Needs a person: %(count)s thing. (%(moment)s)",
        "Needs a person: %(count)s things. (%(moment)s)",
        len(sentences),
    )
    yield told % {"count": number(len(sentences)), "moment": moment}
    for sentence in sentences:
        yield from _wrapped(f"- {one_line(sentence)}", width, "  ")


def said(need: Need) -> str:
    """What needs a person, in the language of the process."""
    return in_dutch(need) if texts().language == "nl" else need.english


def _wrapped(text: str, width: int, indent: str) -> list[str]:
    return textwrap.wrap(
        text, max(width, 2), subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    ) or [""]


def _mailboxes(database: Recorded, width: int) -> Iterator[str]:
    if not database.mailboxes:
        yield _("There are no mailboxes yet: helpdesk-importer importer set.")
        return
    rows = [
        (one_line(mailbox.helpdesk), _moment(mailbox.last_successful_check_at, database.at), _state(mailbox, database))
        for mailbox in database.mailboxes
    ]
    yield from _table((_("Mailbox"), _("Last good check"), _("State")), rows, width)


def _state(mailbox: MailboxProgress, database: Recorded) -> str:
    if not mailbox.enabled:
        return _("off")
    if mailbox.paused_since is not None:
        return _("paused since %(since)s") % {"since": _moment(mailbox.paused_since, database.at)}
    if mailbox.problem_kind is not None:
        return _("%(problem)s since %(since)s") % {
            "problem": _(mailbox.problem_kind),
            "since": _moment(mailbox.problem_since, database.at),
        }
    if mailbox.is_late:
        return _("nobody checks it")
    going_on = next((each for each in database.imports if each.helpdesk == mailbox.helpdesk), None)
    if going_on is None:
        return _("well") if mailbox.last_check_at is not None else _("not checked yet")
    first = _("first import") if going_on.taken_in else _("first check")
    return first if going_on.first else _("importing")


def _queues(broker: BrokerStanding, width: int) -> Iterator[str]:
    rows = [
        (
            queue.queue,
            *map(str, (queue.ready, queue.in_hand, queue.waiting, queue.suspect, queue.dead, queue.consumers)),
        )
        for queue in broker.queues
    ]
    yield from _table(
        (_("Queue"), _("Ready"), _("In hand"), _("Waiting"), _("Suspect"), _("Dead"), _("Readers")), rows, width
    )


def _counts(database: Recorded, width: int) -> Iterator[str]:
    numbers, unfinished = database.ticket_numbers, database.unfinished
    facts = [
        (_("Last 24 hours"), _counted(database.outcomes.of_a_day)),
        (_("Without an outcome"), number(unfinished.without_outcome)),
        *((_("Import"), _import(each, database.at)) for each in database.imports if each.taken_in),
        *([(_("Import"), work_in_words(database.work))] if database.work is not None else []),
        (_("Mails out"), _counted(database.notifications)),
        *((_("Held"), _held(hold, database.at)) for hold in database.held),
        (_("Dead letters"), number(unfinished.dead_letters)),
        (_("Newest ticket"), numbers.newest_number or _("none")),
        (_("Threads would save"), _by_name(database.tickets_that_threads_would_have_saved)),
        (_("Schema"), database.schema_revision),
    ]
    label = max(len(name) for name, _ in facts) + _GAP
    for name, value in facts:
        yield from _wrapped(f"{name:<{label}}{value}", width, " " * label)


def _import(going_on: Import, now: datetime) -> str:
    """`ICT: 1,240 of 2,000, 4/s, 3 min, since 14:02:10; it is at mail that arrived 2024-03-14 09:12; …`."""
    if going_on.total is not None:
        return _of_total(going_on, going_on.total, now)
    return ngettext(
        "%(helpdesk)s: %(count)s mail since %(since)s, %(rate)s; it is at mail that arrived %(reached)s; %(undecided)s "
        "have no outcome yet",
        "%(helpdesk)s: %(count)s mails since %(since)s, %(rate)s; it is at mail that arrived %(reached)s; "
        "%(undecided)s have no outcome yet",
        going_on.taken_in,
    ) % {
        "helpdesk": one_line(going_on.helpdesk),
        "count": number(going_on.taken_in),
        "since": _moment(going_on.since, now),
        "rate": rate(going_on.per_second) if going_on.per_second else _("nothing moves"),
        "reached": _moment(going_on.reached, now),
        "undecided": number(going_on.taken_in - going_on.decided),
    }


def _of_total(going_on: Import, total: int, now: datetime) -> str:
    sentence = _(
        "%(helpdesk)s: %(far)s, since %(since)s; it is at mail that arrived %(reached)s; "
        "%(undecided)s have no outcome yet"
    )
    return sentence % {
        "helpdesk": one_line(going_on.helpdesk),
        "far": work_in_words(Work(going_on.taken_in, total, going_on.per_second or 0.0, going_on.left)),
        "since": _moment(going_on.since, now),
        "reached": _moment(going_on.reached, now),
        "undecided": number(going_on.taken_in - going_on.decided),
    }


def work_in_words(work: Work) -> str:
    """`1,240 of 2,000, 4/s, 3 min`."""
    far = _("%(done)s of %(total)s") % {"done": number(work.done), "total": number(work.total)}
    if work.left is None:
        return f"{far}, " + _("nothing moves")
    return f"{far}, {rate(work.per_second)}, {duration(work.left)}"


def _held(hold: Held, now: datetime) -> str:
    return ngettext(
        "%(count)s mail of %(helpdesk)s since %(since)s", "%(count)s mails of %(helpdesk)s since %(since)s", hold.mails
    ) % {
        "count": number(hold.mails),
        "helpdesk": one_line(hold.helpdesk or _("all")),
        "since": _moment(hold.held_since, now),
    }


def _counted(of_ids: Mapping[str, int]) -> str:
    return _by_name({_(name): count for name, count in of_ids.items()})


def _by_name(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number(count)} {one_line(name)}" for name, count in sorted(counts.items())) or _("none")


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> Iterator[str]:
    """Columns as wide as what is in them; a first one for which the line is too short stands on a line of its own."""
    widths = [max(len(row[at]) for row in (titles, *rows)) for at in range(len(titles))]
    others = sum(widths[1:]) + _GAP * (len(titles) - 1)
    first = max(min(widths[0], width - others), min(widths[0], _LEAST_NAME))
    for row in (titles, *rows):
        cells = [f"{cell:<{size}}" for cell, size in zip(row[1:], widths[1:], strict=True)]
        if len(row[0]) > first:
            yield from _wrapped(row[0], width, "")
            yield (" " * (first + _GAP) + (" " * _GAP).join(cells)).rstrip()
        else:
            yield (" " * _GAP).join([f"{row[0]:<{first}}", *cells]).rstrip()


def _moment(moment: datetime | None, now: datetime) -> str:
    """Local time, with the date when it is not today's."""
    if moment is None:
        return _("never")
    local = moment.astimezone()
    return f"{local:%H:%M:%S}" if local.date() == now.astimezone().date() else f"{local:%Y-%m-%d %H:%M}"
