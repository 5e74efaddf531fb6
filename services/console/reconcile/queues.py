"""The queues beside the ledger: mails that are lost on their way, and messages that nobody needs.

A message can be looked at only by taking it and giving it back, which RabbitMQ counts as a delivery. So the `.dead`
queues are looked into each time, where that does no harm, and the others only when the ledger has a mail that should
have its outcome by now; the queues of suspects never, since what is delivered there too often is given up. What a
service has in hand meanwhile is seen nowhere: a mail counts as lost when it is missing twice, PAUSE apart.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from aio_pika.abc import AbstractChannel
from pydantic import SecretStr

from services.console.reconcile.differences import Difference
from services.console.reconcile.kinds import Kind, Remedy
from services.console.texts import N_
from shared.broker.administration import management
from shared.broker.session import Session, broker_trouble
from shared.broker.topology import MAIL_QUEUES, WAITS, WORK_QUEUES, dead_queue, suspect_queue, wait_queue
from shared.database.pool import Connection, Pool, connection
from shared.sentences import Sentence

PAUSE: Final = timedelta(seconds=20)
MOST_LATE: Final = 10_000
"""Mails without an outcome that are looked for at a time."""
MOST_MESSAGES: Final = 5_000
"""Messages of a queue that are looked at: each may weigh 256 KiB, and waits meanwhile. Longer queues are left alone."""
TIMES_PUBLISHED: Final = 3
"""How often a mail is published again before a person is asked: something loses its messages."""

_SUSPECTS: Final = N_("%(suspects)s suspects, which may be the %(missing)s mails not seen.")
_TOO_LONG: Final = N_("%(queue)s has more than %(most)s messages, and was not looked at whole.")
_NO_FETCHER: Final = N_("It is due to be published again, and no fetcher does so: see that one runs.")
_LOST_AGAIN: Final = N_("It was published %(times)s times again: something loses it.")
_IS_IN: Final = N_("It is in %(queue)s.")
_IS_OF: Final = N_("It is of %(queue)s: %(reason)s")

_LATE: Final = """
-- $1 grace, $2 a helpdesk or null, $3 mails, or null for all, $4 how many at most
SELECT mail_id, helpdesk_id, coalesce(published_at, fetched_at) AS since, republish_count,
    coalesce(next_republish_at < now() - interval '10 minutes', false) AS is_due
FROM imported_mails AS mail
WHERE awaits_outcome AND coalesce(published_at, fetched_at) < now() - $1::interval
  AND ($2::bigint IS NULL OR helpdesk_id = $2) AND ($3::uuid[] IS NULL OR mail_id = ANY($3))
  AND NOT EXISTS (SELECT FROM dead_letters WHERE mail_id = mail.mail_id AND resolved_at IS NULL)
  AND NOT EXISTS (SELECT FROM held_mails WHERE mail_id = mail.mail_id AND held_until > now() - $1::interval)
ORDER BY next_republish_at NULLS FIRST LIMIT $4
"""

_ABOUT: Final = """
-- $1 mails: what the ledger says of them, and whether all that an event asks for is done
SELECT mail_id, helpdesk_id, outcome, awaits_outcome,
    NOT EXISTS (SELECT FROM notifications WHERE mail_id = mail.mail_id AND state = 'planned') AS all_told
FROM imported_mails AS mail WHERE mail_id = ANY($1)
"""

_OPEN_LETTERS: Final = """
-- $1 grace, $2 a helpdesk or null
SELECT letter.mail_id, letter.queue, letter.recorded_at, letter.reason, mail.helpdesk_id
FROM dead_letters AS letter JOIN imported_mails AS mail USING (mail_id)
WHERE letter.resolved_at IS NULL AND letter.recorded_at < now() - $1::interval
  AND ($2::bigint IS NULL OR mail.helpdesk_id = $2)
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """A message that was looked at: the queue that it is in, the work queue beside it, its mail and its own id."""

    queue: str
    of: str
    mail_id: uuid.UUID | None
    message_id: str | None


@dataclass(frozen=True, slots=True)
class Looked:
    """What was seen, and the queues that could not be seen whole."""

    messages: tuple[Seen, ...]
    too_long: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Late:
    mail_id: uuid.UUID
    helpdesk_id: int
    since: datetime
    republish_count: int
    is_due: bool
    """To be published again for long: no fetcher does it."""


