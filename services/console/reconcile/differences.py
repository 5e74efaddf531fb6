"""A difference, and all that were found. Pure."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from services.console.reconcile.kinds import KINDS, Kind, Remedy

NAMED: Final = 1000
"""Differences of a kind that are named and repaired at a time; of more there is the count."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference, about a mail, a notification, a message or a helpdesk's mailbox as a whole.

    `count` is of how many it tells; `thing` is the id of what else than a mail it is about; `detail` says more of its
    cause. `remedy` None: that of its kind.
    """

    kind: Kind
    helpdesk_id: int | None = None
    mail_id: uuid.UUID | None = None
    ticket: str | None = None
    since: datetime | None = None
    thing: str | None = None
    detail: str = ""
    count: int = 1
    remedy: Remedy | None = None

    @property
    def who(self) -> Remedy:
        """Who does something about it."""
        return self.remedy or KINDS[self.kind].remedy


@dataclass(slots=True)
class Found:
    """Differences as they are found: all are counted, the first of each kind are kept."""

    _kept: dict[Kind, list[Difference]] = field(default_factory=dict)
    _counts: Counter[tuple[Kind, Remedy]] = field(default_factory=Counter)

    def add(self, differences: Iterable[Difference]) -> None:
        """Take these too."""
        for difference in differences:
            self._counts[difference.kind, difference.who] += difference.count
            kept = self._kept.setdefault(difference.kind, [])
            if len(kept) < NAMED:
                kept.append(difference)

    def __iter__(self) -> Iterator[Difference]:
        """Those that are kept, in the order of the kinds."""
        return (difference for kind in Kind for difference in self._kept.get(kind, ()))

    def of(self, remedy: Remedy) -> Sequence[Difference]:
        """Those that are kept of which this is the remedy."""
        return [difference for difference in self if difference.who is remedy]

    @property
    def counts(self) -> Mapping[Kind, int]:
        """How many of each kind there are."""
        counts: Counter[Kind] = Counter()
        for (kind, _), count in self._counts.items():
            counts[kind] += count
        return {kind: counts[kind] for kind in Kind if counts[kind]}

    def count_of(self, *remedies: Remedy) -> int:
        """How many have one of these remedies."""
        return sum(count for (_, remedy), count in self._counts.items() if remedy in remedies)
