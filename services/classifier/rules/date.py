"""The Date header (RFC 5322 3.3): the sender's word, so the arrival never comes from it (DESIGN 15)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_tz
from typing import Final

_SECONDS_A_DAY: Final = 86_400
_FAULTS: Final = re.compile(r"\((?:[^()]*)\)|[^\x20-\x7e]")


def sent_at(header: str) -> datetime | None:
    """The moment with the header's own offset (UTC where it names none).

    None for what is no date, and for one outside the years 1970 to 2200: no mail was sent then.
    """
    text = _FAULTS.sub(" ", header[:200]).strip()
    try:
        parsed = parsedate_tz(text)
        if parsed is None:
            return None
        offset = parsed[9] or 0
        if abs(offset) >= _SECONDS_A_DAY:
            return None
        moment = datetime.fromtimestamp(datetime(*parsed[:6], tzinfo=UTC).timestamp() - offset, UTC)
        if not 1970 <= moment.year <= 2200:  # noqa: PLR2004 - the years named above
            return None
        return moment.astimezone(timezone(timedelta(seconds=offset)) if offset else UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
