"""Which mail that somebody read already is new all the same (setting «ook gelezen mail importeren vanaf»).

    the mailbox's own state (where we were)   is looked at
    is there                                  what came into the folder since
    is missing, or the server lost it         what was received since the last whole look, less MARGIN; the first
                                              time since the setting's moment

A look at very many mails gives a part of them and a state to go on from; it is whole once no more come.

Never older than that moment. And read mail that was received more than «old mail» days before the last look is old mail
that a person filed here, whatever the server's state says of it: a server that tells all of a folder anew makes nothing
of it new. Unread mail is new by SPEC W1, with or without this.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Protocol

MARGIN: Final = timedelta(hours=1)
"""By so much clocks may differ, and mails come into a folder later than they were received."""


class Received(Protocol):
    """Anything that has arrived."""

    @property
    def received_at(self) -> datetime:
        """The moment of arrival."""
        ...


@dataclass(frozen=True, slots=True)
class Reached:
    """How far a mailbox was followed: all that came until `until` was looked at, with the setting at `since`.

    `state` is the adapter's own, whatever it means to its server; it may be further than `until`.
    """

    since: datetime
    until: datetime
    state: str


@dataclass(frozen=True, slots=True)
class Following:
    """Where a look begins: at `state`, or without one at what was received at `look_from` or later.

    Read mail received before `oldest` is not new. `until` is the last whole look, or the setting's moment.
    """

    since: datetime
    state: str | None
    look_from: datetime
    oldest: datetime
    until: datetime

    @classmethod
    def after(cls, reached: Reached | None, since: datetime, old_mail: timedelta) -> Following:
        """The next look; one with another `since` than before begins anew."""
        if reached is None or reached.since != since:
            return cls(since, None, since, since, since)
        look_from, oldest = max(since, reached.until - MARGIN), max(since, reached.until - old_mail)
        return cls(since, reached.state, look_from, oldest, reached.until)

    def reached(self, state: str, now: datetime, *, more: bool) -> Reached:
        """How far the mailbox is followed after a look at `now` that came to `state`, with `more` still to come."""
        return Reached(self.since, self.until if more else now, state)

    @classmethod
    def again(cls, reached: Reached | None, moment: datetime) -> Following:
        """A look at all that was received at `moment` or later, which was imported before and is not known any more."""
        return replace(cls.after(reached, moment, timedelta(0)), look_from=moment, oldest=moment)

    def is_new(self, mail: Received) -> bool:
        """Whether a read mail that the look gave is new."""
        return mail.received_at >= self.oldest
