"""The database of ticket_writer beside the writing of mails (`writing`): events, dead letters, whether it answers."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

from services.ticket_writer import queries
from services.ticket_writer.writing import Earlier, Writing, event_of
from shared.database.pool import Pool, confirm_found, connection, transaction
from shared.messages import ClassifiedMail, TicketEvent

EVENTS_AT_ONCE: Final = 100


class Repository:
    """The database of ticket_writer."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @asynccontextmanager
    async def writing(self, mails: Sequence[ClassifiedMail]) -> AsyncIterator[Writing]:
        """A transaction for these mails, all locked. Raises Outage, and TryAgain on a conflict."""
        async with transaction(self._pool) as acquired:
            writing = Writing(acquired)
            await writing.lock(mails)
            yield writing

    @asynccontextmanager
    async def trying(self, mail: ClassifiedMail) -> AsyncIterator[Writing]:
        """The same for a mail that a person only tries: whatever is done is rolled back."""
        async with connection(self._pool) as acquired:
            trial = acquired.transaction()
            await trial.start()
            try:
                writing = Writing(acquired)
                await writing.lock([mail])
                yield writing
            finally:
                await trial.rollback()

    async def mark_published(self, events: Sequence[TicketEvent]) -> None:
        """Record that the broker has these events."""
        async with connection(self._pool) as acquired:
            await acquired.execute(queries.EVENTS_PUBLISHED, [event.mail_id for event in events])

    @asynccontextmanager
    async def left_behind(self, age: timedelta) -> AsyncIterator[tuple[TicketEvent, ...]]:
        """Events that are `age` old and not recorded as published; recorded so when the block ends without error.

        Their rows are locked meanwhile, and rows that another replica has locked are passed over.
        """
        async with transaction(self._pool) as acquired:
            rows = await acquired.fetch(queries.UNPUBLISHED_EVENTS, age, EVENTS_AT_ONCE)
            events = tuple(event_of(row) for row in rows)
            yield events
            await acquired.execute(queries.EVENTS_PUBLISHED, [event.mail_id for event in events])

    async def has_its_outcome(self, mail_id: uuid.UUID, replay: int) -> bool:
        """Whether a message of this replay would change nothing (`Earlier.stands_against`)."""
        async with connection(self._pool) as acquired:
            row = await acquired.fetchrow(queries.OUTCOME_OF_MAIL, mail_id)
            earlier = None if row is None else Earlier.of(row)
            if earlier is None or not earlier.stands_against(replay):
                return False
            await confirm_found(acquired)
        return True

    async def record_dead_letter(self, mail_id: uuid.UUID, queue: str, reason: str) -> None:
        """Record in the ledger that a message of this mail is parked (D7)."""
        async with connection(self._pool) as acquired:
            await acquired.execute(queries.RECORD_DEAD_LETTER, mail_id, queue, reason)
