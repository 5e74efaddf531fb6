"""The ceiling as a contender: four processes that pass mail on as the services do, and decide nothing."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import asyncpg

from deploy.demo.maildir import Maildir
from deploy.demo.smtp_server import Delivery, SmtpServer
from tests.benchmarks.contender import NotDone, Taken
from tests.benchmarks.measured import CEILING, CEILING_ALONE
from tests.benchmarks.stand import Stand

ROOT: Final = Path(__file__).parents[3]
STAGES: Final = ("take", "hand", "write", "send")
MOST: Final = {CEILING_ALONE: 1, CEILING: 32}
"""Mails done at once, by what the contender is called."""
DEADLINE: Final = 300.0
_TABLE: Final = "CREATE TABLE public.passed (id uuid PRIMARY KEY, size integer NOT NULL)"
_WRITTEN: Final = "SELECT count(*) FROM public.passed"
_POLL: Final = 0.02


@dataclass(slots=True)
class Ceiling:
    """Its processes, told by a line that mails are there."""

    name: str
    database: str
    maildir: Maildir
    owner: asyncpg.Connection[asyncpg.Record]
    mails_out: float
    """A mail, as many as the importer sends."""
    stages: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)
    given: int = 0
    received: int = 0
    last: float = 0
    looks: int = 0
    observers = frozenset[str]()

    @property
    def processes(self) -> Mapping[str, Sequence[int]]:
        """One a stage."""
        return {stage: [process.pid] for stage, process in self.stages.items()}

    async def take(self, mails: Sequence[bytes]) -> Taken:
        """Until the mail server has as many mails as the importer would have sent."""
        before = self.received
        began = time.time()
        for mail in mails:
            self.maildir.deliver(mail)
        self.given += len(mails)
        stdin = self.stages["take"].stdin
        assert stdin is not None
        stdin.write(b"there are\n")
        async with asyncio.timeout(DEADLINE):
            while self.received < int(self.given * self.mails_out):
                if any(process.returncode is not None for process in self.stages.values()):
                    raise NotDone("A process of the ceiling ended: see its log in .run/benchmark.")
                await asyncio.sleep(_POLL)
        self.looks += 1
        if (written := await self.owner.fetchval(_WRITTEN)) != self.given:
            raise NotDone(f"The ceiling committed {written} of {self.given} mails.")
        return Taken(self.last - began, self.received - before)

    async def hear(self, _: Delivery) -> None:
        """Count a mail that the mail server took."""
        self.received += 1
        self.last = time.time()


@asynccontextmanager
async def a_ceiling(stand: Stand, name: str, mails_out: float, bytes_out: int) -> AsyncIterator[Ceiling]:
    """On queues and a database of its own, sending `mails_out` mails of `bytes_out` for each that comes."""
    folder = stand.folder / f"ceiling-{MOST[name]}"
    shutil.rmtree(folder, ignore_errors=True)
    maildir = Maildir(folder / "mailbox")
    async with stand.installation() as room, SmtpServer() as smtp:
        url = room.database.dsn("owner").get_secret_value()
        owner = await asyncpg.connect(url)
        await owner.execute(_TABLE)
        ceiling = Ceiling(name, room.database.name, maildir, owner, mails_out)

        async def hear(delivery: Delivery) -> None:
            smtp.deliveries.clear()
            await ceiling.hear(delivery)

        smtp.on_delivery = hear
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "CEILING_AMQP_URL": room.admin_amqp_url,
            "CEILING_DATABASE_URL": url,
            "CEILING_MAILDIR": str(maildir.path),
            "CEILING_SMTP_PORT": str(smtp.port),
            "CEILING_MAILS_OUT": str(mails_out),
            "CEILING_MAIL_OUT_BYTES": str(bytes_out),
        }
        try:
            with (folder / "log").open("wb") as log:
                for stage in STAGES:
                    ceiling.stages[stage] = await asyncio.create_subprocess_exec(
                        sys.executable, "-m", "tests.benchmarks.ceiling.program", stage, str(MOST[name]),
                        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=log,
                        env=environment, cwd=ROOT,
                    )  # fmt: skip
            for process in ceiling.stages.values():
                assert process.stdout is not None
                if not await process.stdout.readline():
                    raise NotDone(f"A process of the ceiling does not start: see {folder / 'log'}.")
            yield ceiling
        finally:
            for process in ceiling.stages.values():
                if process.returncode is None:
                    process.kill()
                await process.wait()
            await owner.close()
