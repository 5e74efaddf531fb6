"""How many connections mail servers allow at a time, as far as they have told.

A server tells it by refusing one too many: Dovecot allows a login ten from one machine, Courier a machine four. What
was learnt is forgotten after an hour, since other programs use the same logins for a while.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

from services.fetcher.mailboxes.protocol import TooManyConnections
from services.fetcher.repository.mailboxes import ClaimedMailbox

REMEMBERED_SECONDS: Final = 3_600.0
NOTICED_SECONDS: Final = 1.0
"""Within which a server notices that a connection was closed: a refusal meanwhile says nothing of its limit."""

Holder = tuple[str, str]
"""Whose connections are counted together: a server and one of its logins, or a server and ''."""


def holders(claimed: ClaimedMailbox) -> tuple[Holder, Holder]:
    """Among whose connections that to this mailbox counts: its login's, and those of all logins at its server."""
    access = claimed.access
    return (claimed.server, (access.username or access.address or "").casefold()), (claimed.server, "")


class ConnectionLimits:
    """What servers allow, by holder."""

    def __init__(self) -> None:
        self._limits: dict[Holder, tuple[int, float]] = {}
        self._closed_at: dict[Holder, float] = {}

    def refused(self, claimed: ClaimedMailbox, refusal: TooManyConnections, others: Mapping[Holder, int]) -> bool:
        """A connection beside these `others` of ours was refused; False when none of them has to do with it."""
        login, all_logins = holders(claimed)
        holder = all_logins if refusal.of_all_logins else login
        if others[holder]:
            self._limits[holder] = others[holder], time.monotonic() + REMEMBERED_SECONDS
        return others[holder] > 0

    def may_be_unnoticed(self, claimed: ClaimedMailbox) -> bool:
        """Whether the server may not yet have noticed that a connection was closed for this one."""
        since = time.monotonic() - NOTICED_SECONDS
        return any(self._closed_at.get(holder, since) > since for holder in holders(claimed))

    def closed(self, holder: Holder) -> None:
        """A connection of this holder was closed to make room."""
        self._closed_at[holder] = time.monotonic()

    def of(self, holder: Holder) -> int | None:
        """The most connections at a time; None where no limit is known."""
        most, until = self._limits.get(holder, (0, 0.0))
        return most if time.monotonic() < until else None
