"""Questions that people ask of a running service in the web console, which has none of its secrets.

They are rows of `service_questions`, answered here.

    answering = Answering(pool, "fetcher", {"check": lambda question: …})
    await process.run(…, answering.run)

A question is taken by one replica, and begun again when no answer came within three minutes (a crash). One that needs
two services is handed on by the first in the same row (`HandedOn`).

Questions and answers may hold personal data: what nobody waits for any more goes after ten minutes, an answer after an
hour; any service that answers sees to that, for all of them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import structlog

from shared import acting
from shared.configuration import ServiceName
from shared.database.pool import Pool, connection
from shared.errors import ImporterError, TryAgain

INTERVAL: Final = timedelta(seconds=1)
"""A person waits; a look at an empty index costs next to nothing."""
AT_ONCE: Final = 4
"""A server that does not answer keeps nobody else's question waiting."""
BEGUN_AGAIN_AFTER: Final = timedelta(minutes=3)
NOBODY_WAITS_AFTER: Final = timedelta(minutes=10)
"""Who asked has gone; an older question may have come with a restored backup."""
KEPT: Final = timedelta(hours=1)
SWEPT_EVERY: Final = timedelta(minutes=1)

_TAKE: Final = """
    UPDATE service_questions SET taken_at = now()
    WHERE id = (SELECT id FROM service_questions
        WHERE service = $1 AND answered_at IS NULL AND question = ANY($2) AND asked_at > now() - $4::interval
            AND coalesce(taken_at < now() - $3::interval, true)
        ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING id, question, helpdesk_id, arguments, asked_by"""
_ANSWER: Final = "UPDATE service_questions SET answered_at = now(), answer = $2 WHERE id = $1"
_HAND_ON: Final = "UPDATE service_questions SET service = $2, arguments = $3, taken_at = NULL WHERE id = $1"
_SWEEP: Final = """
    DELETE FROM service_questions
    WHERE asked_at < now() - $1::interval OR (answered_at IS NULL AND asked_at < now() - $2::interval)"""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a service about a helpdesk, and by whom."""

    id: int
    question: str
    helpdesk_id: int
    arguments: Mapping[str, Any]
    asked_by: str


@dataclass(frozen=True, slots=True)
class HandedOn:
    """What a service found, of which another one makes the answer; the database forgets what was asked."""

    service: ServiceName
    arguments: Mapping[str, Any]


Answer = Callable[[Question], Awaitable[dict[str, Any] | HandedOn]]
"""Answers one question: a JSON object in which `ok` says how it ended. ImporterError: the text is the answer."""


class Answering:
    """Looks every second for questions of its service; several replicas may."""

    def __init__(self, pool: Pool, service: ServiceName, answers: Mapping[str, Answer]) -> None:
        self._pool = pool
        self._service = service
        self._answers = answers

    async def run(self, stop: asyncio.Event) -> None:
        """Answer until `stop` is set, some at once; an outage only means that a later round does it."""
        under_way: set[asyncio.Task[None]] = set()
        swept = time.monotonic() - SWEPT_EVERY.total_seconds()
        try:
            while not stop.is_set():
                try:
                    if time.monotonic() - swept >= SWEPT_EVERY.total_seconds():
                        await self._sweep()
                        swept = time.monotonic()
                    while not stop.is_set() and len(under_way) < AT_ONCE and (question := await self._take()):
                        task = asyncio.create_task(self._answer(question))
                        under_way.add(task)
                        task.add_done_callback(under_way.discard)
                except TryAgain as trouble:
                    _log.warning("questions_postponed", reason=str(trouble))
                with suppress(TimeoutError):
                    async with asyncio.timeout(INTERVAL.total_seconds()):
                        await stop.wait()
        finally:
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)

    async def _take(self) -> Question | None:
        """The oldest question that waits, None where there is none. Raises TryAgain, Outage."""
        async with connection(self._pool) as acquired:
            row = await acquired.fetchrow(
                _TAKE, self._service, list(self._answers), BEGUN_AGAIN_AFTER, NOBODY_WAITS_AFTER
            )
        return None if row is None else Question(**row)

    async def _answer(self, question: Question) -> None:
        with acting.as_person(question.asked_by):
            try:
                answer = await self._answered(question)
                async with connection(self._pool) as acquired:
                    if isinstance(answer, HandedOn):
                        await acquired.execute(_HAND_ON, question.id, answer.service, dict(answer.arguments))
                    else:
                        await acquired.execute(_ANSWER, question.id, answer)
            except TryAgain as trouble:
                _log.warning("question_begun_again", question=question.question, reason=str(trouble))
                return
        ok = isinstance(answer, HandedOn) or answer["ok"]
        _log.info("question_answered", question=question.question, helpdesk_id=question.helpdesk_id, ok=ok)

    async def _sweep(self) -> None:
        async with connection(self._pool) as acquired:
            await acquired.execute(_SWEEP, KEPT, NOBODY_WAITS_AFTER)

    async def _answered(self, question: Question) -> dict[str, Any] | HandedOn:
        try:
            return await self._answers[question.question](question)
        except TryAgain:
            raise
        except ImporterError as error:
            return {"ok": False, "problem": str(error)}
        except Exception:  # noqa: BLE001 - who asked is answered, and the service goes on
            _log.exception("question_failed", question=question.question, helpdesk_id=question.helpdesk_id)
            return {"ok": False, "problem": "", "trouble": "our-error"}
