"""Senders whose mail took a reader too long: their next mails wait behind those of the others.

Anybody can write anybody's address in From. So only a sender is remembered for whom a trusted server vouches (DMARC, of
the domain in From): a forged mail makes nobody else's wait. A replica remembers what it met itself. It is a matter of
fairness, not of outcome: another replica, or this one after a restart, gives such a mail its few seconds among the
others once more, and then knows.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from services.classifier.reading.mime.address import is_usable
from services.classifier.reading.values import ReadMail
from shared.messages import DmarcResult

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

    def add(self, mail: ReadMail) -> None:
        """Remember who sent the mail, where that is sure."""
        if not (address := _vouched_for(mail)):
            return
        self._met.pop(address, None)
        self._met[address] = self._now()
        while len(self._met) > _MOST:
            self._met.pop(next(iter(self._met)))

    def sent(self, mail: ReadMail) -> bool:
        """Whether the mail is surely of a sender who is remembered."""
        self._forget()
        return _vouched_for(mail) in self._met

    def __bool__(self) -> bool:
        self._forget()
        return bool(self._met)

    def _forget(self) -> None:
        oldest = self._now() - SECONDS
        while self._met and next(iter(self._met.values())) < oldest:
            self._met.pop(next(iter(self._met)))


def _vouched_for(mail: ReadMail) -> str:
    """The address that the result is about: the first usable one of From; '' where no trusted server vouches for it."""
    if mail.dmarc is not DmarcResult.PASS:
        return ""
    return next((sender.address.lower() for sender in mail.from_ if is_usable(sender.address)), "")
