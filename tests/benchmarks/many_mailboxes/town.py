"""The mail servers of a run, each a process with its share of the mailboxes, and the helpdesks that read them."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import asyncpg
from pydantic import SecretStr

from shared.database.sealing_keys import published_key

SERVERS: Final = {"imap-1": "imap", "imap-2": "imap", "ews": "ews", "graph": "graph", "maildir": "maildir"}
"""Each server by its name, and its kind."""
_LONGEST_LINE: Final = 64 * 2**20

_DESKS: Final = """
    WITH calendar AS (INSERT INTO calendars (name) VALUES ($1) RETURNING id),
        desk AS (
            INSERT INTO helpdesks (name, calendar_id)
            SELECT $1 || ' ' || n, calendar.id FROM calendar CROSS JOIN generate_series(1, $2) AS n RETURNING id),
        status AS (INSERT INTO statuses (helpdesk_id, name, flag) SELECT id, 'E-mail', 'imported' FROM desk)
    SELECT id FROM desk ORDER BY id"""
_PEOPLE: Final = """
    WITH organisation AS (INSERT INTO organisations (name) VALUES ('Onbekend') RETURNING id),
        contact AS (INSERT INTO persons (organisation_id, name) SELECT id, 'Onbekend' FROM organisation RETURNING id),
        employee AS (INSERT INTO employees (name) VALUES ('Importer') RETURNING id)
    SELECT contact.id AS default_contact_id, employee.id AS default_employee_id FROM contact, employee"""


@dataclass(slots=True)
class Server:
    """A mail server and the helpdesks whose mailboxes it has, in the order of their mailboxes."""

    name: str
    kind: str
    process: asyncio.subprocess.Process
    told: Mapping[str, Any]
    desks: list[int] = field(default_factory=list)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def deliver(self, mails: Sequence[tuple[int, int]], size: int) -> list[float]:
        """Mails by mailbox and number; when each arrived (seconds of the epoch)."""
        return list(await self._ask({"deliver": mails, "bytes": size}))

    async def count(self) -> Counter[str]:
        """Requests since the last question."""
        return Counter(await self._ask({"count": True}))

    async def forget(self) -> None:
        """Remove what was read."""
        await self._ask({"forget": True})

    def hang(self) -> None:
        """Answer nothing any more; connections stay, as with a server whose disk is away."""
        self.process.send_signal(signal.SIGSTOP)

    def come_back(self) -> None:
        """Go on where it hung."""
        self.process.send_signal(signal.SIGCONT)

    async def _ask(self, question: object) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        async with self._turn:
            self.process.stdin.write(json.dumps(question).encode() + b"\n")
            return json.loads(await self.process.stdout.readline())


@dataclass(frozen=True, slots=True)
class Town:
    """All servers, and what a fetcher must know to find those of Microsoft."""

    servers: Mapping[str, Server]
    environment: Mapping[str, str]

    @property
    def mailboxes(self) -> list[tuple[Server, int]]:
        """Every mailbox, in turns from each server, as its server and its number there."""
        most = max(len(server.desks) for server in self.servers.values())
        return [
            (server, number) for number in range(most) for server in self.servers.values() if number < len(server.desks)
        ]


@asynccontextmanager
async def a_town(folder: Path, mailboxes: int) -> AsyncIterator[Town]:
    """So many mailboxes, in equal parts on all servers; ended afterwards."""
    async with AsyncExitStack() as stack:
        servers = {}
        for number, (name, kind) in enumerate(SERVERS.items()):
            share = len(range(number, mailboxes, len(SERVERS)))
            servers[name] = await stack.enter_async_context(_started(name, kind, folder / name, share))
        environment = {
            name: value for server in servers.values() for name, value in server.told.get("environment", {}).items()
        }
        yield Town(servers, environment)


@asynccontextmanager
async def _started(name: str, kind: str, folder: Path, share: int) -> AsyncIterator[Server]:
    folder.mkdir(parents=True)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.benchmarks.many_mailboxes.post_office", kind, str(folder), str(share),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=_LONGEST_LINE, env=os.environ,
        cwd=Path(__file__).parents[3],
    )  # fmt: skip
    try:
        assert process.stdout is not None
        yield Server(name, kind, process, json.loads(await process.stdout.readline()))
    finally:
        process.kill()
        await process.communicate()


async def open_helpdesks(owner: asyncpg.Connection[Any], town: Town, *, interval: int) -> None:
    """A helpdesk for each mailbox, its importer on; those of one server share one login.

    `interval`: seconds between two checks.
    """
    key = await published_key(owner)
    async with owner.transaction():
        await owner.execute("SET LOCAL search_path = helpdesk, public")
        people = await owner.fetchrow(_PEOPLE)
        assert people is not None
        for server in town.servers.values():
            mailboxes = server.told["mailboxes"]
            desks = [row["id"] for row in await owner.fetch(_DESKS, server.name, len(mailboxes))]
            common = {**people, **server.told["settings"], "enabled": True, "check_interval_seconds": interval}
            if "login" in server.told:
                sealed = key.seal(SecretStr(server.told["password"]))
                login = {"name": server.name, **server.told["login"], "password_encrypted": sealed}
                common["login_id"] = await _insert(owner, "logins", login, returning="id")
            for desk, own in zip(desks, mailboxes, strict=True):
                await _insert(owner, "importer_settings", {"helpdesk_id": desk, **common, **own})
            server.desks.extend(desks)


async def _insert(
    connection: asyncpg.Connection[Any], table: str, row: Mapping[str, Any], *, returning: str = "helpdesk_id"
) -> int:
    places = ", ".join(f"${number}" for number in range(1, len(row) + 1))
    statement = f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places}) RETURNING {returning}"  # noqa: S608 - ours
    return int(await connection.fetchval(statement, *row.values()))
