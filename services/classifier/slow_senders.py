"""Senders whose mail took a reader too long: their next mails wait behind those of the others.

A replica remembers what it met itself. It is a matter of fairness, not of outcome: another replica, or this one after a
restart, gives such a mail its few seconds among the others once more, and then knows.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Final

from shared.messages import MailAddress

SECONDS: Final = 3_600
"""How long a sender waits behind the others after the last of his mails that took too long."""
_MOST: Final = 1_000
"""Senders that are remembered: of more, those who were met longest ago are forgotten."""


class SlowSenders:
    """A set of senders, each forgotten after SECONDS; false while it is empty."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._met: dict[str, float] = {}
        """When each was met, by address in lower case, the latest last."""

    def add(self, senders: Iterable[MailAddress]) -> None:
        """Remember the senders of a mail."""
        for sender in senders:
            address = sender.address.lower()
            self._met.pop(address, None)
            self._met[address] = self._now()
        while len(self._met) > _MOST:
            self._met.pop(next(iter(self._met)))

    def __contains__(self, senders: Iterable[MailAddress]) -> bool:
        """Whether one of the senders of a mail is remembered."""
        self._forget()
        return any(sender.address.lower() in self._met for sender in senders)

    def __bool__(self) -> bool:
        self._forget()
        return bool(self._met)

    def _forget(self) -> None:
        oldest = self._now() - SECONDS
        while self._met and next(iter(self._met.values())) < oldest:
            self._met.pop(next(iter(self._met)))
