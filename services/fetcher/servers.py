"""Which servers answered when this process last asked them, so that one that does not is asked by few at a time.

What other fetchers met they know themselves; nothing here need survive a restart.
"""

from __future__ import annotations

import time
from collections.abc import Set as AbstractSet
from typing import Final

WAKING_SECONDS: Final = 60.0
"""A server that answers one mailbox and not the next wakes the waiting ones no more often."""


class Servers:
    """The servers of this process's mailboxes, by their name in `ClaimedMailbox.server`."""

    def __init__(self) -> None:
        self._unanswering: set[str] = set()
        self._woken: dict[str, float] = {}

    @property
    def unanswering(self) -> AbstractSet[str]:
        """Those that did not answer when they were last asked."""
        return self._unanswering

    def did_not_answer(self, server: str) -> None:
        """A check met silence, a refused connection, or an answer that broke off."""
        self._unanswering.add(server)

    def answered(self, server: str) -> bool:
        """A check met the server, whatever it said; whether the mailboxes that wait for it shall have their turn."""
        if server not in self._unanswering:
            return False
        self._unanswering.remove(server)
        now = time.monotonic()
        self._woken = {each: at for each, at in self._woken.items() if now - at < WAKING_SECONDS}
        if server in self._woken:
            return False
        self._woken[server] = now
        return True
