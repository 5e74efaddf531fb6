"""A service as a process: it starts, says how it is, drains on SIGTERM, and says why it does not start."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aio_pika
import httpx
import pytest

from shared.broker.topology import MAIL_RAW
from tests.shared.broker.harness import DEADLINE_SECONDS, Queues, eventually
from tests.vhosts import Vhost

SERVICE = """
import asyncio, os
from shared.broker.consume import Consumer
from shared.broker.publish import Publisher
from shared.errors import Misconfigured
from shared.runtime import Process, run_service

async def handle(delivery):
    print("taken", flush=True)
    await asyncio.sleep({work})
    print("finished", flush=True)

async def main(process):
    dsn = process.configuration.amqp_dsn
    async with Publisher(dsn, "classifier") as publisher:
        drain = process.configuration.drain_seconds
        consumer = Consumer(dsn, "mail.raw", handle, publisher, service="classifier", drain_seconds=drain)
        process.ready_when("broker", consumer.check)
        await process.run(consumer.run)

async def starting(process):
    await asyncio.Event().wait()

async def broken(process):
    async def fail(stop):
        raise LookupError("our bug")
    await process.run(fail, lambda stop: stop.wait())

async def misconfigured(process):
    async def fail(stop):
        raise Misconfigured("IMPORTER_X is wrong. Set it to: y.")
    await process.run(fail)

if __name__ == "__main__":
    run_service("classifier", {main})
"""


class Service:
    """A running service: its process and what it logged."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.lines: list[dict[str, Any]] = []

    async def event(self, name: str) -> dict[str, Any]:
        """The first line of that event, as soon as it is there."""
        assert self.process.stderr is not None
        async with asyncio.timeout(DEADLINE_SECONDS):
            while True:
                found = next((line for line in self.lines if line["event"] == name), None)
                if found is not None:
                    return found
                self.lines.append(json.loads(await self.process.stderr.readline()))

    async def says(self, word: str) -> None:
        """Return when the service printed this word as its next line."""
        assert self.process.stdout is not None
        async with asyncio.timeout(DEADLINE_SECONDS):
            assert (await self.process.stdout.readline()).decode().strip() == word

    async def exit_code(self) -> int:
        async with asyncio.timeout(DEADLINE_SECONDS):
            return await self.process.wait()


def as_raw_mail() -> aio_pika.Message:
    return aio_pika.Message(b"Stuk.", type="mail.raw", correlation_id="m-1")


@asynccontextmanager
async def service(
    vhost: Vhost, *, main: str = "main", work: float = 0, variables: Mapping[str, str] | None = None
) -> AsyncIterator[Service]:
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "IMPORTER_AMQP_URL": vhost.dsn("classifier").get_secret_value(),
        "IMPORTER_DATABASE_URL": "postgresql://nobody:nothing@127.0.0.1/none",
        **(variables or {}),
    }
    program = SERVICE.format(main=main, work=work)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=PIPE, stderr=PIPE, env=environment
    )
    try:
        yield Service(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_a_service_says_when_it_is_ready_and_what_it_did(vhost: Vhost) -> None:
    async with service(vhost) as running, Queues.of(vhost.admin_dsn) as queues:
        port = (await running.event("health_listening"))["port"]
        await running.event("consumer_started")
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            ready = await client.get("/health/ready")
            assert (ready.status_code, ready.json()["checks"]["broker"]) == (200, {"ok": True, "detail": "ok"})
            assert (await client.get("/health/live")).status_code == 200
            await queues.put(MAIL_RAW, as_raw_mail())
            handled = await running.event("message_handled")
            metrics = (await client.get("/metrics")).text
    assert (handled["settlement"], handled["queue"], handled["mail_id"]) == ("acknowledged", MAIL_RAW, "m-1")
    assert 'importer_messages_total{queue="mail.raw",settlement="acknowledged"} 1.0' in metrics


async def test_a_service_without_its_queue_is_alive_but_not_ready_and_says_why(vhost: Vhost) -> None:
    await vhost.management.send("DELETE", f"queues/{vhost.name}/{MAIL_RAW}")
    async with service(vhost) as running:
        port = (await running.event("health_listening"))["port"]
        await running.event("consumer_paused")
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            ready = await client.get("/health/ready")
            assert (await client.get("/health/live")).status_code == 200
    assert ready.status_code == 503
    assert "mail.raw" in ready.json()["checks"]["broker"]["detail"]


async def test_a_service_that_still_waits_for_its_servers_is_not_ready_and_can_be_stopped(module_vhost: Vhost) -> None:
    async with service(module_vhost, main="starting") as running:
        port = (await running.event("health_listening"))["port"]
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            ready = await client.get("/health/ready")
        running.process.send_signal(signal.SIGTERM)
        assert await running.exit_code() == 0
    assert ready.status_code == 503
    assert "is starting" in ready.json()["checks"]["process"]["detail"]


async def test_sigterm_finishes_what_is_in_hand(vhost: Vhost) -> None:
    async with service(vhost, work=0.3) as running, Queues.of(vhost.admin_dsn) as queues:
        await queues.put(MAIL_RAW, as_raw_mail())
        await running.says("taken")
        running.process.send_signal(signal.SIGTERM)
        await running.says("finished")
        assert await running.exit_code() == 0
        assert await queues.count(MAIL_RAW) == 0


async def test_work_that_outlives_the_drain_is_left_to_the_next_process(vhost: Vhost) -> None:
    async with (
        service(vhost, work=600, variables={"IMPORTER_DRAIN_SECONDS": "0.1"}) as running,
        Queues.of(vhost.admin_dsn) as queues,
    ):
        await queues.put(MAIL_RAW, as_raw_mail())
        await running.says("taken")
        running.process.send_signal(signal.SIGTERM)
        await running.event("drain_deadline_passed")
        await running.exit_code()

        async def is_back() -> bool:
            return await queues.count(MAIL_RAW) == 1

        await eventually(is_back)


async def test_a_second_signal_ends_it_at_once(vhost: Vhost) -> None:
    async with service(vhost, work=600) as running, Queues.of(vhost.admin_dsn) as queues:
        await queues.put(MAIL_RAW, as_raw_mail())
        await running.says("taken")
        running.process.send_signal(signal.SIGINT)
        await running.event("signal_received")
        running.process.send_signal(signal.SIGINT)
        assert await running.exit_code() == os.EX_TEMPFAIL


async def test_an_error_of_ours_stops_all_work_and_is_logged(module_vhost: Vhost) -> None:
    async with service(module_vhost, main="broken") as running:
        failed = await running.event("service_failed")
        assert await running.exit_code() == 1
    assert "LookupError: our bug" in failed["exception"]


@pytest.mark.parametrize(
    ("main", "variables", "sentence"),
    [
        pytest.param(
            "main", {"IMPORTER_AMQP_URL": ""}, "classifier: IMPORTER_AMQP_URL is not set. Set it to:", id="environment"
        ),
        pytest.param("misconfigured", {}, "classifier: IMPORTER_X is wrong. Set it to: y.", id="found later"),
        pytest.param("main", {"IMPORTER_HEALTH_HOST": "192.0.2.1"}, "IMPORTER_HEALTH_PORT: 192.0.2.1", id="address"),
    ],
)
async def test_bad_configuration_is_a_sentence_and_exit_code_78(
    module_vhost: Vhost, main: str, variables: dict[str, str], sentence: str
) -> None:
    async with service(module_vhost, main=main, variables=variables) as running:
        assert await running.exit_code() == 78
        _, errors = await running.process.communicate()
    assert sentence in errors.decode()
    assert "Traceback" not in errors.decode()
