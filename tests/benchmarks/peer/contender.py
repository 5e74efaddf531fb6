"""django-helpdesk as a contender: its own reading of a folder of files, in one process that runs already."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from deploy.local.checkout import here
from tests.benchmarks.contender import NotDone, Taken
from tests.benchmarks.measured import PEER
from tests.benchmarks.stand import Stand
from tests.databases import drop_database

ROOT: Final = Path(__file__).parents[3]
PYTHON: Final = here().run / "peer/bin/python"
"""What `deploy.local.peer` brings."""
DEADLINE: Final = 600.0


@dataclass(slots=True)
class Peer:
    """Its process, told by lines, and the folder that it reads."""

    database: str
    folder: Path
    process: asyncio.subprocess.Process
    follow_ups: int = 0

    name = PEER
    observers = frozenset[str]()
    looks = 0

    @property
    def processes(self) -> Mapping[str, Sequence[int]]:
        """The one."""
        return {PEER: [self.process.pid]}

    async def take(self, mails: Sequence[bytes]) -> Taken:
        """Seconds are those of `process_queue` alone; its mails are made, and go nowhere."""
        for number, mail in enumerate(mails):
            (self.folder / "mail" / f"{number:06}.eml").write_bytes(mail)
        before = self.follow_ups
        said = await self.ask()
        if self.follow_ups != before + len(mails) or any((self.folder / "mail").iterdir()):
            raise NotDone(f"django-helpdesk took {self.follow_ups - before} of {len(mails)} mails.")
        return Taken(said["seconds"], 0)

    async def ask(self, line: bytes = b"process\n") -> Mapping[str, Any]:
        """What it says next."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(line)
        async with asyncio.timeout(DEADLINE):
            answer = await self.process.stdout.readline()
        if not answer:
            raise NotDone(f"django-helpdesk ended: see {self.folder / 'log'}.")
        said: Mapping[str, Any] = json.loads(answer)
        self.follow_ups = said["follow_ups"]
        return said


@asynccontextmanager
async def a_peer(stand: Stand) -> AsyncIterator[Peer]:
    """With a database of its own on the same server, its schema and its thousand tickets."""
    folder = stand.folder / "peer"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    database = f"bench_peer_{token_hex(4)}"
    await stand.superuser.execute(f"CREATE DATABASE {database} TEMPLATE template0 ENCODING 'UTF8'")
    server = urlsplit(stand.servers.postgres.url)
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "PYTHONUTF8": "1",  # it reads files in the encoding of the system
        "PEER_DATABASE_HOST": server.hostname or "",
        "PEER_DATABASE_PORT": str(server.port),
        "PEER_DATABASE_USER": unquote(server.username or ""),
        "PEER_DATABASE_PASSWORD": unquote(server.password or ""),
        "PEER_DATABASE_NAME": database,
        "PEER_FOLDER": str(folder),
    }
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            str(PYTHON), "-m", "tests.benchmarks.peer.program",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=log, env=environment, cwd=ROOT,
        )  # fmt: skip
    try:
        peer = Peer(database, folder, process)
        await peer.ask(b"")
        yield peer
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await drop_database(stand.servers.postgres, database)
