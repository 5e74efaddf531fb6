"""What an alarm, its end, and a helpdesk's day read like, in English and Dutch. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final, Literal

from shared.one_line import one_line

Language = Literal["en", "nl"]
NAMED: Final = 3
"""So many helpdesks are named in a subject."""


class Event(StrEnum):
    """What is told of an alarm."""

    BEGAN = "began"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Alarm:
    """A row of `alarms`; `id` is 0 for one that no database could keep."""

    id: int
    cause: str
    key: str
    helpdesks: tuple[str, ...]
    english: str
    dutch: str
    first_seen_at: datetime
    ended_at: datetime | None = None

    def said(self, language: Language) -> str:
        """Its sentence."""
        return self.dutch if language == "nl" else self.english


@dataclass(frozen=True, slots=True)
class Digest:
    """What a helpdesk's `day` brought, and what waits at its end."""

    helpdesk_id: int
    helpdesk: str
    day: date
    imported: int
    """Tickets and supplements."""
    quarantined: int
    not_sent: int
    to_review: int


@dataclass(frozen=True, slots=True)
class Told:
    """A message: of several alarms, or a digest; `document` is what a webhook gets."""

    subject: str
    text: str
    document: dict[str, Any]
    key: str
    """The same for whoever tells the same: its Message-ID is made of it."""


_BEGAN: Final = {"en": "needs a person", "nl": "heeft iemand nodig"}
_ENDED: Final = {"en": "is over", "nl": "is voorbij"}


def alarm_message(event: Event, alarms: Sequence[Alarm], language: Language) -> Told:
    """One message of all alarms (one or more) that began, or that ended."""
    first = alarms[0]
    verb = (_BEGAN if event is Event.BEGAN else _ENDED)[language]
    more = f" (+{len(alarms) - 1})" if len(alarms) > 1 else ""
    where = f" [{', '.join(first.helpdesks[:NAMED])}]" if first.helpdesks else ""
    subject = one_line(f"Helpdesk-importer: {first.cause} {first.key}".rstrip() + f" {verb}{where}{more}")
    lines = [f"- {one_line(alarm.said(language))}\n  {_since(alarm, event, language)}" for alarm in alarms]
    head = {
        (Event.BEGAN, "en"): "This does not get right by itself:",
        (Event.BEGAN, "nl"): "Dit komt niet vanzelf in orde:",
        (Event.ENDED, "en"): "This is over:",
        (Event.ENDED, "nl"): "Dit is voorbij:",
    }[event, language]
    document = {
        "event": event.value,
        "alarms": [
            {
                "cause": alarm.cause,
                "key": alarm.key,
                "helpdesks": list(alarm.helpdesks),
                "text": alarm.said(language),
                "since": alarm.first_seen_at.isoformat(),
                "ended": None if alarm.ended_at is None else alarm.ended_at.isoformat(),
            }
            for alarm in alarms
        ],
    }
    key = ",".join(f"{alarm.cause}/{alarm.key}/{alarm.first_seen_at.isoformat()}" for alarm in alarms)
    return Told(subject, f"{head}\n\n" + "\n\n".join(lines) + "\n", document, f"{event} {key}")


def _since(alarm: Alarm, event: Event, language: Language) -> str:
    began = f"{alarm.first_seen_at.astimezone():%Y-%m-%d %H:%M}"
    if event is Event.BEGAN or alarm.ended_at is None:
        return f"since {began}" if language == "en" else f"sinds {began}"
    ended = f"{alarm.ended_at.astimezone():%Y-%m-%d %H:%M}"
    return f"from {began} to {ended}" if language == "en" else f"van {began} tot {ended}"


def digest_message(digest: Digest, language: Language) -> Told:
    """The day of one helpdesk."""
    numbers = (digest.imported, digest.quarantined, digest.not_sent, digest.to_review)
    names = {
        "en": ("mails imported", "mails in quarantine, undecided", "mails out not sent", "to be reviewed"),
        "nl": (
            "mails geïmporteerd",
            "mails in quarantaine, zonder beslissing",
            "mails niet verstuurd",
            "te beoordelen",
        ),
    }[language]
    of = "The day of" if language == "en" else "De dag van"
    subject = one_line(
        f"Helpdesk-importer: {digest.helpdesk} {digest.day} ({digest.imported}/{digest.quarantined}/{digest.not_sent})"
    )
    rows = "\n".join(f"{number:>7}  {name}" for number, name in zip(numbers, names, strict=True))
    document = {
        "event": "digest",
        "helpdesk": digest.helpdesk,
        "day": digest.day.isoformat(),
        **dict(zip(("imported", "quarantined", "not_sent", "to_review"), numbers, strict=True)),
    }
    text = f"{of} {one_line(digest.helpdesk)}, {digest.day}:\n\n{rows}\n"
    return Told(subject, text, document, f"digest {digest.helpdesk_id} {digest.day}")
