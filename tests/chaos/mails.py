"""The mails of a run: of every kind of `tests.faults.mails`, in an order that the seed gives, numbered."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from tests.chaos.comparison import Mail
from tests.chaos.stage import MAILBOXES
from tests.faults.mails import Kind, mail_of

FIRST_TICKET: Final = 1_000_001
TICKETS: Final = 1_000
"""Of `customers.sql`, all of the first mailbox's helpdesk."""
_SHARES: Final[Mapping[Kind, float]] = {
    Kind.PLAIN: 60, Kind.IMAGE: 15, Kind.SUPPLEMENT: 22, Kind.LARGE: 2, Kind.TOO_LARGE: 1,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Draft:
    """A mail that is to be put into a mailbox."""

    number: int
    kind: Kind
    mailbox: str
    ticket: str | None

    @property
    def content(self) -> bytes:
        """Its bytes."""
        return mail_of(self.kind, self.number, self.ticket)


@dataclass(frozen=True, slots=True)
class Becomes:
    """What a mail of some kind in some mailbox becomes when nothing happens to it."""

    has_text: bool = False
    has_picture: bool = False
    notifications: tuple[str, ...] = ()

    def mail(self, draft: Draft, key: str) -> Mail:
        """What must become of this one."""
        what: Literal["ticket", "supplement"] = "supplement" if draft.kind is Kind.SUPPLEMENT else "ticket"
        return Mail(draft.number, key, what, draft.ticket, self.has_text, self.has_picture, self.notifications)


def one_of_each(first: int) -> list[Draft]:
    """A mail of each kind in each mailbox, numbered from `first`; supplements have tickets in one mailbox only."""
    kinds = [
        (kind, mailbox)
        for mailbox in MAILBOXES
        for kind in Kind
        if kind is not Kind.SUPPLEMENT or mailbox == MAILBOXES[0]
    ]
    return [
        Draft(first + place, kind, mailbox, str(FIRST_TICKET) if kind is Kind.SUPPLEMENT else None)
        for place, (kind, mailbox) in enumerate(kinds)
    ]


def drafts(seed: int, count: int, first: int) -> Iterator[Draft]:
    """So many mails, numbered from `first`."""
    chance = random.Random(seed)  # noqa: S311 - mails, no secret
    for number in range(first, first + count):
        [kind] = chance.choices(list(_SHARES), weights=list(_SHARES.values()))
        if kind is Kind.SUPPLEMENT:
            yield Draft(number, kind, MAILBOXES[0], str(FIRST_TICKET + chance.randrange(TICKETS)))
        else:
            yield Draft(number, kind, chance.choice(MAILBOXES), None)
