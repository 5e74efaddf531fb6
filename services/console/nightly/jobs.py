"""Whose turn a job of the night is: one of however many processes, and once a night.

    async with turn(pool, "retention") as mine:
        if mine: mine.told = await …

A row of `nightly_jobs` is taken by one statement; an advisory lock holds it as long as its holder lives, so that one
who died leaves it to the next. Who comes within twenty hours of the last finds it done, unless it was not finished.
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any, Final, Literal

from shared.database.pool import Pool, connection

Job = Literal["retention", "reconcile"]
NIGHT: Final = time(3, 0)
"""When the jobs of the night begin, by the clock of the process."""
DONE_FOR: Final = timedelta(hours=20)

_LOCK: Final = "SELECT pg_try_advisory_lock($1, $2)"
_UNLOCK: Final = "SELECT pg_advisory_unlock($1, $2)"
_CLASS: Final = 0x6E_69_67_68  # "nigh"
_TAKE: Final = """
    INSERT INTO nightly_jobs AS known (job) VALUES ($1)
    ON CONFLICT (job) DO UPDATE SET started_at = now(), finished_at = NULL
    WHERE $2 OR known.finished_at IS NULL OR known.started_at < now() - $3::interval
        OR known.started_at > now() + $3::interval  -- the clock was ahead then
    RETURNING true"""
_FINISH: Final = "UPDATE nightly_jobs SET finished_at = now(), told = $2 WHERE job = $1"


@dataclass(slots=True)
class Turn:
    """A job that is ours; `told` is what it came to."""

    told: Mapping[str, Any] = field(default_factory=dict)


@asynccontextmanager
async def turn(pool: Pool, job: Job, *, at_once: bool = False) -> AsyncIterator[Turn | None]:
    """The job, if it is ours to do; None: another does it, or it was done (unless `at_once`).

    The pool has two connections, one of which is held all the while. An exception leaves the job unfinished, for the
    next who asks.
    """
    key = zlib.crc32(job.encode()) & 0x7FFF_FFFF
    async with connection(pool) as held:
        if not await held.fetchval(_LOCK, _CLASS, key):
            yield None
            return
        try:
            if not await held.fetchval(_TAKE, job, at_once, DONE_FOR):
                yield None
                return
            mine = Turn()
            yield mine
            await held.execute(_FINISH, job, dict(mine.told))
        finally:
            await held.execute(_UNLOCK, _CLASS, key)


def next_night(now: datetime) -> datetime:
    """The next beginning of the night after `now`, in its time zone."""
    tonight = now.replace(hour=NIGHT.hour, minute=NIGHT.minute, second=0, microsecond=0)
    return tonight if tonight > now else tonight + timedelta(days=1)
