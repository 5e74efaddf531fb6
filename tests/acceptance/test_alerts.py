"""The alert rules in a real Prometheus: who is on call hears what goes wrong with a running importer, and its end.

Prometheus and Alertmanager run by the samples of `deploy/prometheus`, with other addresses and shorter times: how long
a rule waits is what `promtool test rules` tries (tests/deploy/prometheus).
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import pytest
import yaml
from aiohttp import web

from deploy.demo.smtp_server import SmtpServer
from deploy.local.ports import settle
from tests.acceptance.command_line import ROOT, CommandLine
from tests.acceptance.installation import Installation
from tests.acceptance.pipeline import Pipeline, a_mail, eventually, prepared_pipeline
from tests.relays import Relay
from tests.servers.prometheus import alertmanager, prometheus

SAMPLES: Final = ROOT / "deploy/prometheus"
SERVICES: Final = ("fetcher", "classifier", "ticket_writer", "notifier", "watch")
DEADLINE_SECONDS: Final = 120
"""A hung service is ended after 15 seconds, the fetcher shows counts every 15, and the machine may do much else."""
QUICK: Final = "500ms"
_TRUST: Final = httpx.create_ssl_context()
"""Made once: each look would read all certificates of the machine anew, for a server without TLS."""


@dataclass(slots=True)
class OnCall:
    """Who is on call: what the webhook got, and the mails of both receivers."""

    smtp: SmtpServer
    url: str = ""
    told: list[dict[str, Any]] = field(default_factory=list)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def take(self, request: web.Request) -> web.Response:
        """POST /alerts, as Alertmanager's webhook does it."""
        posted = await request.json()
        assert posted["version"] == "4"
        async with self.changed:
            self.told += posted["alerts"]
            self.changed.notify_all()
        return web.Response()

    async def hears(self, status: str, since: int = 0, **labels: str) -> dict[str, Any]:
        """The first alert of this status with these labels, of those that were told from `since` on."""

        def first() -> dict[str, Any] | None:
            return next(
                (
                    one
                    for one in self.told[since:]
                    if one["status"] == status and labels.items() <= one["labels"].items()
                ),
                None,
            )

        try:
            async with asyncio.timeout(DEADLINE_SECONDS), self.changed:
                await self.changed.wait_for(lambda: first() is not None)
        except TimeoutError:
            raise AssertionError(f"{status} {labels} was not told: {self.told[since:]}") from None
        alert = first()
        assert alert is not None
        return alert

    async def reads(self, recipient: str, subject: str) -> str:
        """The text of the first mail to somebody with these words in its subject."""

        async def mail() -> str | None:
            for delivery in self.smtp.deliveries:
                parsed = message_from_bytes(delivery.content, policy=default)
                if recipient in delivery.recipients and subject in str(parsed["Subject"]):
                    body = parsed.get_body(("plain", "html"))
                    assert body is not None
                    return str(body.get_content())
            return None

        return await eventually(mail, f"a mail to {recipient} about {subject}", seconds=DEADLINE_SECONDS)


@dataclass(frozen=True, slots=True)
class Alerted:
    """A running importer, its database reached by a relay, and who is told of its alerts."""

    pipeline: Pipeline
    on_call: OnCall
    database: Relay
    state: Path
    first_port: int
    alertmanager: str

    def pid(self, service: str) -> int:
        """The process of a service, as the supervisor has it now."""
        return int(json.loads(self.state.read_text(encoding="utf-8"))["services"][service]["pid"])

    def instance(self, service: str) -> str:
        """The name that Prometheus has for it."""
        return f"127.0.0.1:{self.first_port + SERVICES.index(service)}"

    async def is_suppressed(self, **labels: str) -> bool:
        """Whether Alertmanager has this alert and tells nobody of it."""
        async with httpx.AsyncClient(trust_env=False, verify=_TRUST) as client:
            alerts = (await client.get(f"{self.alertmanager}/api/v2/alerts")).json()
        return any(one["status"]["state"] == "suppressed" for one in alerts if labels.items() <= one["labels"].items())


