"""Old mail (SPEC D18): what lies before «importeren vanaf» is left alone; too much old mail at once waits for a person.

A mailbox is listed oldest first, in pages, so the old mails come before all newer ones. They are held back until either
a newer mail (or the end) shows that there are few of them, and they are let through, or there are more than the limit,
and all of them wait: with this check none of them is imported, and no more than the limit is ever held in memory.

What a person chooses is for the old mails that waited then, told by their arrival: old mail that is put into the
mailbox before his choice has been carried out counts as having waited. It lets them through, each with the choice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

from shared.messages import ImportChoice


class Received(Protocol):
    """Anything that has arrived."""

    @property
    def received_at(self) -> datetime:
        """The moment of arrival."""
        ...


M = TypeVar("M", bound=Received)


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a person chose, at `at`, for the old mails that arrived up to `until`."""

    choice: ImportChoice
    at: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class ReadAgain:
    """Mail that arrived from `since` to `until` may have been imported and be known no more (a restored database)."""

    since: datetime
    until: datetime
    silent: bool
    """It causes no mails: a person said so, since they went out the first time."""

    def choice_for(self, mail: Received) -> ImportChoice | None:
        """That choice for mail of then."""
        is_of_then = self.since <= mail.received_at <= self.until
        return ImportChoice.IMPORT_WITHOUT_MAILS if self.silent and is_of_then else None


@dataclass(frozen=True, slots=True)
class BacklogRule:
    """The settings of D18, as moments: `old_before` is now less the setting's days."""

    import_from: datetime | None
    old_before: datetime
    limit: int
    chosen: Chosen | None = None

    @classmethod
    def at(
        cls,
        now: datetime,
        *,
        import_from: datetime | None,
        old_mail_days: int,
        limit: int,
        chosen: Chosen | None = None,
    ) -> BacklogRule:
        """The rule as it holds at `now`."""
        return cls(import_from, now - timedelta(days=old_mail_days), limit, chosen)

    def is_old(self, mail: Received) -> bool:
        """Whether it is old mail."""
        return mail.received_at < self.old_before

    def choice_for(self, mail: Received) -> ImportChoice | None:
        """What a person chose for this mail; None for a mail about which nobody was asked."""
        if self.chosen is None or mail.received_at > self.chosen.until or not self.is_old(mail):
            return None
        return self.chosen.choice


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many old mails wait for a person, and when the oldest and the newest of them arrived."""

    count: int
    oldest_at: datetime
    newest_at: datetime


@dataclass(frozen=True, slots=True)
class Backlog(Generic[M]):
    """The old mails met so far in one listing: `held` back, or, once they are too many, `waiting`."""

    rule: BacklogRule
    held: tuple[M, ...] = ()
    waiting: Waiting | None = None

    def admit(self, page: Sequence[M]) -> tuple[Backlog[M], list[M]]:
        """The next unknown mails of the listing, oldest first: the state after them, and what is to be imported now."""
        start = self.rule.import_from
        wanted = [mail for mail in page if start is None or mail.received_at >= start]
        chosen = [mail for mail in wanted if self.rule.choice_for(mail) is not None]
        others = wanted[len(chosen) :]
        old = [mail for mail in others if self.rule.is_old(mail)]
        newer = others[len(old) :]
        after = self._met(old)
        if not newer:
            return after, chosen
        return replace(after, held=()), [*chosen, *after.held, *newer]

    def close(self) -> list[M]:
        """The listing has ended: the mails that are still held back and may be imported after all."""
        return list(self.held)

    def _met(self, old: Sequence[M]) -> Backlog[M]:
        if not old:
            return self
        if self.waiting is not None:
            more = replace(self.waiting, count=self.waiting.count + len(old), newest_at=old[-1].received_at)
            return replace(self, waiting=more)
        held = (*self.held, *old)
        if len(held) > self.rule.limit:
            return replace(self, held=(), waiting=Waiting(len(held), held[0].received_at, held[-1].received_at))
        return replace(self, held=held)
