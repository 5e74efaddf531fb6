"""What an unread mail still needs, by what the ledger knows of it (DESIGN 1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from shared.messages import MailId


@dataclass(frozen=True, slots=True)
class KnownMail:
    """A mail's row in the ledger, as far as the fetcher asks."""

    mail_id: MailId
    received_at: datetime
    published_at: datetime | None
    marked_read_at: datetime | None


class Need(Enum):
    """The next step of an unread mail."""

    TAKE_IN = "take in"
    """The ledger does not know it: store, publish, mark read."""
    PUBLISH = "publish"
    """A crash came between storing and publishing: publish what is stored, mark read."""
    MARK_READ = "mark read"
    """A crash came between publishing and marking."""
    NOTHING = "nothing"
    """It was marked read, and somebody set it back to unread: that changes nothing (SPEC D13)."""


def is_of_another(known: KnownMail | None, received_at: datetime) -> bool:
    """Whether that row is of another mail than the one that arrived then: it was done with before this one came."""
    return (
        known is not None
        and known.marked_read_at is not None
        and received_at != known.received_at
        and received_at > known.marked_read_at
    )


def need(known: KnownMail | None) -> Need:
    """The next step of an unread mail; `known` is its row in the ledger, None when it has none."""
    if known is None:
        return Need.TAKE_IN
    if known.published_at is None:
        return Need.PUBLISH
    if known.marked_read_at is None:
        return Need.MARK_READ
    return Need.NOTHING
