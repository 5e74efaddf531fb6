"""What a summary says: many tickets and supplements to one employee, in one mail (SPEC M2, M3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from zoneinfo import ZoneInfo

from shared.messages import NotificationKind
from shared.one_line import one_line
from shared.templates.facts import MailFacts, SummaryEntry
from shared.templates.plain_text import escaped
from shared.templates.render import VALUE_IN_SUBJECT_LIMIT, Value, cut
from shared.templates.values import link_to, written_moment, zone_of

ENTRIES_LIMIT: Final = 200
"""Entries that a summary lists; of more it says how many, and the helpdesk has them all."""

_TITLES: Final = {
    NotificationKind.TICKET_ADDED_MANAGER: "Nieuwe tickets",
    NotificationKind.SUPPLEMENT_ADDED_EXECUTOR: "Nieuwe aanvullingen",
}


def values_of_summary(mail: MailFacts) -> dict[str, Value]:
    """A value for every placeholder of a summary."""
    zone = zone_of(mail.ticket.time_zone)
    moments = [entry.reported_at for entry in mail.entries]
    texts = {
        "helpdesk": mail.helpdesk,
        "ontvanger": mail.recipient,
        "aantal": str(len(mail.entries)),
        "aantal tickets": _count(mail.entries, NotificationKind.TICKET_ADDED_MANAGER),
        "aantal aanvullingen": _count(mail.entries, NotificationKind.SUPPLEMENT_ADDED_EXECUTOR),
        "eerste": written_moment(min(moments), zone),
        "laatste": written_moment(max(moments), zone),
    }
    return {name: Value(text) for name, text in texts.items()} | {"overzicht": _overview(mail, zone)}


def _count(entries: Sequence[SummaryEntry], kind: NotificationKind) -> str:
    """How many; nothing for none, so that the line goes."""
    count = sum(entry.kind is kind for entry in entries)
    return str(count) if count else ""


def _overview(mail: MailFacts, zone: ZoneInfo) -> Value:
    """The entries in both readings: first the tickets, then the supplements, each in the order of their mails."""
    listed = mail.entries[:ENTRIES_LIMIT]
    text: list[str] = []
    html: list[str] = []
    for kind, title in _TITLES.items():
        entries = [entry for entry in listed if entry.kind is kind]
        if not entries:
            continue
        text += [f"{title}:", "", *(_line(entry, mail.ticket.url, zone) for entry in entries), ""]
        items = "\n".join(_item(entry, mail.ticket.url, zone) for entry in entries)
        html.append(f"<p><strong>{title}</strong></p>\n<ul>\n{items}\n</ul>")
    if more := len(mail.entries) - len(listed):
        text.append(f"En nog {more}; de helpdesk heeft ze alle.")
        html.append(f"<p>{text[-1]}</p>")
    return Value("\n".join(text).rstrip("\n"), "\n".join(html))


def _line(entry: SummaryEntry, url: str, zone: ZoneInfo) -> str:
    link = link_to(url, entry.number)
    return f"- {entry.number} {_title(entry)} ({_about(entry, zone)})" + (f"\n  {link}" if link else "")


def _item(entry: SummaryEntry, url: str, zone: ZoneInfo) -> str:
    link = link_to(url, entry.number)
    number = f'<a href="{escaped(link)}">{escaped(entry.number)}</a>' if link else escaped(entry.number)
    return f"<li>{number} {escaped(_title(entry))} ({escaped(_about(entry, zone))})</li>"


def _title(entry: SummaryEntry) -> str:
    return cut(one_line(entry.title), VALUE_IN_SUBJECT_LIMIT)


def _about(entry: SummaryEntry, zone: ZoneInfo) -> str:
    """Who wrote, when, for which organisation, and how the ticket stands now."""
    name, address = one_line(entry.mail_from_name), one_line(entry.mail_from_address)
    sender = f"{name} <{address}>" if name and address else name or address
    parts = (sender, one_line(entry.organisation), written_moment(entry.reported_at, zone), one_line(entry.status))
    return ", ".join(part for part in parts if part)
