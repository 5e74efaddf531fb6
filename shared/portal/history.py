"""The sentences of a ticket's history («historie»), as the portal writes them (SPEC N1, A1, D2, D4, D13).

Times are shown on the wall clock of the zone that is handed in; names of attachments come from mails and are shown
without control characters, cut at a length that a screen can bear.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from enum import StrEnum
from typing import Final

from shared.messages import LeftOut

_LONGEST_NAME: Final = 120
_KIBIBYTE: Final = 1024


class EntryKind(StrEnum):
    """What an entry is about; the UI chooses an icon by it."""

    CREATED = "created"
    SUPPLEMENTED = "supplemented"
    STATUS_CHANGED = "status-changed"
    DEADLINE_CHANGED = "deadline-changed"
    REOPENED = "reopened"
    ATTACHMENTS_LEFT_OUT = "attachments-left-out"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a ticket's history: a sentence for people, and what a program needs of it in `details` (JSON)."""

    kind: EntryKind
    description: str
    details: dict[str, object] = field(default_factory=dict)


def created_by_import(sender: str) -> Entry:
    """N1: the ticket was made from a mail of `sender` (name and address as people read them)."""
    return Entry(EntryKind.CREATED, f"Ticket aangemaakt via mail import, uit een e-mail van {_shown(sender)}.")


def supplemented_by_import(sender: str) -> Entry:
    """A1: a mail of `sender` was added to the ticket."""
    return Entry(EntryKind.SUPPLEMENTED, f"Ticket aangevuld via mail import, met een e-mail van {_shown(sender)}.")


def attachments_left_out(parts: Iterable[LeftOut]) -> Entry | None:
    """D4: the attachments that were not stored, each with name, type, size and reason; None when there are none."""
    named = [
        f"{_shown(part.name) or 'zonder naam'} ({_shown(part.media_type)}, {size(part.size)}): {_shown(part.reason)}"
        for part in parts
    ]
    if not named:
        return None
    count = "1 bijlage is" if len(named) == 1 else f"{len(named)} bijlagen zijn"
    return Entry(EntryKind.ATTACHMENTS_LEFT_OUT, f"{count} niet opgeslagen: {'; '.join(named)}.", {"count": len(named)})


def status_changed(before: str, after: str) -> Entry:
    """The ticket's status became another one by a supplement (A8)."""
    return Entry(
        EntryKind.STATUS_CHANGED, f"Status gewijzigd van «{before}» in «{after}».", {"before": before, "after": after}
    )


def reopened(completed_at: datetime | None, zone: tzinfo) -> Entry:
    """D2: a supplement opened a closed ticket again; its «datum voltooid» is cleared and stays readable here."""
    if completed_at is None:
        return Entry(EntryKind.REOPENED, "Ticket heropend door een aanvulling.")
    return Entry(
        EntryKind.REOPENED,
        f"Ticket heropend door een aanvulling; datum voltooid ({moment(completed_at, zone)}) leeggemaakt.",
        {"completed_at": completed_at.isoformat()},
    )


def deadline_changed(before: datetime | None, after: datetime, zone: tzinfo) -> Entry:
    """D3: the deadline was recalculated; `before` is None where it was empty."""
    was = "leeg" if before is None else moment(before, zone)
    return Entry(
        EntryKind.DEADLINE_CHANGED,
        f"Datum deadline herberekend: was {was}, wordt {moment(after, zone)}.",
        {"before": None if before is None else before.isoformat(), "after": after.isoformat()},
    )


def followed_merge(number: str) -> Entry:
    """The mail named a ticket that was merged into this one; `number` is the one it named."""
    return Entry(
        EntryKind.NOTE,
        f"De e-mail noemde ticket {number}, dat met dit ticket is samengevoegd.",
        {"merged_number": number},
    )


def named_ticket_gone(numbers: Iterable[str]) -> Entry:
    """The subject names tickets that no longer exist, so that the mail became this new one (DESIGN 7)."""
    gone = list(numbers)
    return Entry(
        EntryKind.NOTE,
        f"Het onderwerp noemt ticket {', '.join(gone)}, maar dat bestaat niet meer; daarom is dit een nieuw ticket.",
        {"gone": gone},
    )


def follows_closed_ticket(number: str) -> Entry:
    """The subject names a ticket that has been closed too long to be supplemented, so the mail became this new one."""
    return Entry(
        EntryKind.NOTE,
        f"Dit is een vervolg op ticket {number}, dat al te lang gesloten is om nog aan te vullen.",
        {"follows": number},
    )


def followed_by_new_ticket(number: str) -> Entry:
    """A mail that named this closed ticket became a new one."""
    return Entry(
        EntryKind.NOTE,
        f"Een e-mail over dit gesloten ticket is als nieuw ticket {number} ingelezen.",
        {"followed_by": number},
    )


def delivery_reported(recipient: str, action: str, status: str, diagnostic: str) -> Entry:
    """D6: a delivery report on a mail of ours to `recipient`; `action` is that of RFC 3464."""
    code = f" ({status})" if status else ""
    words = f": {_shown(diagnostic)}" if diagnostic else ""
    return Entry(
        EntryKind.NOTE,
        f"Onze e-mail aan {_shown(recipient)} is {_DELIVERY[action]}{code}{words}.",
        {"action": action, "status": status},
    )


_DELIVERY: Final = {
    "failed": "niet afgeleverd",
    "delayed": "vertraagd",
    "delivered": "afgeleverd",
    "relayed": "doorgegeven aan een server die geen aflevering meldt",
    "expanded": "afgeleverd bij een lijst",
}


def also_in_other_helpdesk(number: str, helpdesk: str) -> Entry:
    """D13: the same mail went to another helpdesk too, and is a ticket there."""
    return Entry(
        EntryKind.NOTE,
        f"Dezelfde e-mail is ook naar helpdesk «{helpdesk}» gestuurd en is daar ticket {number}.",
        {"other_ticket": number, "other_helpdesk": helpdesk},
    )


def note(sentence: str) -> Entry:
    """A remark about the mail behind a ticket or supplement, such as that it could not be read whole (D17)."""
    return Entry(EntryKind.NOTE, sentence)


def moment(when: datetime, zone: tzinfo) -> str:
    """A moment as Dutch people write it: `24-12-2026 16:30`."""
    return when.astimezone(zone).strftime("%d-%m-%Y %H:%M")


def size(in_bytes: int) -> str:
    """A number of bytes for people, with a decimal comma: `76 kB`, `1,4 MB` (units of 1024)."""
    if in_bytes < _KIBIBYTE:
        return f"{in_bytes} bytes"
    if in_bytes < _KIBIBYTE * _KIBIBYTE:
        return f"{in_bytes / _KIBIBYTE:.0f} kB"
    return f"{in_bytes / (_KIBIBYTE * _KIBIBYTE):.1f} MB".replace(".", ",")


def _shown(text: str) -> str:
    """Text from a mail, safe in a sentence: no control or direction characters, cut at 120 characters."""
    visible = "".join(character for character in text if unicodedata.category(character)[0] != "C").strip()
    return visible if len(visible) <= _LONGEST_NAME else f"{visible[: _LONGEST_NAME - 1]}…"
