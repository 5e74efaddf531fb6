"""Old mail (SPEC D18): what lies before «importeren vanaf» is left alone; too much old mail at once waits for a person.

A mailbox is listed oldest first, in pages, so the old mails come before all newer ones. They are held back until either
a newer mail (or the end) shows that there are few of them, and they are let through, or there are more than the limit,
and all of them wait: with this check none of them is imported, and no more than the limit is ever held in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar


class Received(Protocol):
    """Anything that has arrived."""

    @property
    def received_at(self) -> datetime:
        """The moment of arrival."""
        ...


M = TypeVar("M", bound=Received)


@dataclass(frozen=True, slots=True)
class BacklogRule:
    """The settings of D18, as moments: `old_before` is now less the setting's days."""

    import_from: datetime | None
    old_before: datetime
    limit: int

    @classmethod
    def at(cls, now: datetime, *, import_from: datetime | None, old_mail_days: int, limit: int) -> BacklogRule:
        """The rule as it holds at `now`."""
        return cls(import_from, now - timedelta(days=old_mail_days), limit)


@dataclass(frozen=True, slots=True)
class Backlog(Generic[M]):
    """The old mails met so far in one listing: `held` back, or, once they are too many, `waiting` (how many)."""

    rule: BacklogRule
    held: tuple[M, ...] = ()
    waiting: int = 0

    def admit(self, page: Sequence[M]) -> tuple[Backlog[M], list[M]]:
        """The next unknown mails of the listing, oldest first: the state after them, and what is to be imported now."""
        start = self.rule.import_from
        wanted = [mail for mail in page if start is None or mail.received_at >= start]
        old = [mail for mail in wanted if mail.received_at < self.rule.old_before]
        newer = wanted[len(old) :]
        after = self._met(old)
        if not newer:
            return after, []
        return replace(after, held=()), [*after.held, *newer]

    def close(self) -> list[M]:
        """The listing has ended: the mails that are still held back and may be imported after all."""
        return list(self.held)

    def _met(self, old: Sequence[M]) -> Backlog[M]:
        if self.waiting:
            return replace(self, waiting=self.waiting + len(old))
        held = (*self.held, *old)
        if len(held) > self.rule.limit:
            return replace(self, held=(), waiting=len(held))
        return replace(self, held=held)
