"""Jobs: what a person has done to many mails, mail after mail, while he looks on, pauses it, or is gone.

A job and its mails are rows (`web_jobs`, `web_job_mails`). Whoever holds the job's row works on it: a few mails in one
transaction, what came of each noted in the same. The claim is the row's lock, which ends with its holder: a console
that dies leaves the job to the next one, and no mail is treated twice. Each mail is treated by the repair of the
command line, in the name of who started the job, with the rights that he has at that moment; one that cannot be is
passed over, and the list says why.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import asyncpg
import structlog

from services.console.database import Refused, refusals
from services.console.repairs import mails, review
from services.console.repairs.mails import NotRepaired
from services.console.web.visitors import Need, visitor_named
from shared import acting
from shared.database.pool import Connection, Pool, connection, transaction
from shared.errors import Outage, TryAgain
from shared.messages import MailId
from shared.standing.work import Work

MOST: Final = 100_000
"""Mails of one job."""
AT_A_TIME: Final = 20
"""Mails of one transaction: so long does a pause wait for its turn, and so many are done again after a crash."""
LOOK_SECONDS: Final = 1
TROUBLE_SECONDS: Final = 5

_FORGET: Final = "DELETE FROM web_jobs WHERE ended_at < now() - interval '30 days'"
_START: Final = "INSERT INTO web_jobs (what, why, started_by, total) VALUES ($1, $2, $3, $4) RETURNING id"
_MAILS: Final = """
    INSERT INTO web_job_mails (job_id, position, mail_id)
    SELECT $1, position, mail_id FROM unnest($2::uuid[]) WITH ORDINALITY AS those (mail_id, position)"""

_NEXT: Final = """
    SELECT job.id, users.name FROM web_jobs AS job JOIN web_users AS users ON users.id = job.started_by
    WHERE job.state = 'running' ORDER BY job.worked_at, job.id LIMIT $1"""
_TAKE: Final = """
    SELECT id, what, why, started_by FROM web_jobs WHERE id = $1 AND state = 'running' FOR UPDATE SKIP LOCKED"""
_TO_DO: Final = """
    SELECT position, mail_id FROM web_job_mails WHERE job_id = $1 AND came_to IS NULL ORDER BY position LIMIT $2"""
_CAME_TO: Final = """
    UPDATE web_job_mails AS mail SET came_to = those.came_to
    FROM unnest($2::integer[], $3::text[]) AS those (position, came_to)
    WHERE mail.job_id = $1 AND mail.position = those.position"""
_GOT_ON: Final = """
    UPDATE web_jobs SET done = done + $2, failed = failed + $3, worked_ms = worked_ms + $4,
        worked_at = clock_timestamp(),
        state = CASE WHEN done + failed + $2 + $3 >= total THEN 'done' ELSE state END,
        ended_at = CASE WHEN done + failed + $2 + $3 >= total THEN clock_timestamp() END
    WHERE id = $1"""

_JOBS: Final = """
    SELECT job.id, job.what, job.why, users.name AS started_by, job.state, job.total, job.done, job.failed,
        job.worked_ms, job.started_at, job.ended_at
    FROM web_jobs AS job JOIN web_users AS users ON users.id = job.started_by
    WHERE ($1::bigint IS NULL OR job.started_by = $1) AND ($2::bigint IS NULL OR job.id = $2)
    ORDER BY job.id DESC LIMIT $3"""
_FAILED: Final = """
    SELECT mail.position, mail.mail_id, mail.came_to, helpdesk.name AS helpdesk
    FROM web_job_mails AS mail JOIN imported_mails AS imported USING (mail_id)
        JOIN helpdesks AS helpdesk ON helpdesk.id = imported.helpdesk_id
    WHERE mail.job_id = $1 AND mail.came_to <> 'done' AND mail.position > $2 AND imported.helpdesk_id = ANY($3)
    ORDER BY mail.position LIMIT $4"""
_CHANGE: Final = """
    UPDATE web_jobs SET state = $3, ended_at = CASE WHEN $3 = 'stopped' THEN now() END
    WHERE id = $1 AND ($2::bigint IS NULL OR started_by = $2) AND state = ANY($4) RETURNING true"""

_log = structlog.get_logger(__name__)


class What(StrEnum):
    """What is done to each mail."""

    REPLAY = "replay"
    DISCARD = "discard"
    ACCEPT = "accept"


class Deed(StrEnum):
    """What a person does to a job."""

    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"


_FROM_TO: Final = {
    Deed.PAUSE: (["running"], "paused"),
    Deed.RESUME: (["paused"], "running"),
    Deed.STOP: (["running", "paused"], "stopped"),
}

DONE: Final = "done"
REFUSED: Final = "refused"
BUSY: Final = "busy"
OUR_ERROR: Final = "our-error"


@dataclass(frozen=True, slots=True)
class Job:
    """How far a job is; `work` while it is not over."""

    id: int
    what: str
    why: str
    started_by: str
    state: str
    total: int
    done: int
    failed: int
    started_at: datetime
    ended_at: datetime | None
    work: Work | None


@dataclass(frozen=True, slots=True)
class Failed:
    """A mail that stayed as it was; `came_to` is the id of the reason."""

    position: int
    mail_id: MailId
    came_to: str
    helpdesk: str


async def start(acquired: Connection, what: What, wanted: Sequence[MailId], user_id: int, *, why: str = "") -> int:
    """Have this done to these mails, of which there is one at least; the job's number."""
    await acquired.execute(_FORGET)
    job_id: int = await acquired.fetchval(_START, what, why, user_id, len(wanted))
    await acquired.execute(_MAILS, job_id, list(wanted))
    return job_id


