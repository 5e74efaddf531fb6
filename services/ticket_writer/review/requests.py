"""Carries out what the helpdesk UI asked for by `ui_v1.accept_review`: rows in `review_requests`, within seconds.

Each request is carried out and answered in one transaction, so that a crash leaves it open, for another replica or the
next round. A refusal is an answer too. Replicas pass over a request that another one has locked.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta
from typing import Final

import asyncpg
import structlog

from services.ticket_writer.review import queries
from services.ticket_writer.review.accepting import NotAccepted, accept
from shared.database.pool import Pool, transaction
from shared.errors import TryAgain

INTERVAL: Final = timedelta(seconds=2)
_OUR_ERRORS: Final = (asyncpg.IntegrityConstraintViolationError, asyncpg.DataError, LookupError, TypeError, ValueError)
"""What comes again however often the request is tried: it is answered, so that it blocks no other."""

_log = structlog.get_logger(__name__)


class ReviewRequests:
    """Looks every two seconds whether somebody asked for something, which costs one look at an empty index."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def run(self, stop: asyncio.Event) -> None:
        """Answer requests until `stop` is set; an outage only means that a later round does it."""
        while not stop.is_set():
            try:
                while await self.answer_one():
                    pass
            except TryAgain as trouble:
                _log.warning("review_requests_postponed", reason=str(trouble))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(INTERVAL.total_seconds()):
                    await stop.wait()

    async def answer_one(self) -> bool:
        """Answer the oldest open request; whether there was one."""
        async with transaction(self._pool) as connection:
            request = await connection.fetchrow(queries.OPEN_REQUESTS)
            if request is None:
                return False
            await connection.execute(queries.IN_THE_NAME_OF, str(request["employee_id"]))
            refusal = None
            try:
                async with connection.transaction():
                    await accept(connection, request["mail_id"], request["employee_id"])
            except NotAccepted as refused:
                refusal = refused.refusal.value
            except _OUR_ERRORS:
                _log.exception("review_request_failed", mail_id=str(request["mail_id"]))
                refusal = "our-error"
            await connection.execute(queries.ANSWER_REQUEST, request["id"], refusal)
        _log.info("review_request_answered", mail_id=str(request["mail_id"]), refusal=refusal)
        return True