@dataclass(frozen=True, slots=True)
class Queues:
    """Where RabbitMQ is, for the user importer_reconciler; `management` for what cannot be looked at."""

    amqp: SecretStr
    management: SecretStr
    vhost: str
    pause: timedelta = PAUSE

    async def compare(
        self, pool: Pool, grace: timedelta, helpdesk_id: int | None
    ) -> tuple[int, Sequence[Difference], Sequence[str]]:
        """How many messages were looked at, what differs, and what could not be compared. Raises Outage."""
        async with await Session.open(self.amqp, "helpdesk-importer reconcile") as session:
            parked = await look_into(session, {dead_queue(queue.name): queue.name for queue in WORK_QUEUES})
            found = [*await _of_parked(pool, parked, helpdesk_id), *await _letters(pool, parked, grace, helpdesk_id)]
            late = await _late(pool, grace, helpdesk_id)
            if not late:
                return len(parked.messages), found, _too_long(parked)
            under_way = await look_into(session, _on_the_way())
            missing = [mail for mail in late if mail.mail_id not in _mails_of(under_way)]
            if missing:
                await asyncio.sleep(self.pause.total_seconds())
                again = await look_into(session, _on_the_way())
                missing = await _late(pool, grace, helpdesk_id, [mail.mail_id for mail in missing])
                missing = [mail for mail in missing if mail.mail_id not in _mails_of(again)]
                under_way = replace(under_way, too_long=(*under_way.too_long, *again.too_long))
        found += await _copies(pool, under_way, helpdesk_id)
        looked_at = len(parked.messages) + len(under_way.messages)
        notes = [*_too_long(parked), *_too_long(under_way)]
        suspects = await self._suspects() if missing else 0
        if missing and under_way.too_long:
            return looked_at, found, notes
        if missing and suspects >= len(missing):
            return looked_at, found, [*notes, Sentence(_SUSPECTS, suspects=suspects, missing=len(missing))]
        return looked_at, [*found, *map(_stuck, missing)], notes

    async def _suspects(self) -> int:
        """Messages that are handled one at a time, in queues that are not looked into; some seconds ago."""
        async with management(self.management, self.vhost) as broker:
            queues = await broker.get(f"queues/{broker.vhost}") or ()
        counts = {queue["name"]: int(queue.get("messages") or 0) for queue in queues}
        return sum(counts.get(suspect_queue(name), 0) for name in MAIL_QUEUES)


async def look_into(session: Session, queues: dict[str, str]) -> Looked:
    """The messages of these queues (by the work queue that each belongs to), all given back at the end."""
    channel = await session.channel()
    seen: list[Seen] = []
    too_long = []
    with broker_trouble(Sentence("looking into the queues")):
        for name, of in queues.items():
            messages, is_whole = await _messages_of(channel, name, of)
            seen += messages
            if not is_whole:
                too_long.append(name)
        await channel.close()
    return Looked(tuple(seen), tuple(too_long))


async def _messages_of(channel: AbstractChannel, name: str, of: str) -> tuple[list[Seen], bool]:
    """What the queue holds, and whether that is all; the messages stay ours until the channel ends."""
    opened = await channel.get_queue(name, ensure=False)
    seen: list[Seen] = []
    while (message := await opened.get(fail=False)) is not None:
        seen.append(Seen(name, of, _uuid(message.correlation_id), message.message_id))
        if len(seen) >= MOST_MESSAGES:
            return seen, False
    return seen, True


def _uuid(text: str | None) -> uuid.UUID | None:
    try:
        return uuid.UUID(text or "")
    except ValueError:
        return None


def _on_the_way() -> dict[str, str]:
    """Where a mail is on its way to its outcome, suspects and dead letters left out."""
    return {name: queue for queue in MAIL_QUEUES for name in (queue, *(wait_queue(queue, wait) for wait in WAITS))}


def _mails_of(looked: Looked) -> Collection[uuid.UUID]:
    return {message.mail_id for message in looked.messages if message.mail_id is not None}


def _too_long(looked: Looked) -> list[str]:
    return [Sentence(_TOO_LONG, queue=name, most=MOST_MESSAGES) for name in looked.too_long]


