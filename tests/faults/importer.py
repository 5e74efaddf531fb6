"""The whole importer with each service on wires of its own: its processes can be killed at exact moments."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import aio_pika

from services.console.supervisor import SERVICES
from tests.acceptance.pipeline import Pipeline, eventually
from tests.faults.footprint import Footprint, footprints, open_ends, planned
from tests.faults.mails import Kind, a_mail_of
from tests.faults.protocols import AmqpEyes, PostgresEyes
from tests.faults.wires import Wire

MAILBOX: Final = "ict"
LARGEST_MAIL: Final = 1024 * 1024
"""Bytes above which a mail is too large here (D17)."""

Batch = dict[str, Kind]
"""Mails by the unique name in the mailbox, by which the ledger knows them."""


@dataclass(slots=True)
class Replica:
    """One process of a service, the leader of a process group."""

    service: str
    process: asyncio.subprocess.Process

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self.process.returncode is None

    async def kill(self) -> None:
        """SIGKILL, also to what it has started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        await self.process.wait()

    async def drain(self) -> int:
        """SIGTERM; its exit code."""
        self.process.terminate()
        return await self.process.wait()

    @contextlib.contextmanager
    def suspended(self) -> Iterator[None]:
        """Stopped within this block: what happens in it, it meets all at once."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)


@dataclass(slots=True)
class Importer:
    """A pipeline whose services are started and killed one by one."""

    pipeline: Pipeline
    amqp: dict[str, Wire]
    database: dict[str, Wire]
    logs: Path
    replicas: list[Replica] = field(default_factory=list)
    undisturbed: dict[Kind, Footprint] = field(default_factory=dict)
    """What each kind of mail leaves when nothing happens to it."""
    imported: Batch = field(default_factory=dict)
    """Every mail so far that must have left that."""
    may_repeat: set[str] = field(default_factory=set)
    """Message-IDs that may have been sent once more: their notifier died between the 250 and its own commit."""
    tickets: list[str] = field(default_factory=list)
    """Numbers of tickets that have no supplement yet."""

    async def start(self, service: str) -> Replica:
        """Start a replica of a service; its log goes to `logs`/SERVICE.log."""
        environment = self.pipeline.installation.environment
        amqp, database = (
            urlsplit(environment[name])._replace(netloc=f"127.0.0.1:{wire.port}")
            for name, wire in (
                ("IMPORTER_AMQP_URL", self.amqp[service]),
                ("IMPORTER_DATABASE_URL", self.database[service]),
            )
        )
        with (self.logs / f"{service}.log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", f"services.{service}",
                stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=asyncio.subprocess.STDOUT, process_group=0,
                env=environment
                | {"IMPORTER_AMQP_URL": amqp.geturl(), "IMPORTER_DATABASE_URL": f"{database.geturl()}?sslmode=disable"},
            )  # fmt: skip
        replica = Replica(service, process)
        self.replicas.append(replica)
        return replica

    def running(self, service: str) -> list[Replica]:
        """The replicas of a service that run."""
        return [replica for replica in self.replicas if replica.service == service and replica.is_running]

    async def the_only(self, service: str) -> Replica:
        """The replica of a service that runs; a new one when none does."""
        running = self.running(service)
        return running[0] if running else await self.start(service)

    async def kill(self, replica: Replica, *, anywhere: bool = False) -> None:
        """Kill a replica. Its leases end at once, as if the minutes had passed that they last.

        `anywhere`: nobody knows what it was doing; what a notifier had written may have been sent.
        """
        await replica.kill()
        database = self.pipeline.connection
        holder = f"%:{replica.process.pid}:%"
        if anywhere:
            written = await database.fetch(
                "SELECT message_id FROM helpdesk.notifications WHERE state = 'planned' AND message_id IS NOT NULL"
                " AND lease_holder LIKE $1",
                holder,
            )
            self.may_repeat |= {row["message_id"] for row in written}
        await database.execute(
            "UPDATE helpdesk.notifications SET lease_until = now(), created_at = created_at - interval '10 minutes'"
            " WHERE lease_holder LIKE $1",
            holder,
        )
        await database.execute(
            "UPDATE helpdesk.mailbox_states SET lease_until = '-infinity', next_check_at = '-infinity'"
            " WHERE lease_holder LIKE $1",
            holder,
        )

    async def let_leases_end(self) -> None:
        """Let the minutes pass for which notifications stay claimed that an outage kept from being written or sent.

        The notifier is drained first, so that all it has sent is recorded: no lease ends under its hands.
        """
        notifier = await self.the_only("notifier")
        assert await notifier.drain() == os.EX_OK
        await self.pipeline.connection.execute(
            "UPDATE helpdesk.notifications SET lease_until = now(), created_at = created_at - interval '10 minutes'"
            " WHERE state = 'planned' AND lease_holder IS NOT NULL"
        )
        await self.start("notifier")

    def deliver(self, kinds: Sequence[Kind]) -> Batch:
        """Put mails into the mailbox; supplements answer tickets that have none yet."""
        batch = {
            self.pipeline.drop(a_mail_of(kind, self.tickets.pop(0) if kind is Kind.SUPPLEMENT else None), MAILBOX): kind
            for kind in kinds
        }
        self.imported |= batch
        return batch

    def deliver_many(self, count: int) -> Batch:
        """Put that many mails of all kinds into the mailbox."""
        supplements = min(len(self.tickets), count // 5)
        kinds = [Kind.LARGE, Kind.TOO_LARGE] + [Kind.SUPPLEMENT] * supplements + [Kind.IMAGE] * (count // 10)
        return self.deliver(kinds + [Kind.PLAIN] * (count - len(kinds)))

    async def decided(self, batch: Batch, at_least: int) -> None:
        """Return once so many of these mails have an outcome."""

        async def enough() -> bool:
            done: int = await self.pipeline.connection.fetchval(
                "SELECT count(*) FROM helpdesk.imported_mails WHERE item_key = ANY($1) AND outcome IS NOT NULL",
                list(batch),
            )
            return done >= at_least

        await eventually(enough, f"{at_least} outcomes", seconds=60)

    async def done(self, batch: Batch) -> None:
        """Return once nothing is left to be done about these mails, nor in any queue."""

        async def nothing_open() -> bool:
            return await open_ends(self.pipeline.connection, batch) == 0

        await eventually(nothing_open, f"everything done about {len(batch)} mails", seconds=90)
        await eventually(self.is_quiet, "empty queues", seconds=60)

    async def is_quiet(self) -> bool:
        """Whether no queue has a message, ready or in a service's hands.

        Exact, unlike the management API's counts of some seconds ago: nothing was in a service's hands before and after
        the queues were found empty, and nothing was delivered meanwhile. Wait queues come first: what moves out of
        them while we look is found behind them.
        """
        delivered = self._delivered()
        if any(wire.unacknowledged for wire in self.amqp.values()):
            return False
        names = sorted(self.pipeline.installation.topology.queues, key=lambda name: ".wait." not in name)
        async with await aio_pika.connect(self.pipeline.installation.admin_amqp_url) as connection:
            channel = await connection.channel()
            for name in names:
                queue = await channel.declare_queue(name, passive=True)
                if queue.declaration_result.message_count:
                    return False
        return not any(wire.unacknowledged for wire in self.amqp.values()) and delivered == self._delivered()

    def _delivered(self) -> int:
        return sum(wire.deliveries for wire in self.amqp.values())

    async def as_if_undisturbed(self, batch: Batch) -> None:
        """Assert that each mail, once done, left what its kind leaves when nothing happens."""
        await self.done(batch)
        left = await footprints(self.pipeline, batch, self.may_repeat)
        different = {name: (kind, left[name]) for name, kind in batch.items() if left[name] != self.undisturbed[kind]}
        assert not different, f"expected {self.undisturbed}"
        self.tickets += [left_number for name in batch if (left_number := await self._fresh_ticket(name, batch[name]))]

    async def _fresh_ticket(self, name: str, kind: Kind) -> str | None:
        return None if kind is Kind.SUPPLEMENT else (await self.pipeline.outcome(name))["ticket_number"]

    async def learn(self) -> None:
        """Import one mail of each kind without any fault: what the others are compared with."""
        first = self.deliver([kind for kind in Kind if kind is not Kind.SUPPLEMENT])
        await self.done(first)
        self.tickets += [(await self.pipeline.outcome(name))["ticket_number"] for name in first]
        batch = first | self.deliver([Kind.SUPPLEMENT])
        await self.done(batch)
        left = await footprints(self.pipeline, batch, set())
        self.undisturbed = {kind: left[name] for name, kind in batch.items()}
        for kind, footprint in self.undisturbed.items():
            assert footprint.is_sound(supplement=kind is Kind.SUPPLEMENT), (kind, footprint)

    async def unrecorded(self, batch: Batch) -> set[str]:
        """Message-IDs of notifications of these mails that are written and still planned."""
        rows = await self.pipeline.connection.fetch(
            "SELECT message_id FROM helpdesk.notifications JOIN helpdesk.imported_mails USING (mail_id)"
            " WHERE item_key = ANY($1) AND state = 'planned' AND message_id IS NOT NULL",
            list(batch),
        )
        return {row["message_id"] for row in rows}

    def sent_of(self, kinds: Sequence[Kind]) -> int:
        """How many notifications mails of these kinds cause."""
        return sum(planned(self.undisturbed[kind]) for kind in kinds)


@asynccontextmanager
async def wired_importer(pipeline: Pipeline, folder: Path) -> AsyncIterator[Importer]:
    """The four services running on their wires; killed at the end, with everything still as it should be."""
    environment = pipeline.installation.environment
    broker, database = (
        (urlsplit(environment[name]).hostname or "", urlsplit(environment[name]).port or 0)
        for name in ("IMPORTER_AMQP_URL", "IMPORTER_DATABASE_URL")
    )
    folder.mkdir(exist_ok=True)
    await pipeline.connection.execute("UPDATE helpdesk.importer_settings SET max_mail_bytes = $1", LARGEST_MAIL)
    # hundreds of strangers within the hour, and each is to get his confirmation
    await pipeline.connection.execute("UPDATE helpdesk.helpdesks SET unknown_senders_per_hour = 10000")
    async with AsyncExitStack() as stack:
        importer = Importer(
            pipeline,
            amqp={service: await stack.enter_async_context(Wire(broker, AmqpEyes)) for service in SERVICES},
            database={service: await stack.enter_async_context(Wire(database, PostgresEyes)) for service in SERVICES},
            logs=folder,
        )
        try:
            for service in SERVICES:
                await importer.start(service)
            await importer.learn()
            yield importer
            await importer.as_if_undisturbed(importer.imported)
        finally:
            for replica in importer.replicas:
                await replica.kill()
