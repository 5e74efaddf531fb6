"""Whether two clocks agree. Pure: what they said is given."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from services.console.doctor.findings import Finding, failure, warning, well
from shared.sentences import Sentence

NOTICED: Final = timedelta(seconds=5)
"""More than the second by which a Date header (RFC 9110, 5.6.7) is rounded, and the way there and back."""
HARMFUL: Final = timedelta(minutes=2)
"""From here on deadlines, leases and logins by token (RFC 7519, 4.1.4) go wrong."""


def compared(part: str, theirs: datetime, ours: datetime) -> Finding:
    """What the difference between a server's clock and this machine's is."""
    difference = abs(theirs - ours)
    seconds = f"{difference.total_seconds():,.0f}"
    if difference >= HARMFUL:
        wrong = Sentence(
            "The clock of %(part)s and that of this machine differ by %(seconds)s s: deadlines and logins go wrong. "
            "Let both follow NTP (timedatectl).",
            part=part,
            seconds=seconds,
        )
        return failure("clocks", wrong)
    if difference >= NOTICED:
        noticed = Sentence(
            "The clock of %(part)s and that of this machine differ by %(seconds)s s: let both follow NTP "
            "(timedatectl).",
            part=part,
            seconds=seconds,
        )
        return warning("clocks", noticed)
    return well("clocks", Sentence("That of %(part)s and of this machine agree.", part=part))
