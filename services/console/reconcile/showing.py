"""How a report reads: for people, a kind at a time with its cause and what to do; for programs, all that is kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from itertools import groupby
from typing import Any, Final

from services.console.layout import card, wrapped
from services.console.output import moment, visible
from services.console.reconcile.comparing import Report
from services.console.reconcile.differences import Difference
from services.console.reconcile.kinds import KINDS, Kind, Part, Remedy
from services.console.short_ids import short_ids
from shared.counted import many

SHOWN: Final = 20
"""Differences of a kind that are shown to a person."""
_LOOKED_AT: Final = {
    "mailboxes": ("mailbox", "mailboxes"),
    "mails_in_mailboxes": ("mail in mailboxes", "mails in mailboxes"),
    "mails": ("mail in the ledger", "mails in the ledger"),
    "tickets": ("ticket", "tickets"),
    "messages": ("message", "messages"),
    "blobs": ("blob", "blobs"),
    "hashed": ("of them hashed", "of them hashed"),
}


def lines(report: Report, width: int) -> Iterator[str]:
    """The report as a page of so many columns."""
    looked = [many(report.looked_at[name], *words) for name, words in _LOOKED_AT.items() if name in report.looked_at]
    minutes = round(report.wanted.grace.total_seconds() / 60)
    yield from wrapped(f"Compared {', '.join(looked)}; what is younger than {minutes} minutes is on its way.", width)
    for kind, differences in groupby(_in_order(report), lambda difference: difference.kind):
        yield ""
        yield from _of_kind(kind, list(differences), report, width)
    for sentence in report.not_compared:
        yield ""
        yield from wrapped(f"Not compared: {visible(sentence)}", width, "  ")
    yield ""
    yield from wrapped(conclusion(report), width)


def _in_order(report: Report) -> list[Difference]:
    parts = list(Part)
    return sorted(report.found, key=lambda difference: parts.index(KINDS[difference.kind].part))


def conclusion(report: Report) -> str:
    """The last sentence."""
    told = []
    if report.repaired:
        told.append(f"{many(report.repaired_count, 'difference')} repaired.")
    open_ones = report.found.count_of(Remedy.REPAIR) - sum(
        each.count for each in report.repaired if each.who is Remedy.REPAIR
    )
    needs_person = report.found.count_of(Remedy.PERSON)
    if needs_person:
        told.append(f"{many(needs_person, 'difference needs', 'differences need')} a person.")
    if open_ones:
        told.append(f"{many(open_ones, 'difference')} left that reconcile --repair mends.")
    if not report.left:
        told.append("Nothing differs." if not report.repaired else "Nothing else differs.")
    return " ".join(told)


def _of_kind(kind: Kind, differences: list[Difference], report: Report, width: int) -> Iterator[str]:
    explanation, count = KINDS[kind], report.found.counts[kind]
    yield from card((f"{explanation.part}: {kind}", str(count)), (), (), width)
    yield from wrapped(explanation.cause, width, "  ")
    yield from wrapped(f"To do: {explanation.what_to_do}", width, "  ")
    shown = differences[:SHOWN]
    mails = iter(short_ids([each.mail_id for each in shown if each.mail_id is not None]))
    for difference in shown:
        known_as = f"mail {next(mails)}" if difference.mail_id is not None else ""
        about = known_as or (difference.thing or "")[:16] or report.helpdesks.get(difference.helpdesk_id or 0, "")
        yield from (f"  {line}" for line in _one(difference, about, report, width - 2))
    left = count - sum(each.count for each in shown)
    if left > 0:
        yield from wrapped(f"… and {left} more; --json names up to 1000.", width, "  ")


def _one(difference: Difference, about: str, report: Report, width: int) -> list[str]:
    helpdesk = report.helpdesks.get(difference.helpdesk_id or 0, "")
    facts = (
        f"ticket {difference.ticket}" if difference.ticket else "",
        helpdesk if helpdesk != about else "",
        f"since {moment(difference.since)}" if difference.since else "",
        many(difference.count, "time") if difference.count > 1 else "",
        "repaired" if difference in report.repaired else "",
    )
    return card(
        (about,), [visible(fact) for fact in facts], [visible(difference.detail)] * bool(difference.detail), width
    )


def for_programs(report: Report) -> dict[str, Any]:
    """The report as one JSON document."""
    return {
        "at": report.at,
        "older_than_minutes": round(report.wanted.grace.total_seconds() / 60),
        "looked_at": report.looked_at,
        "counts": {kind.value: count for kind, count in report.found.counts.items()},
        "differences": [_for_programs(difference, report) for difference in _in_order(report)],
        "not_compared": report.not_compared,
        "repaired": report.repaired_count,
        "left": report.left,
    }


def _for_programs(difference: Difference, report: Report) -> dict[str, Any]:
    explanation = KINDS[difference.kind]
    told = asdict(difference)
    return {
        "part": explanation.part.value,
        **told,
        "kind": difference.kind.value,
        "helpdesk": report.helpdesks.get(difference.helpdesk_id or 0),
        "remedy": difference.who.value,
        "cause": explanation.cause,
        "what_to_do": explanation.what_to_do,
        "repaired": difference in report.repaired,
    }
