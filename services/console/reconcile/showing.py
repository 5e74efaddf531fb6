"""How a report reads: for people, a kind at a time with its cause and what to do; for programs, all that is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from itertools import groupby
from typing import Any, Final

from services.console.layout import card, wrapped
from services.console.output import in_words, moment, number, visible
from services.console.reconcile.comparing import Report
from services.console.reconcile.differences import Difference
from services.console.reconcile.kinds import KINDS, Kind, Part, Remedy
from services.console.short_ids import short_ids
from services.console.texts import N_, _, ngettext

SHOWN: Final = 20
"""Differences of a kind that are shown to a person."""
_LOOKED_AT: Final[Mapping[str, Callable[[int], str]]] = {
    "mailboxes": lambda count: ngettext("%(count)s mailbox", "%(count)s mailboxes", count),
    "mails_in_mailboxes": lambda count: ngettext("%(count)s mail in mailboxes", "%(count)s mails in mailboxes", count),
    "mails": lambda count: ngettext("%(count)s mail in the ledger", "%(count)s mails in the ledger", count),
    "tickets": lambda count: ngettext("%(count)s ticket", "%(count)s tickets", count),
    "messages": lambda count: ngettext("%(count)s message", "%(count)s messages", count),
    "blobs": lambda count: ngettext("%(count)s blob", "%(count)s blobs", count),
    "hashed": lambda count: ngettext("%(count)s of them hashed", "%(count)s of them hashed", count),
}


_PARTS: Final = {
    Part.MAILBOXES: N_("mailboxes"),
    Part.LEDGER: N_("ledger"),
    Part.TICKETS: N_("tickets"),
    Part.NOTIFICATIONS: N_("notifications"),
    Part.QUEUES: N_("queues"),
    Part.BLOBS: N_("blobs"),
}


def lines(report: Report, width: int) -> Iterator[str]:
    """The report as a page of so many columns."""
    looked = [
        _of_so_many(text, report.looked_at[name]) for name, text in _LOOKED_AT.items() if name in report.looked_at
    ]
    minutes = round(report.wanted.grace.total_seconds() / 60)
    sentence = _("Compared %(these)s; what is younger than %(minutes)s minutes is on its way.")
    yield from wrapped(sentence % {"these": ", ".join(looked), "minutes": minutes}, width)
    for kind, differences in groupby(_in_order(report), lambda difference: difference.kind):
        yield ""
        yield from _of_kind(kind, list(differences), report, width)
    for sentence in report.not_compared:
        yield ""
        yield from wrapped(_("Not compared: %(why)s") % {"why": visible(in_words(sentence))}, width, "  ")
    yield ""
    yield from wrapped(conclusion(report), width)


def _of_so_many(text: Callable[[int], str], count: int) -> str:
    return text(count) % {"count": number(count)}


def _in_order(report: Report) -> list[Difference]:
    parts = list(Part)
    return sorted(report.found, key=lambda difference: parts.index(KINDS[difference.kind].part))


def conclusion(report: Report) -> str:
    """The last sentence."""
    told = []
    if report.repaired:
        sentence = ngettext("%(count)s difference repaired.", "%(count)s differences repaired.", report.repaired_count)
        told.append(sentence % {"count": number(report.repaired_count)})
    open_ones = report.found.count_of(Remedy.REPAIR) - sum(
        each.count for each in report.repaired if each.who is Remedy.REPAIR
    )
    needs_person = report.found.count_of(Remedy.PERSON)
    if needs_person:
        sentence = ngettext(
            "%(count)s difference needs a person.", "%(count)s differences need a person.", needs_person
        )
        told.append(sentence % {"count": number(needs_person)})
    if open_ones:
        sentence = ngettext(
            "%(count)s difference left that reconcile --repair mends.",
            "%(count)s differences left that reconcile --repair mends.",
            open_ones,
        )
        told.append(sentence % {"count": number(open_ones)})
    if not report.left:
        told.append(_("Nothing differs.") if not report.repaired else _("Nothing else differs."))
    return " ".join(told)


def _of_kind(kind: Kind, differences: list[Difference], report: Report, width: int) -> Iterator[str]:
    explanation, count = KINDS[kind], report.found.counts[kind]
    yield from card((f"{_(_PARTS[explanation.part])}: {kind}", str(count)), (), (), width)
    yield from wrapped(_(explanation.cause), width, "  ")
    yield from wrapped(_("To do: %(what)s") % {"what": _(explanation.what_to_do)}, width, "  ")
    shown = differences[:SHOWN]
    mails = iter(short_ids([each.mail_id for each in shown if each.mail_id is not None]))
    for difference in shown:
        known_as = _("mail %(id)s") % {"id": next(mails)} if difference.mail_id is not None else ""
        about = known_as or (difference.thing or "")[:16] or report.helpdesks.get(difference.helpdesk_id or 0, "")
        yield from (f"  {line}" for line in _one(difference, about, report, width - 2))
    left = count - sum(each.count for each in shown)
    if left > 0:
        yield from wrapped(_("… and %(count)s more; --json names up to 1000.") % {"count": number(left)}, width, "  ")


def _times(count: int) -> str:
    return ngettext("%(count)s time", "%(count)s times", count)


def _one(difference: Difference, about: str, report: Report, width: int) -> list[str]:
    helpdesk = report.helpdesks.get(difference.helpdesk_id or 0, "")
    facts = (
        _("ticket %(ticket)s") % {"ticket": difference.ticket} if difference.ticket else "",
        helpdesk if helpdesk != about else "",
        _("since %(since)s") % {"since": moment(difference.since)} if difference.since else "",
        _of_so_many(_times, difference.count) if difference.count > 1 else "",
        _("repaired") if difference in report.repaired else "",
    )
    detail = visible(in_words(difference.detail))
    return card((about,), [visible(fact) for fact in facts], [detail] * bool(detail), width)


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