async def jobs(acquired: Connection, of_user: int | None, at_most: int) -> list[Job]:
    """Those that a user started, or all (None); the newest first."""
    return [_job(row) for row in await acquired.fetch(_JOBS, of_user, None, at_most)]


async def job(acquired: Connection, job_id: int, of_user: int | None) -> Job | None:
    """This one, where the user started it, or may see all (None)."""
    row = await acquired.fetchrow(_JOBS, of_user, job_id, 1)
    return None if row is None else _job(row)


async def failed(
    acquired: Connection, job_id: int, within: Sequence[int], at_most: int, after: int = 0
) -> list[Failed]:
    """Mails of these helpdesks that stayed as they were, behind a position."""
    return [Failed(**row) for row in await acquired.fetch(_FAILED, job_id, after, within, at_most)]


async def change(acquired: Connection, job_id: int, of_user: int | None, deed: Deed) -> bool:
    """Pause, resume or stop it; False where it is not his, or not in a state in which that can be done."""
    before, after = _FROM_TO[deed]
    return bool(await acquired.fetchval(_CHANGE, job_id, of_user, after, before))


async def work(pool: Pool, stop: asyncio.Event) -> None:
    """Do what is asked, until `stop` is set; then end after the few mails in hand."""
    while not stop.is_set():
        pause = float(LOOK_SECONDS)
        try:
            while not stop.is_set() and await get_on(pool):
                pass
        except TryAgain as trouble:
            _log.warning("jobs_wait", error=str(trouble))
            pause = TROUBLE_SECONDS
        except Exception:  # noqa: BLE001 - our bug must not stop the pages: it is logged, and tried again
            _log.exception("jobs_failed")
            pause = TROUBLE_SECONDS
        try:
            async with asyncio.timeout(pause):
                await stop.wait()
        except TimeoutError:
            continue


async def get_on(pool: Pool) -> bool:
    """Treat a few mails of the job whose turn it is; False where there is none that nobody else works on."""
    async with connection(pool) as acquired:
        waiting = await acquired.fetch(_NEXT, AT_A_TIME)
    for row in waiting:
        with acting.as_person(row["name"]):
            if await _some(pool, row["id"]):
                return True
    return False


async def _some(pool: Pool, job_id: int) -> bool:
    """Treat a few mails together; where one of them spoils that, each alone."""
    try:
        return await _treat(pool, job_id, AT_A_TIME) > 0
    except Outage:
        raise
    except Exception as error:  # noqa: BLE001 - one mail stops no other: which one it is shows alone
        _log.info("job_goes_on_one_by_one", job=job_id, error=str(error))
    for _ in range(AT_A_TIME):
        try:
            if not await _treat(pool, job_id, 1):
                break
        except Outage:
            raise
        except TryAgain:
            await _pass_over(pool, job_id, BUSY)
        except Exception:  # noqa: BLE001 - as above
            _log.exception("job_mail_failed", job=job_id)
            await _pass_over(pool, job_id, OUR_ERROR)
    return True


async def _treat(pool: Pool, job_id: int, at_most: int) -> int:
    """Treat so many mails in one transaction; how many it were: 0 where somebody else works on it, or it is paused."""
    began = time.monotonic()
    async with transaction(pool) as acquired:
        taken = await acquired.fetchrow(_TAKE, job_id)
        if taken is None:
            return 0
        user = await visitor_named(acquired, taken["started_by"])
        within = [] if user is None else user.helpdesks(Need.CHANGE)
        to_do = await acquired.fetch(_TO_DO, job_id, at_most)
        came_to = [await _repair(acquired, taken, MailId(mail["mail_id"]), within) for mail in to_do]
        await _note(acquired, job_id, [mail["position"] for mail in to_do], came_to, time.monotonic() - began)
    return len(to_do)


async def _repair(acquired: Connection, job: asyncpg.Record, mail_id: MailId, within: Sequence[int]) -> str:
    """Treat a mail, or leave it as it was and say why."""
    try:
        with refusals():
            async with acquired.transaction():
                match What(job["what"]):
                    case What.REPLAY:
                        await mails.replay(acquired, mail_id, within)
                    case What.DISCARD:
                        await mails.discard(acquired, mail_id, within, because=job["why"])
                    case What.ACCEPT:
                        await review.ask_to_accept(acquired, mail_id, within)
    except NotRepaired as refused:
        return refused.refusal
    except Refused:
        return REFUSED
    return DONE


async def _pass_over(pool: Pool, job_id: int, because: str) -> None:
    async with transaction(pool) as acquired:
        if await acquired.fetchrow(_TAKE, job_id) is not None:
            to_do = await acquired.fetch(_TO_DO, job_id, 1)
            await _note(acquired, job_id, [mail["position"] for mail in to_do], [because] * len(to_do), 0)


async def _note(
    acquired: Connection, job_id: int, positions: Sequence[int], came_to: Sequence[str], seconds: float
) -> None:
    await acquired.execute(_CAME_TO, job_id, positions, came_to)
    treated = sum(one == DONE for one in came_to)
    await acquired.execute(_GOT_ON, job_id, treated, len(came_to) - treated, round(seconds * 1000))


def _job(row: asyncpg.Record) -> Job:
    values = {name: value for name, value in row.items() if name != "worked_ms"}
    return Job(**values, work=None if row["ended_at"] else _work(row))


def _work(row: asyncpg.Record) -> Work:
    treated, seconds = row["done"] + row["failed"], row["worked_ms"] / 1000
    per_second = treated / seconds if seconds else 0.0
    left = timedelta(seconds=(row["total"] - treated) / per_second) if per_second else None
    return Work(treated, row["total"], per_second, left if row["state"] == "running" else None)
