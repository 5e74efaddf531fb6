"""How `helpdesk-importer status` shows a standing on a terminal: lines no wider than it, names never broken. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from shared.counted import many
from shared.one_line import one_line
from shared.standing.broker import BrokerStanding
from shared.standing.importing import Import
from shared.standing.needs import Standing, needs
from shared.standing.recorded import Held, MailboxProgress, Recorded
from shared.standing.work import rate

_GAP: Final = 2
_LEAST_NAME: Final = 20


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
    sentences = [need.english for need in needs(standing)]
    moment = f"{standing.at.astimezone():%Y-%m-%d %H:%M:%S %Z}"
    if not sentences:
        yield f"Nothing needs a person. ({moment})"
        return
    yield f"Needs a person: {many(len(sentences), 'thing')}. ({moment})"
    for sentence in sentences:
        yield from _wrapped(f"- {one_line(sentence)}", width, "  ")


def _wrapped(text: str, width: int, indent: str) -> list[str]:
    return textwrap.wrap(
        text, max(width, 2), subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    ) or [""]


def _mailboxes(database: Recorded, width: int) -> Iterator[str]:
    if not database.mailboxes:
        yield "There are no mailboxes yet: helpdesk-importer importer set."
        return
    rows = [
        (one_line(mailbox.helpdesk), _moment(mailbox.last_successful_check_at, database.at), _state(mailbox, database))
        for mailbox in database.mailboxes
    ]
    yield from _table(("Mailbox", "Last good check", "State"), rows, width)


def _state(mailbox: MailboxProgress, database: Recorded) -> str:
    if not mailbox.enabled:
        return "off"
    if mailbox.paused_since is not None:
        return f"paused since {_moment(mailbox.paused_since, database.at)}"
    if mailbox.problem_kind is not None:
        return f"{mailbox.problem_kind} since {_moment(mailbox.problem_since, database.at)}"
    if mailbox.is_late:
        return "nobody checks it"
    going_on = next((each for each in database.imports if each.helpdesk == mailbox.helpdesk), None)
    if going_on is not None:
        return ("first import" if going_on.taken_in else "first check") if going_on.first else "importing"
    return "well" if mailbox.last_check_at is not None else "not checked yet"


def _queues(broker: BrokerStanding, width: int) -> Iterator[str]:
    rows = [
        (
            queue.queue,
            *map(str, (queue.ready, queue.in_hand, queue.waiting, queue.suspect, queue.dead, queue.consumers)),
        )
        for queue in broker.queues
    ]
    yield from _table(("Queue", "Ready", "In hand", "Waiting", "Suspect", "Dead", "Readers"), rows, width)


def _counts(database: Recorded, width: int) -> Iterator[str]:
    numbers, unfinished = database.ticket_numbers, database.unfinished
    facts = [
        ("Last 24 hours", _counted(database.outcomes.of_a_day)),
        ("Without an outcome", f"{unfinished.without_outcome:,}"),
        *(("Import", _import(each, database.at)) for each in database.imports if each.taken_in),
        *([("Import", str(database.work))] if database.work is not None else []),
        ("Mails out", _counted(database.notifications)),
        *(("Held", _held(hold, database.at)) for hold in database.held),
        ("Dead letters", f"{unfinished.dead_letters:,}"),
        ("Newest ticket", numbers.newest_number or "none"),
        ("Threads would save", _counted(database.tickets_that_threads_would_have_saved)),
        ("Schema", database.schema_revision),
    ]
    label = max(len(name) for name, _ in facts) + _GAP
    for name, value in facts:
        yield from _wrapped(f"{name:<{label}}{value}", width, " " * label)


def _import(going_on: Import, now: datetime) -> str:
    """`ICT: 1,240 mails since 14:02:10, 4/s; it is at mail that arrived 2024-03-14 09:12; 140 have no outcome yet`."""
    return (
        f"{one_line(going_on.helpdesk)}: {many(going_on.taken_in, 'mail')} since {_moment(going_on.since, now)}, "
        f"{rate(going_on.per_second) if going_on.per_second else 'nothing moves'}; it is at mail that arrived "
        f"{_moment(going_on.reached, now)}; {going_on.taken_in - going_on.decided:,} have no outcome yet"
    )


def _held(hold: Held, now: datetime) -> str:
    return f"{many(hold.mails, 'mail')} of {one_line(hold.helpdesk or 'all')} since {_moment(hold.held_since, now)}"


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {one_line(name)}" for name, count in sorted(counts.items())) or "none"


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
        return "never"
    local = moment.astimezone()
    return f"{local:%H:%M:%S}" if local.date() == now.astimezone().date() else f"{local:%Y-%m-%d %H:%M}"
