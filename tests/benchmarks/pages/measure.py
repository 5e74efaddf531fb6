"""How long the web console takes for its pages, on a database that has been in use."""

from __future__ import annotations

import statistics
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg
import httpx

from deploy.demo.staying import running_web_console
from deploy.local.instance import Servers
from services.console.web.tokens import hash_of, new_token
from services.console.web.visit import SESSION_COOKIE
from tests.benchmarks.growth import grow
from tests.benchmarks.importer import Importer, an_importer
from tests.benchmarks.stand import open_stand

LEDGER: Final = Path(__file__).with_name("ledger.sql")
_VISITOR: Final = "INSERT INTO helpdesk.web_users (name, operator, language) VALUES ('baas', true, 'nl') RETURNING id"
_SESSION: Final = """
    INSERT INTO helpdesk.web_sessions (token_hash, user_id, ends_at) VALUES ($1, $2, now() + interval '1 hour')"""
_NEWEST: Final = """
    SELECT mail_id, sender_address, (SELECT number FROM helpdesk.tickets WHERE tickets.id = ticket_id) AS ticket
    FROM helpdesk.imported_mails WHERE ticket_id IS NOT NULL ORDER BY received_at DESC LIMIT 1"""


@dataclass(frozen=True, slots=True)
class PageTime:
    """A page, as a browser on this machine gets it: milliseconds, and bytes on the way."""

    page: str
    median_ms: float
    most_ms: float
    bytes: int


@dataclass(frozen=True, slots=True)
class Measured:
    """All of it."""

    date: str
    processor: str
    tickets: int
    mails: int
    database_mb: float
    rounds: int
    pages: tuple[PageTime, ...]


async def measure(servers: Servers, folder: Path, tickets: int, rounds: int, say: Callable[[str], None]) -> Measured:
    """Make a database of so many tickets, with what came with them, and get each page `rounds` times."""
    async with open_stand(servers, folder) as stand, an_importer(stand) as importer:
        superuser = await asyncpg.connect(stand.servers.postgres.database(importer.database))
        try:
            await grow(superuser, tickets, say)
            await superuser.execute(LEDGER.read_text(encoding="utf-8"))
            token = new_token()
            await superuser.execute(_SESSION, hash_of(token), await superuser.fetchval(_VISITOR))
            paths = await _paths(superuser)
            mails = await superuser.fetchval("SELECT count(*) FROM helpdesk.imported_mails")
            size = await superuser.fetchval("SELECT pg_database_size(current_database())")
        finally:
            await superuser.close()
        async with _console(importer, folder, token) as browser:
            pages = tuple([await _time(browser, page, path, rounds) for page, path in paths.items()])
        machine = await stand.machine("none")
        return Measured(machine.date, machine.processor, tickets, mails, size / 1e6, rounds, pages)


async def _paths(superuser: asyncpg.Connection[asyncpg.Record]) -> dict[str, str]:
    newest = await superuser.fetchrow(_NEWEST)
    assert newest is not None
    return {
        "Vandaag": "/",
        "Mails": "/mails",
        "Mails in quarantaine": "/mails?outcome=quarantine",
        "Mails van één afzender": f"/mails?sender={newest['sender_address']}",
        "Een mail": f"/mails/{newest['mail_id']}",
        "Een ticket": f"/tickets/{newest['ticket']}",
        "Werklijst Quarantaine": "/work/quarantine",
        "Werklijst Beoordelen": "/work/review",
        "Werklijst Niet verstuurd": "/work/undelivered",
        "Meldingen": "/notifications",
        "Meldingen die mislukten": "/notifications?state=failed",
        "Meldingen van één ticket": f"/notifications?ticket={newest['ticket']}",
        "Sjablonen": "/templates",
        "Instellingen": "/helpdesks",
        "Logboek": "/audit",
        "Gebruikers": "/users",
    }


@asynccontextmanager
async def _console(importer: Importer, folder: Path, token: str) -> AsyncIterator[httpx.AsyncClient]:
    """The web console as a process, and a browser without scripts that is logged in."""
    async with (
        running_web_console(importer.installation.environment, folder, folder / "web.log") as port,
        httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}",
            cookies={SESSION_COOKIE: token},
            headers={"accept": "text/html", "accept-encoding": "gzip"},
            timeout=60,
        ) as browser,
    ):
        yield browser


async def _time(browser: httpx.AsyncClient, page: str, path: str, rounds: int) -> PageTime:
    """Without the first time, in which statements are prepared."""
    milliseconds = []
    for _ in range(rounds + 1):
        began = time.perf_counter()
        answer = await browser.get(path)
        milliseconds.append((time.perf_counter() - began) * 1000)
        answer.raise_for_status()
    return PageTime(page, statistics.median(milliseconds[1:]), max(milliseconds[1:]), answer.num_bytes_downloaded)
