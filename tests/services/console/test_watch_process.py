"""`helpdesk-importer watch` as a process, with a mail server and a webhook: servers die, and people are told of it."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import urlsplit, urlunsplit

import httpx
import pytest
from aiohttp import web

from deploy.demo.smtp_server import SmtpServer
from services.console.alarms.messages import Event
from tests.databases import Database
from tests.relays import Relay
from tests.services.notifier.house import House
from tests.vhosts import Vhost

SECRET: Final = "a secret that signs"
DEADLINE_SECONDS: Final = 90
LOOK_SECONDS: Final = 0.2
BEGAN, ENDED = Event.BEGAN.value, Event.ENDED.value


class CommandLine(Protocol):
    """The fixture `importer`."""

    environment: dict[str, str]

    async def says(self, *arguments: str, code: int = 0) -> str: ...


@dataclass
class People:
    """Who is told: the mails that came, and what was posted with a right signature."""

    smtp: SmtpServer
    posted: list[dict[str, Any]] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def mails(self) -> list[tuple[str, str]]:
        """Recipient and subject of each."""
        return [
            (mail.recipients[0], str(message_from_bytes(mail.content, policy=default)["Subject"]))
            for mail in self.smtp.deliveries
        ]

    def subjects(self, words: str) -> list[str]:
        return [subject for _, subject in self.mails if words in subject]

    def told(self, cause: str, event: str) -> int:
        """How many alarms of this cause were posted as begun, or as ended."""
        return sum(
            alarm["cause"] == cause for told in self.posted if told["event"] == event for alarm in told["alarms"]
        )

    async def until(self, fact: Callable[[], bool]) -> None:
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not fact():
                await asyncio.sleep(0.05)

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        signature = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        assert request.headers["X-Importer-Signature"] == signature
        self.posted.append(json.loads(body))
        return web.Response()


@dataclass
class Night:
    """A watch at work, and what can be done to its servers."""

    people: People
    postgres: Relay
    rabbitmq: Relay
    management: Relay
    health: str

    async def looks_twice(self) -> None:
        """Until two whole looks more have ended: what they would have told has been."""
        async with httpx.AsyncClient(trust_env=False) as client:
            before = await self._looks(client)
            await self.people_until(client, before + 2)

    async def _looks(self, client: httpx.AsyncClient) -> float:
        metrics = (await client.get(f"{self.health}/metrics")).text
        found = re.search(r"^importer_watch_looks_total (\S+)$", metrics, flags=re.MULTILINE)
        return float(found[1]) if found else 0.0

    async def people_until(self, client: httpx.AsyncClient, looks: float) -> None:
        async with asyncio.timeout(DEADLINE_SECONDS):
            while await self._looks(client) < looks:
                await asyncio.sleep(0.05)


@pytest.fixture
async def house(database: Database) -> AsyncIterator[House]:
    async with House.of(database) as house:
        yield house


def _by(relay: Relay, url: str) -> str:
    """The address of a server, by way of a relay."""
    parts = urlsplit(url)
    login, at, _ = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{login}{at}127.0.0.1:{relay.port}"))


def _where(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    assert parts.port is not None
    return parts.hostname or "", parts.port


@asynccontextmanager
async def _webhook(people: People) -> AsyncIterator[str]:
    application = web.Application()
    application.router.add_post("/alarms", people.take)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/alarms"
    finally:
        await runner.cleanup()


@pytest.fixture
async def night(importer: CommandLine, house: House, vhost: Vhost, tmp_path: Path) -> AsyncIterator[Night]:
    """The watch as a process, telling at once; every mailbox is well, and somebody reads each queue."""
    user = next(user.name for user in vhost.topology.users if user.service == "console")
    login = f"{user}:{vhost.passwords['console'].get_secret_value()}"
    amqp, management = vhost.dsn("console").get_secret_value(), vhost.empty.server.management_url
    database = importer.environment["IMPORTER_DATABASE_URL"]
    await house.owner.execute("UPDATE mailbox_states SET next_check_at = '-infinity'")
    (tmp_path / "alarm_webhook_secret").write_text(SECRET, encoding="ascii")
    async with (
        SmtpServer() as smtp,
        Relay(_where(database)) as to_postgres,
        Relay(_where(amqp)) as to_rabbitmq,
        Relay(_where(management)) as to_management,
    ):
        people = People(smtp)
        async with _webhook(people) as hook:
            posted = management.replace(urlsplit(management).netloc.rpartition("@")[0], login)
            importer.environment.update(
                IMPORTER_AMQP_URL=amqp, IMPORTER_RABBITMQ_MANAGEMENT_URL=posted, IMPORTER_LANGUAGE="en"
            )
            environment = {
                **{name: value for name, value in os.environ.items() if not name.startswith("IMPORTER_")},
                **importer.environment,
                "PYTHONSAFEPATH": "1",
                "PYTHONPATH": os.pathsep.join(sys.path),
                "IMPORTER_DATABASE_URL": _by(to_postgres, database),
                "IMPORTER_AMQP_URL": _by(to_rabbitmq, amqp),
                "IMPORTER_RABBITMQ_MANAGEMENT_URL": _by(to_management, posted),
                "IMPORTER_STATUS_SECONDS": "30",
                "IMPORTER_ALARM_SMTP_URL": f"smtp://127.0.0.1:{smtp.port}",
                "IMPORTER_ALARM_FROM": "importer@desk.example",
                "IMPORTER_ALARM_TO": "nacht@desk.example",
                "IMPORTER_ALARM_WEBHOOK_URL": hook,
                "IMPORTER_ALARM_AFTER_SECONDS": "0",
                "IMPORTER_WATCH_SECONDS": str(LOOK_SECONDS),
                "IMPORTER_DIGEST_HOUR": "0",
                "IMPORTER_LOG_FORMAT": "json",
            }
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "services.console", "watch",
                env=environment, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
            )  # fmt: skip
            assert process.stderr is not None
            log = tmp_path / "watch.log"
            port = await _port(process.stderr)
            reading = asyncio.create_task(_keep(process.stderr, log))
            try:
                yield Night(people, to_postgres, to_rabbitmq, to_management, f"http://127.0.0.1:{port}")
            finally:
                process.terminate()
                assert await process.wait() == 0, log.read_text(encoding="utf-8")
                await reading


async def _port(log: asyncio.StreamReader) -> int:
    """The port of its health, which its first lines tell."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while line := await log.readline():
            told = json.loads(line)
            if "port" in told:
                return int(told["port"])
    raise AssertionError("the watch ended before it listened")


