"""What must be true when all is over: what was sent, the ledger, the tickets and the received mail, compared.

Pure functions on frozen values, which know neither the importer nor how the values were come by (`records`). Each
returns a sentence for every difference.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final, Literal, TypeVar

_Key = TypeVar("_Key")

RECORDED_WITHIN: Final = 60.0
"""Seconds after a mail server's `250` in which the notifier records it, also while a table is locked."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail that was put into a mailbox, and what must become of it.

    `number` stands in its text and, if it `has_picture`, in its picture. `ticket` is the number that it answers.
    `notifications`: the kinds of mail that must be sent about it.
    """

    number: int
    key: str
    becomes: Literal["ticket", "supplement"]
    ticket: str | None
    has_text: bool
    has_picture: bool
    notifications: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the ledger; `open` names what is still to be done about it, `reasons` why it has its outcome."""

    key: str
    outcome: str | None
    reasons: tuple[str, ...] = ()
    open: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Placed:
    """A ticket or a supplement that was made of a mail: the numbers of mails whose text and pictures it has."""

    what: Literal["ticket", "supplement"]
    ticket: str
    key: str
    texts: frozenset[int]
    pictures: frozenset[int]
    broken: tuple[str, ...] = ()
    """Pictures whose bytes are not those of their name."""


@dataclass(frozen=True, slots=True)
class Notification:
    """A mail that the importer was to send about the mail `key`."""

    key: str
    kind: str
    state: str
    message_id: str | None


@dataclass(frozen=True, slots=True)
class Receipt:
    """A mail that the mail server took. `cut`: whether its answer may not have come through. `at` in seconds."""

    message_id: str
    digest: str
    at: float
    cut: bool = False


def lost(mails: Iterable[Mail], rows: Iterable[Row], placed: Iterable[Placed], read: frozenset[str]) -> list[str]:
    """Mails that did not become what they must, whole; `read` are the keys of those marked as read in the mailbox."""
    by_key = {row.key: row for row in rows}
    places = _by_key(placed)
    return [
        f"mail {mail.number} ({mail.key}): {problem}"
        for mail in mails
        for problem in _losses(mail, by_key.get(mail.key), places.get(mail.key, ()), mail.key in read)
    ]


def _losses(mail: Mail, row: Row | None, places: Sequence[Placed], is_read: bool) -> Iterator[str]:  # noqa: FBT001 - a fact about it
    if row is None:
        yield "the ledger does not have it"
        return
    why = f" ({', '.join(row.reasons)})" if row.reasons else ""
    if row.outcome != mail.becomes:
        yield f"its outcome is {row.outcome}{why}, not {mail.becomes}"
    for what in row.open:
        yield f"not finished: {what}"
    if not is_read:
        yield "unread in the mailbox"
    own = [place for place in places if place.what == mail.becomes]
    if not own:
        yield f"no {mail.becomes} was made of it"
    elif mail.has_text and not any(mail.number in place.texts for place in own):
        yield f"its text is not in its {mail.becomes}{why}"
    elif mail.has_picture and not any(mail.number in place.pictures for place in own):
        yield f"its picture is not in its {mail.becomes}{why}"
    for place in own:
        yield from (f"the bytes of its picture changed: {picture}" for picture in place.broken)


def doubled(rows: Iterable[Row], placed: Iterable[Placed]) -> list[str]:
    """Mails that the ledger has twice, or of which more than one ticket or supplement was made."""
    twice = [f"{key}: {count} rows in the ledger" for key, count in _more_than_once(row.key for row in rows)]
    made = _more_than_once(place.key for place in placed)
    return twice + [f"{key}: {count} tickets and supplements were made of it" for key, count in made]


def misfiled(mails: Iterable[Mail], placed: Iterable[Placed]) -> list[str]:
    """Tickets and supplements with the text or a picture of another mail, and supplements of another ticket."""
    by_key = {mail.key: mail for mail in mails}
    problems = []
    for place in placed:
        mail = by_key.get(place.key)
        if mail is None:
            problems.append(f"a {place.what} of ticket {place.ticket} was made of {place.key}, which nobody sent")
            continue
        if mail.becomes == place.what == "supplement" and mail.ticket != place.ticket:
            problems.append(f"mail {mail.number} answers ticket {mail.ticket} and is filed in {place.ticket}")
        for what, numbers in (("text", place.texts), ("a picture", place.pictures)):
            problems += [
                f"ticket {place.ticket} has {what} of mail {other} in its {place.what} of mail {mail.number}"
                for other in sorted(numbers - {mail.number})
            ]
    return problems


def notifications_missing(
    mails: Iterable[Mail], notifications: Iterable[Notification], receipts: Iterable[Receipt]
) -> list[str]:
    """Mails to people that were to be sent, and were not, or that the mail server never got."""
    received = {receipt.message_id for receipt in receipts}
    sent = defaultdict(list)
    for each in notifications:
        sent[each.key, each.kind].append(each)
    problems = []
    for mail in mails:
        for kind in mail.notifications:
            states = sent[mail.key, kind]
            if not any(each.state == "sent" and each.message_id in received for each in states):
                found = ", ".join(each.state for each in states) or "there is none"
                problems.append(f"the mail {kind} about mail {mail.number} was not received: {found}")
    return problems


def notifications_doubled(
    notifications: Iterable[Notification], receipts: Iterable[Receipt], deaths: Sequence[float]
) -> tuple[list[str], int]:
    """Mails to people that came twice, and how many repetitions are left out of that as the window of SMTP.

    A mail comes once more with the same Message-ID and bytes when the server's answer to it did not come through, or
    when a notifier died (at `deaths`, in seconds) between that answer and its own commit: SMTP leaves that open.
    """
    planned = _more_than_once((each.key, each.kind) for each in notifications if each.state == "sent")
    problems = [f"{key}: the mail {kind} was sent as {count} different mails" for (key, kind), count in planned]
    window = 0
    by_id = defaultdict(list)
    for receipt in receipts:
        by_id[receipt.message_id].append(receipt)
    known = {each.message_id for each in notifications}
    for message_id, copies in by_id.items():
        if message_id not in known:
            problems.append(f"{message_id} was received and the importer knows nothing of it")
        for earlier, later in pairwise(copies):
            if earlier.digest != later.digest:
                problems.append(f"{message_id} came again as another mail")
            elif earlier.cut or any(earlier.at <= death <= earlier.at + RECORDED_WITHIN for death in deaths):
                window += 1
            else:
                problems.append(
                    f"{message_id} came again though its first answer was heard and no notifier died: first at "
                    f"{datetime.fromtimestamp(earlier.at, UTC):%H:%M:%S.%f}, again {later.at - earlier.at:.1f} s later"
                )
    return problems, window


def _by_key(placed: Iterable[Placed]) -> Mapping[str, list[Placed]]:
    places = defaultdict(list)
    for place in placed:
        places[place.key].append(place)
    return places


def _more_than_once(keys: Iterable[_Key]) -> list[tuple[_Key, int]]:
    return [(key, count) for key, count in Counter(keys).items() if count > 1]


def recovery_seconds(ends: Iterable[float], delivered_at: Sequence[float], outcomes_at: Sequence[float]) -> list[float]:
    """Seconds from the end of each fault to the next outcome, for those at whose end a mail waited for one.

    All in seconds since 1970, `delivered_at` and `outcomes_at` ascending.
    """
    recovered = []
    for end in ends:
        decided = bisect_right(outcomes_at, end)
        if decided < bisect_right(delivered_at, end) and decided < len(outcomes_at):
            recovered.append(outcomes_at[decided] - end)
    return recovered
