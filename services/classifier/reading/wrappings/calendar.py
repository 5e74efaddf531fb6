"""What an invitation says (iCalendar, RFC 5545; iTIP, RFC 5546), in lines for a mail that says nothing else.

Times are shown as they were written: with the zone that the invitation names, since a reader knows his own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_FOLD: Final = re.compile(r"\r?\n[ \t]")
_LINE: Final = re.compile(r"([A-Za-z-]{1,60})((?:;[^:\";]{0,200}(?:\"[^\"]{0,500}\")?)*):(.*)")
_MOMENT: Final = re.compile(r"(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})\d{2}(Z?))?")
_ZONE: Final = re.compile(r';TZID="?([^";:]{1,80})', re.IGNORECASE)
_NAME: Final = re.compile(r';CN=(?:"([^"]{1,200})"|([^";:]{1,200}))', re.IGNORECASE)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_METHODS: Final = {
    "REQUEST": "Uitnodiging",
    "PUBLISH": "Agenda-item",
    "CANCEL": "Geannuleerd",
    "REPLY": "Antwoord op een uitnodiging",
    "COUNTER": "Voorstel voor een ander tijdstip",
}
_LONGEST: Final = 200_000
_LONGEST_DESCRIPTION: Final = 20_000


@dataclass(frozen=True, slots=True)
class _Property:
    name: str
    parameters: str
    value: str


def summary(source: str) -> str:
    """The first event or task of a calendar file, a fact a line: what, when, where, who; '' where there is none."""
    lines = _FOLD.sub("", source[:_LONGEST]).splitlines()
    properties: dict[str, _Property] = {}
    component = ""
    for line in lines:
        line_match = _LINE.match(line)
        if line_match is None:
            continue
        name = line_match[1].upper()
        if name == "BEGIN":
            component = component if component in {"VEVENT", "VTODO"} else line_match[3].strip().upper()
        elif name == "END" and line_match[3].strip().upper() == component:
            if component in {"VEVENT", "VTODO"}:
                break
            component = ""
        elif name == "METHOD" or component in {"VEVENT", "VTODO"}:
            properties.setdefault(name, _Property(name, line_match[2], line_match[3]))
    return _sentences(properties)


def _sentences(properties: dict[str, _Property]) -> str:
    def text(name: str) -> str:
        entry = properties.get(name)
        return _unescaped(entry.value).strip() if entry else ""

    method = _METHODS.get(text("METHOD").upper(), "Agenda-item")
    title = text("SUMMARY")
    if not (title or "DTSTART" in properties):
        return ""
    begins, ends = _moment(properties.get("DTSTART")), _moment(properties.get("DTEND") or properties.get("DUE"))
    facts = [
        f"{method}: {title}" if title else method,
        f"Wanneer: {begins} – {ends}" if begins and ends else f"Wanneer: {begins or ends}" if begins or ends else "",
        f"Waar: {text('LOCATION')}" if text("LOCATION") else "",
        f"Organisator: {_person(properties['ORGANIZER'])}" if "ORGANIZER" in properties else "",
    ]
    described = text("DESCRIPTION")[:_LONGEST_DESCRIPTION]
    return "\n".join(fact for fact in facts if fact) + (f"\n\n{described}" if described else "")


def _unescaped(value: str) -> str:
    return _ESCAPED.sub(lambda escaped: "\n" if escaped[1] in "nN" else escaped[1], value)


def _moment(entry: _Property | None) -> str:
    if entry is None:
        return ""
    moment = _MOMENT.match(entry.value.strip())
    if moment is None:
        return ""
    day = f"{moment[3]}-{moment[2]}-{moment[1]}"
    if not moment[4]:
        return day
    zone = _ZONE.search(entry.parameters)
    named = " UTC" if moment[6] else f" ({zone[1]})" if zone else ""
    return f"{day} {moment[4]}:{moment[5]}{named}"


def _person(entry: _Property) -> str:
    address = re.sub(r"(?i)^mailto:", "", entry.value.strip())
    name = _NAME.search(entry.parameters)
    named = (name[1] or name[2]).strip() if name else ""
    return f"{named} <{address}>" if named and named != address else address