async def _keep(log: asyncio.StreamReader, file: Path) -> None:
    with file.open("ab") as kept:
        while line := await log.readline():
            kept.write(line)


async def test_the_operator_is_told_once_that_the_database_is_away_and_once_that_it_is_back(night: Night) -> None:
    people = night.people
    await night.looks_twice()
    await night.postgres.cut()
    await people.until(lambda: bool(people.subjects("database") and people.posted))
    await night.looks_twice()
    assert len(people.subjects("database")) == 1
    assert len([told for told in people.posted if "database" in told["text"] or "PostgreSQL" in told["text"]]) == 1
    await night.postgres.mend()
    await people.until(lambda: len(people.subjects("database")) > 1)
    await night.looks_twice()
    assert len(people.subjects("database")) == 2
    assert "over" in people.subjects("database")[1]


async def test_a_dead_broker_is_one_alarm_and_not_one_for_each_queue(night: Night) -> None:
    people = night.people
    await people.until(lambda: bool(people.subjects("queue-not-read")))  # nobody reads the queues of a test
    await night.rabbitmq.cut()
    await night.management.cut()

    def about_broker() -> list[str]:
        return [subject for subject in people.subjects("broker") if "is over" not in subject]

    await people.until(lambda: bool(about_broker()))
    await night.looks_twice()
    assert len(about_broker()) == 1
    await night.management.mend()
    await night.looks_twice()
    assert not [subject for subject in people.subjects("broker") if "is over" in subject]  # its queues do not answer
    await night.rabbitmq.mend()
    await people.until(lambda: any("is over" in subject for subject in people.subjects("broker")))


async def test_one_dead_mail_server_is_one_alarm_however_many_mailboxes_and_maintenance_is_silent(
    night: Night, importer: CommandLine, house: House
) -> None:
    people = night.people
    await importer.says("alarms", "plan-maintenance", "2", "--reason", "Exchange moves")
    await house.owner.execute("""
        INSERT INTO helpdesks (id, name, calendar_id)
            SELECT number, 'Desk ' || number, 1 FROM generate_series(11, 13) number;
        INSERT INTO employees (id, name) VALUES (77, 'Importer');
        UPDATE importer_settings SET enabled = true, default_contact_id = 1, default_employee_id = 77,
            server = 'mail.desk.example';
        UPDATE mailbox_states SET next_check_at = now() + interval '1 hour', problem_kind = 'unreachable',
            problem = 'De server antwoordt niet.', problem_since = now()""")
    await night.looks_twice()
    assert people.told("mailbox", BEGAN) == 0
    await house.owner.execute("UPDATE maintenance_windows SET ends_at = now(), starts_at = now() - interval '1 hour'")
    await people.until(lambda: people.told("mailbox", BEGAN) > 0)
    await night.looks_twice()
    assert people.told("mailbox", BEGAN) == 1
    await house.owner.execute("UPDATE mailbox_states SET problem_kind = NULL, problem = NULL, problem_since = NULL")
    await people.until(lambda: people.told("mailbox", ENDED) > 0)
    await night.looks_twice()
    assert people.told("mailbox", ENDED) == 1


async def test_a_mail_server_for_alarms_that_is_away_is_told_by_the_webhook_and_seen_in_its_health(
    night: Night,
) -> None:
    people = night.people
    await night.looks_twice()
    people.smtp.answers["MAIL"] = ["451 4.3.0 not now"] * 1000
    told = len(people.posted)
    await night.management.cut()
    await people.until(lambda: len(people.posted) > told)
    async with httpx.AsyncClient(trust_env=False) as client:
        async with asyncio.timeout(DEADLINE_SECONDS):
            while (answer := await client.get(f"{night.health}/health/ready")).status_code == httpx.codes.OK:
                await asyncio.sleep(0.05)
        assert "451" in answer.json()["checks"]["watch"]["detail"]
        people.smtp.answers["MAIL"].clear()
        await people.until(lambda: bool(people.subjects("broker")))
        async with asyncio.timeout(DEADLINE_SECONDS):
            while (await client.get(f"{night.health}/health/ready")).status_code != httpx.codes.OK:
                await asyncio.sleep(0.05)


async def test_the_digest_goes_to_the_administrators_once(night: Night, importer: CommandLine, house: House) -> None:
    await house.owner.execute("""
        INSERT INTO employee_addresses (employee_id, address) VALUES (1, 'sanne@desk.example');
        UPDATE importer_settings SET enabled = true, default_contact_id = 1, default_employee_id = 1""")
    await importer.says("alarms", "add-administrator", "ICT", "Sanne de Wit")
    people = night.people

    def digests() -> list[str]:
        return [subject for who, subject in people.mails if who == "sanne@desk.example" and "(0/0/0)" in subject]

    await people.until(lambda: bool(digests()))
    await night.looks_twice()
    assert len(digests()) == 1
