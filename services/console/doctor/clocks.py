"""Whether two clocks agree. Pure: what they said is given."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from services.console.doctor.findings import Finding, failure, warning, well

NOTICED: Final = timedelta(seconds=5)
"""More than the second by which a Date header (RFC 9110, 5.6.7) is rounded, and the way there and back."""
HARMFUL: Final = timedelta(minutes=2)
"""From here on deadlines, leases and logins by token (RFC 7519, 4.1.4) go wrong."""


def compared(part: str, theirs: datetime, ours: datetime) -> Finding:
    """What the difference between a server's clock and this machine's is."""
    difference = abs(theirs - ours)
    said = f"The clock of {part} and that of this machine differ by {difference.total_seconds():,.0f} s"
    if difference >= HARMFUL:
        return failure("clocks", f"{said}: deadlines and logins go wrong. Let both follow NTP (timedatectl).")
    if difference >= NOTICED:
        return warning("clocks", f"{said}: let both follow NTP (timedatectl).")
    return well("clocks", f"That of {part} and of this machine agree.")
