"""The Date header (RFC 5322 3.3): the sender's word, so the arrival never comes from it (DESIGN 15).

QUIRK: besides its obsolete forms (RFC 5322 4.3) mailers write ISO 8601, an offset with a colon or behind `GMT`, names
of European zones, and a sixtieth second.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_tz
from typing import Final

_SECONDS_A_DAY: Final = 86_400
_LAST_SECOND: Final = 59
_FAULTS: Final = re.compile(r"\((?:[^()]*)\)|[^\x20-\x7e]|^\s*date\s*:", re.IGNORECASE)
_OFFSET: Final = re.compile(r"(?:\b(?:GMT|UTC?|Z)\s*)?([+-])([0-9]{1,2}):?([0-9]{2})\s*$", re.IGNORECASE)
_ISO: Final = re.compile(
    r"([0-9]{4}-(?:0[1-9]|1[0-2])-[0-9]{2})[T ]+([0-9]{2}:[0-9]{2}(?::[0-9]{2})?)(?:[.,][0-9]+)?\s*(.*)"
)
_ZONES: Final = {
    "WET": "+0000", "WEST": "+0100", "BST": "+0100", "CET": "+0100", "MET": "+0100", "CEST": "+0200", "MEST": "+0200",
    "EET": "+0200", "EEST": "+0300", "MSK": "+0300", "JST": "+0900",
}  # fmt: skip
_MONTHS: Final = ("", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ZONE: Final = re.compile(rf"\b({'|'.join(_ZONES)})\s*$", re.IGNORECASE)


def sent_at(header: str) -> datetime | None:
    """The moment with the header's own offset (UTC where it names none).

    None for what is no date, and for one outside the years 1970 to 2200: no mail was sent then.
    """
    text = _FAULTS.sub(" ", header[:200]).strip()
    text = _ZONE.sub(lambda zone: _ZONES[zone[1].upper()], text)
    text = _OFFSET.sub(lambda offset: f" {offset[1]}{offset[2]:0>2}{offset[3]}", text)
    if (iso := _ISO.fullmatch(text)) is not None:
        year, month, day = iso[1].split("-")
        text = f"{day} {_MONTHS[int(month)]} {year} {iso[2]} {iso[3]}"
    try:
        parsed = parsedate_tz(text)
        if parsed is None:
            return None
        offset = parsed[9] or 0
        if abs(offset) >= _SECONDS_A_DAY:
            return None
        named = datetime(*parsed[:5], min(parsed[5], _LAST_SECOND), tzinfo=UTC)
        moment = datetime.fromtimestamp(named.timestamp() - offset, UTC)
        if not 1970 <= moment.year <= 2200:  # noqa: PLR2004 - the years named above
            return None
        return moment.astimezone(timezone(timedelta(seconds=offset)) if offset else UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
