"""Dead letters: the messages in the `.dead` queues, and what the ledger says of them (DESIGN 5).

They are looked at by taking them without acknowledgement and giving them back: nothing is lost, and their order stays.
A replay is a confirmed copy on the work queue, then the ledger's note, then the acknowledgement; a crash in between
makes a second copy, which the services know by the mail or the event.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from aio_pika.abc import AbstractChannel, AbstractIncomingMessage

from services.console.audit import Kind, record
from services.console.queues import BrokerConfiguration
from services.console.repairs.mails import note_discarded
from shared.broker.session import Session, broker_trouble
from shared.broker.topology import MAIL_QUEUES, WORK_QUEUES, dead_queue
from shared.broker.wire import AT, COUNTERS, FIRST_ERROR, LAST_ERROR, REASON, SERVICE, Delivery
from shared.database.pool import Connection
from shared.messages import MailId
from shared.sentences import Sentence

_OPEN: Final = """
    SELECT letter.queue, letter.mail_id, letter.recorded_at, letter.reason, mail.subject
    FROM dead_letters AS letter JOIN imported_mails AS mail USING (mail_id)
    WHERE letter.resolved_at IS NULL ORDER BY letter.recorded_at, letter.id"""

_RESOLVE: Final = """
    UPDATE dead_letters SET resolved_at = greatest(now(), recorded_at)
    WHERE mail_id = $1 AND queue = $2 AND resolved_at IS NULL RETURNING true"""


MOST_AT_ONCE: Final = 1000
"""Letters of a queue that one command takes into its hands: each may weigh 256 KiB."""


@dataclass(frozen=True, slots=True)
class LetterFacts:
    """What a dead letter says: `size` in bytes, `headers` those with which a replay would be published."""

    queue: str
    mail_id: uuid.UUID | None
    message_id: str | None
    parked_at: datetime | None
    service: str | None
    failures: int
    size: int
    reason: str | None
    first_error: str | None
    last_error: str | None
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class LostLetter:
    """A dead letter of the ledger that has no message."""

    queue: str
    mail_id: uuid.UUID
    recorded_at: datetime
    reason: str
    subject: str | None


@dataclass(frozen=True, slots=True)
class Letter:
    """A message in a `.dead` queue, in our hands until it is acknowledged or given back."""

    delivery: Delivery
    message: AbstractIncomingMessage

    @property
    def mail_id(self) -> uuid.UUID | None:
        """The mail that it is about, None where it does not say."""
        return self.delivery.mail_id

    def answers_to(self, key: str) -> bool:
        """Whether `key` is the id of its mail or its own."""
        return key in {str(self.mail_id), self.delivery.message_id}

    def facts(self) -> LetterFacts:
        """What it says, its message left in our hands."""
        headers = self.delivery.headers
        return LetterFacts(
            queue=self.delivery.queue,
            mail_id=self.mail_id,
            message_id=self.delivery.message_id,
            parked_at=_moment(headers.get(AT)),
            service=headers.get(SERVICE),
            failures=self.delivery.failures,
            size=len(self.delivery.body),
            reason=headers.get(REASON) or headers.get(LAST_ERROR),
            first_error=headers.get(FIRST_ERROR),
            last_error=headers.get(LAST_ERROR),
            headers={
                name: str(value)
                for name, value in sorted(headers.items())
                if name not in COUNTERS and not name.startswith("x-")
            },
        )


def _moment(header: Any) -> datetime | None:
    """The time that a header holds, None where it holds none."""
    try:
        return datetime.fromisoformat(str(header))
    except ValueError:
        return None


@asynccontextmanager
async def letters(configuration: BrokerConfiguration, queues: Sequence[str]) -> AsyncIterator[list[Letter]]:
    """The dead letters of these work queues, oldest first; whatever is not acknowledged is given back at the end.

    At most MOST_AT_ONCE of each queue. Meanwhile nobody else sees them. Raises BrokerOutage.
    """
    async with await Session.open(configuration.amqp_dsn, "helpdesk-importer dead-letters") as session:
        channel = await session.channel()
        yield [letter for queue in queues for letter in await _held(channel, queue)]
        with broker_trouble(Sentence("giving dead letters back")):
            await channel.close()


async def _held(channel: AbstractChannel, queue: str) -> list[Letter]:
    held: list[Letter] = []
    with broker_trouble(Sentence("looking into %(queue)s", queue=dead_queue(queue))):
        opened = await channel.get_queue(dead_queue(queue), ensure=False)
        while len(held) < MOST_AT_ONCE and (message := await opened.get(fail=False)) is not None:
            delivery = Delivery.of(message.body, message.properties, queue, redelivered=message.redelivered)
            held.append(Letter(delivery, message))
    return held


async def without_message(
    connection: Connection, seen_letters: Sequence[Letter], queues: Sequence[str]
) -> list[LostLetter]:
    """Letters that are open in the ledger and have no message in the queues: mails that could not be published."""
    seen = {(letter.delivery.queue, letter.mail_id) for letter in seen_letters}
    return [
        LostLetter(**row)
        for row in await connection.fetch(_OPEN)
        if row["queue"] in queues and (row["queue"], row["mail_id"]) not in seen
    ]


async def resolve(connection: Connection, letter: Letter) -> None:
    """Note that the letter was replayed, in the transaction of the caller."""
    await _record(connection, letter, "replayed")
    if letter.mail_id is not None:
        await connection.execute(_RESOLVE, letter.mail_id, letter.delivery.queue)


async def settle(connection: Connection, letter: Letter) -> None:
    """Note that a person discarded the letter, and with it the mail that it kept in quarantine."""
    await _record(connection, letter, "discarded")
    if letter.mail_id is None:
        return
    was_open = await connection.fetchval(_RESOLVE, letter.mail_id, letter.delivery.queue)
    if was_open and letter.delivery.queue in MAIL_QUEUES:
        await note_discarded(connection, MailId(letter.mail_id))


async def drop(connection: Connection, letter: Letter) -> None:
    """Note that the letter is thrown away since all that it asked for is done: its mail stays as it is."""
    await _record(connection, letter, "dropped")
    if letter.mail_id is not None:
        await connection.execute(_RESOLVE, letter.mail_id, letter.delivery.queue)


async def _record(connection: Connection, letter: Letter, deed: str) -> None:
    """Record it in the audit log: not every letter is about a mail, and has a row of its own."""
    delivery = letter.delivery
    told = {"queue": delivery.queue, "reason": delivery.headers.get(REASON) or delivery.headers.get(LAST_ERROR)}
    await record(
        connection, Kind.REPAIR, deed, "dead letter", thing_id=delivery.message_id, mail_id=letter.mail_id, told=told
    )


def all_queues() -> tuple[str, ...]:
    """The work queues, in the order of a mail's way."""
    return tuple(queue.name for queue in WORK_QUEUES)
