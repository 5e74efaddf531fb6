"""Whether a mail costs more when the database has much in it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import asyncpg

from tests.benchmarks.contender import turn
from tests.benchmarks.importer import an_importer
from tests.benchmarks.measured import Growth
from tests.benchmarks.mix import TICKETS, mail_of_mix
from tests.benchmarks.stand import Stand

ROUNDS: Final = 2
BYTES_A_TICKET: Final = 2_200
"""Of the disk, with its contact, its numbers, all indexes and what of the write-ahead log is kept meanwhile."""
SPARE_BYTES: Final = 5_000_000_000
MOST_AT_ONCE: Final = 200_000
"""Tickets of one statement, so that the write-ahead log can be thrown away between."""
_SQL: Final = Path(__file__).with_name("growth.sql")


async def growth(stand: Stand, tickets: int, mails: int, warm_up: int, say: Callable[[str], None]) -> Growth | str:
    """Rounds with so many tickets and contacts; or why they were left out."""
    needed, free = tickets * BYTES_A_TICKET + SPARE_BYTES, shutil.disk_usage(stand.folder).free
    if needed > free:
        return (
            f"Growth with {tickets:,} tickets: that takes {needed / 1e9:.0f} GB of disk, and {free / 1e9:.0f} are free."
        )
    async with an_importer(stand) as importer:
        began = time.perf_counter()
        database = await asyncpg.connect(stand.servers.postgres.database(importer.database))
        try:
            await grow(database, tickets - TICKETS, say)
            made_in = time.perf_counter() - began
            size = await database.fetchval("SELECT pg_database_size(current_database())")
        finally:
            await database.close()
        async with importer.running():
            await importer.take([mail_of_mix(number) for number in range(warm_up)])
            rounds = [
                await turn(stand, importer, [mail_of_mix(number, run) for number in range(mails)])
                for run in range(1, ROUNDS + 1)
            ]
        return Growth(tickets, size / 1e6, made_in, rounds)


async def grow(database: asyncpg.Connection[asyncpg.Record], tickets: int, say: Callable[[str], None]) -> None:
    """As a superuser, whose triggers stay switched off; what is written is on the disk before anything is measured."""
    sql = _SQL.read_text(encoding="utf-8")
    await database.execute("SET session_replication_role = replica; SET synchronous_commit = off")
    for first in range(0, tickets, MOST_AT_ONCE):
        last = min(first + MOST_AT_ONCE, tickets) - 1
        await database.execute(f"SET bench.first = {first}; SET bench.last = {last}")
        await database.execute(sql)
        if last + 1 < tickets:
            say(f"  {last + 1:,} of {tickets:,} tickets")
    await database.execute("ANALYZE")
    await database.execute("CHECKPOINT")
