"""How many mailboxes are checked at once, and of which servers no more: one that does not answer delays no other.

    a check                                    takes
    that gets on                               one of the fetcher's places (IMPORTER_WORKERS)
    in which nothing moved for STILL           none of them; MOST times the places may be taken in all

    a server                                   is given
    that answered when it was last asked       whatever is free
    that did not, or has a check that stands   at most half of the places, and none while such checks alone take
    still                                      STANDING times the places

So a server that dies holds the others up for STILL at most, once; its mailboxes wait in places of their own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

STILL: Final = timedelta(seconds=3)
"""A server that takes so long for one request is not asked much at once."""
STANDING: Final = 2
MOST: Final = 4


@dataclass(frozen=True, slots=True)
class Running:
    """A check that goes on: at which server, and how long ago it last got on (a page, a mail, a mark)."""

    server: str
    unmoved: timedelta

    @property
    def stands_still(self) -> bool:
        """Whether it takes no place from others any more."""
        return self.unmoved >= STILL


@dataclass(frozen=True, slots=True)
class Room:
    """How many checks may begin now; `of_one` at most of each of the `doubted` servers, less what runs there."""

    checks: int
    doubted: Collection[str]
    of_one: int
    running: Counter[str]

    @property
    def full(self) -> list[str]:
        """The servers of which no check may begin."""
        return [server for server in self.doubted if self.left(server) <= 0]

    def left(self, server: str) -> int:
        """How many checks of this server may begin."""
        return min(self.checks, self.of_one - self.running[server]) if server in self.doubted else self.checks

    def with_one_of(self, server: str) -> Room:
        """What is left once a check of this server begins."""
        return Room(self.checks - 1, self.doubted, self.of_one, self.running + Counter([server]))


def room(running: Collection[Running], *, places: int, unanswering: Collection[str]) -> Room:
    """What may begin beside `running`; `unanswering` are the servers that did not answer when they were last asked."""
    standing = sum(check.stands_still for check in running)
    doubted = {*unanswering, *(check.server for check in running if check.stands_still)}
    return Room(
        max(0, min(places - (len(running) - standing), MOST * places - len(running))),
        doubted,
        max(1, places // 2) if standing < STANDING * places else 0,
        Counter(check.server for check in running),
    )