async def _late(
    pool: Pool, grace: timedelta, helpdesk_id: int | None, mails: Sequence[uuid.UUID] | None = None
) -> list[_Late]:
    async with connection(pool) as acquired:
        return [_Late(**row) for row in await acquired.fetch(_LATE, grace, helpdesk_id, mails, MOST_LATE)]


def _stuck(mail: _Late) -> Difference:
    detail, remedy = "", None
    if mail.is_due:
        detail, remedy = Sentence(_NO_FETCHER), Remedy.PERSON
    elif mail.republish_count >= TIMES_PUBLISHED:
        detail, remedy = Sentence(_LOST_AGAIN, times=mail.republish_count), Remedy.PERSON
    return Difference(Kind.STUCK, mail.helpdesk_id, mail.mail_id, since=mail.since, detail=detail, remedy=remedy)


async def _of_parked(pool: Pool, parked: Looked, helpdesk_id: int | None) -> list[Difference]:
    """Parked messages of which nothing is wanted any more, and those about mails that nobody knows."""
    ledger = await _about(pool, _mails_of(parked))
    found = []
    for message in parked.messages:
        if message.mail_id is None:
            continue  # a person sees it: dead-letters list
        about = ledger.get(message.mail_id)
        if about is None:
            if helpdesk_id is None:
                found.append(_unknown(message))
        elif helpdesk_id in {None, about.helpdesk_id} and about.is_done(message.of):
            found.append(
                Difference(
                    Kind.LEFTOVER, about.helpdesk_id, message.mail_id, thing=message.message_id,
                    detail=Sentence(_IS_IN, queue=message.queue),
                )
            )  # fmt: skip
    return found


async def _copies(pool: Pool, looked: Looked, helpdesk_id: int | None) -> list[Difference]:
    """Messages under way about mails that have their outcome, and about mails that nobody knows."""
    ledger = await _about(pool, _mails_of(looked))
    found = []
    for message in looked.messages:
        about = None if message.mail_id is None else ledger.get(message.mail_id)
        if about is None and message.mail_id is not None and helpdesk_id is None:
            found.append(_unknown(message))
        elif about is not None and helpdesk_id in {None, about.helpdesk_id} and about.is_done(message.of):
            found.append(
                Difference(Kind.COPY, about.helpdesk_id, message.mail_id, detail=Sentence(_IS_IN, queue=message.queue))
            )
    return found


def _unknown(message: Seen) -> Difference:
    return Difference(
        Kind.UNKNOWN_MAIL, None, message.mail_id, thing=message.message_id, detail=Sentence(_IS_IN, queue=message.queue)
    )


async def _letters(pool: Pool, parked: Looked, grace: timedelta, helpdesk_id: int | None) -> list[Difference]:
    """Open dead letters of the ledger that have no message."""
    if parked.too_long:
        return []
    seen = {(message.of, message.mail_id) for message in parked.messages}
    async with connection(pool) as acquired:
        rows = await acquired.fetch(_OPEN_LETTERS, grace, helpdesk_id)
    return [
        Difference(
            Kind.LETTER_WITHOUT_MESSAGE, row["helpdesk_id"], row["mail_id"], since=row["recorded_at"],
            detail=Sentence(_IS_OF, queue=row["queue"], reason=row["reason"]),
        )
        for row in rows
        if (row["queue"], row["mail_id"]) not in seen
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class _About:
    """What the ledger says of the mail of a message."""

    mail_id: uuid.UUID
    helpdesk_id: int
    outcome: str | None
    awaits_outcome: bool
    all_told: bool

    def is_done(self, queue: str) -> bool:
        """Whether a message of this work queue would change nothing."""
        if queue in MAIL_QUEUES:
            return self.outcome in {"ticket", "supplement", "duplicate"}
        return self.outcome is not None and not self.awaits_outcome and self.all_told


async def done_by(acquired: Connection, mail_id: uuid.UUID, queue: str) -> bool:
    """Whether a message of this work queue about the mail would change nothing, as of now."""
    row = await acquired.fetchrow(_ABOUT, [mail_id])
    return row is not None and _About(**row).is_done(queue)


async def _about(pool: Pool, mails: Collection[uuid.UUID]) -> dict[uuid.UUID, _About]:
    if not mails:
        return {}
    async with connection(pool) as acquired:
        return {row["mail_id"]: _About(**row) for row in await acquired.fetch(_ABOUT, list(mails))}