@asynccontextmanager
async def _webhook(on_call: OnCall) -> AsyncIterator[None]:
    application = web.Application()
    application.router.add_post("/alerts", on_call.take)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    on_call.url = f"http://127.0.0.1:{runner.addresses[0][1]}/alerts"
    try:
        yield
    finally:
        await runner.cleanup()


@asynccontextmanager
async def _importer(environment: Mapping[str, str], first_port: int, folder: Path) -> AsyncIterator[Path]:
    """`helpdesk-importer run`, ready; the file that tells what runs where."""
    state = folder / "state.json"
    with (folder / "run.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "services.console", "run",
            "--first-health-port", str(first_port), "--log-dir", str(folder / "logs"), "--state", str(state),
            cwd=ROOT, env=dict(environment), stdout=log, stderr=log,
        )  # fmt: skip

    async def ready() -> bool:
        assert process.returncode is None, (folder / "run.log").read_text(encoding="utf-8")
        return state.exists() and json.loads(state.read_text(encoding="utf-8"))["ready"]

    try:
        await eventually(ready, "all services ready", seconds=DEADLINE_SECONDS)
        yield state
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def _prometheus_file(folder: Path, first_port: int, of_alertmanager: str) -> Path:
    """The sample, with the rules beside it, for this importer; nothing waits before it alerts."""
    configuration = yaml.safe_load((SAMPLES / "prometheus.yml").read_text(encoding="utf-8"))
    configuration["global"] = {"scrape_interval": "1s", "evaluation_interval": QUICK}
    configuration["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] = [urlsplit(of_alertmanager).netloc]
    targets = configuration["scrape_configs"][0]["static_configs"][0]["targets"]
    assert len(targets) == len(SERVICES)
    targets[:] = [f"127.0.0.1:{first_port + number}" for number in range(len(SERVICES))]
    rules = (SAMPLES / "alerts.yaml").read_text(encoding="utf-8")
    (folder / "alerts.yaml").write_text(re.sub(r"for: \d+m", "for: 0s", rules), encoding="utf-8")
    return _written(folder / "prometheus.yml", configuration)


def _alertmanager_file(folder: Path, on_call: OnCall) -> Path:
    """The sample, for a mail server without a login and this webhook; it tells at once."""
    configuration = yaml.safe_load((SAMPLES / "alertmanager.yml").read_text(encoding="utf-8"))
    configuration["global"] = {
        "smtp_smarthost": f"{on_call.smtp.host}:{on_call.smtp.port}",
        "smtp_from": configuration["global"]["smtp_from"],
        "smtp_require_tls": False,
    }
    configuration["route"] |= {"group_wait": "0s", "group_interval": QUICK}
    receivers = {receiver["name"]: receiver for receiver in configuration["receivers"]}
    receivers["on-call"]["webhook_configs"][0]["url"] = on_call.url
    return _written(folder / "alertmanager.yml", configuration)


def _written(file: Path, configuration: Any) -> Path:
    file.write_text(yaml.safe_dump(configuration), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
async def alerted(own_installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Alerted]:
    folder = tmp_path_factory.mktemp("alerted")
    database = urlsplit(own_installation.environment["IMPORTER_DATABASE_URL"])
    assert database.hostname is not None
    assert database.port is not None
    first_port = settle(folder / "ports.json", {"health": len(SERVICES)})["health"]
    async with (
        prepared_pipeline(own_installation, folder) as pipeline,
        SmtpServer() as smtp,
        Relay((database.hostname, database.port)) as relay,
    ):
        on_call = OnCall(smtp)
        environment = own_installation.environment | {
            "IMPORTER_DATABASE_URL": database._replace(netloc=f"127.0.0.1:{relay.port}").geturl(),
            "IMPORTER_WATCH_SECONDS": "0.5",
            "IMPORTER_STATUS_SECONDS": "30",
        }
        async with (
            _importer(environment, first_port, folder) as state,
            _webhook(on_call),
            alertmanager(_alertmanager_file(folder, on_call)) as of_alertmanager,
            prometheus(_prometheus_file(folder, first_port, of_alertmanager)) as of_prometheus,
        ):
            await eventually(lambda: _is_quiet(of_prometheus), "an importer that is well", seconds=DEADLINE_SECONDS)
            yield Alerted(pipeline, on_call, relay, state, first_port, of_alertmanager)


async def _is_quiet(of_prometheus: str) -> bool:
    """Whether it has seen every service, and has no alert."""
    async with httpx.AsyncClient(base_url=of_prometheus, trust_env=False, verify=_TRUST) as client:
        targets = (await client.get("/api/v1/targets")).json()["data"]["activeTargets"]
        alerts = (await client.get("/api/v1/alerts")).json()["data"]["alerts"]
    return [target["health"] for target in targets] == ["up"] * len(SERVICES) and not alerts


async def test_a_dead_letter_reaches_who_is_on_call_and_so_does_its_end(alerted: Alerted) -> None:
    on_call, pipeline, importer = alerted.on_call, alerted.pipeline, CommandLine(alerted.pipeline)
    ticket = await pipeline.ticket(a_mail(subject="De deur klemt", sender="deur@elders.example"), "facilitair")
    await importer("importer", "set", "Facilitair", "--no-enabled", "--default-employee", "")
    await importer("mails", "force", str(ticket["mail_id"]))

    began = await on_call.hears("firing", alertname="ImporterNeedsAPerson", cause="dead-letters")
    assert began["labels"] == {"alertname": "ImporterNeedsAPerson", "cause": "dead-letters", "severity": "page"}
    assert began["annotations"] == {
        "summary": "Needs a person: dead-letters (1)",
        "description": "helpdesk-importer status says what, and what to do.",
    }
    on_paper = await on_call.reads("operators@example.org", "[FIRING:1] ImporterDeadLetters")
    assert "Dead letters that wait for a person: 1" in on_paper
    assert "helpdesk-importer dead-letters list." in on_paper

    await importer("importer", "set", "Facilitair", "--default-employee", "E-mail importer", "--enabled")
    await importer("dead-letters", "replay", "--all")
    ended = await on_call.hears("resolved", alertname="ImporterNeedsAPerson", cause="dead-letters")
    assert ended["fingerprint"] == began["fingerprint"]
    assert ended["annotations"] == began["annotations"]
    await on_call.reads("operators@example.org", "[RESOLVED] ImporterDeadLetters")


async def test_a_service_that_hangs_is_told_by_its_address_until_it_was_started_again(alerted: Alerted) -> None:
    on_call, hung, since = alerted.on_call, alerted.pid("notifier"), len(alerted.on_call.told)
    os.kill(hung, signal.SIGSTOP)

    instance = alerted.instance("notifier")
    began = await on_call.hears("firing", since, alertname="ImporterServiceDown", instance=instance)
    assert began["labels"] == {
        "alertname": "ImporterServiceDown", "job": "helpdesk-importer", "instance": instance, "severity": "page",
    }  # fmt: skip
    assert began["annotations"] == {
        "summary": f"{instance} gives no metrics",
        "description": "The service does not run, or hangs; its supervisor should have started it again.",
    }
    await on_call.reads("on-call@example.org", "[FIRING:1] ImporterServiceDown")

    await on_call.hears("resolved", since, alertname="ImporterServiceDown", instance=instance)
    assert alerted.pid("notifier") != hung


async def test_a_database_that_is_away_is_one_alarm_and_what_follows_from_it_is_none(alerted: Alerted) -> None:
    on_call, since = alerted.on_call, len(alerted.on_call.told)
    await alerted.database.cut()

    began = await on_call.hears("firing", since, alertname="ImporterDatabaseAway")
    assert began["labels"] == {"alertname": "ImporterDatabaseAway", "severity": "page"}
    assert began["annotations"] == {
        "summary": "PostgreSQL does not answer the importer",
        "description": "No mail is imported or sent until it does; none is lost.",
    }
    await eventually(
        lambda: alerted.is_suppressed(alertname="ImporterNeedsAPerson", cause="database"), "what follows is not told"
    )

    await alerted.database.mend()
    await on_call.hears("resolved", since, alertname="ImporterDatabaseAway")
