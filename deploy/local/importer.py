"""The importer itself on the servers of an instance: the four services under their supervisor."""

import json
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from deploy.local import health, processes
from deploy.local.beside import beside
from deploy.local.checkout import Checkout
from deploy.local.command_line import CommandLine
from deploy.local.console import step
from deploy.local.failure import SetUpFailed
from deploy.local.instance import Instance
from deploy.local.moves import Moves
from deploy.local.processes import Process
from deploy.local.server_log import last_words
from deploy.local.web_console import launch_web_console, wait_for_web_console

# in the order in which `helpdesk-importer run` hands out health ports
SERVICES = ("fetcher", "classifier", "ticket_writer", "notifier")
# the supervisor gives its services 30 s to finish the work in hand
_STOP_SECONDS = 45
_POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Importer:
    """`helpdesk-importer run` of this checkout on the servers of an instance."""

    checkout: Checkout
    instance: Instance

    @property
    def command_line(self) -> CommandLine:
        """What prepares the servers for it."""
        return CommandLine(self.checkout, self.instance.settings(), self.instance.folder)

    def prepare(self) -> None:
        """Schema and topology, once the servers answer; PostgreSQL's part is done while RabbitMQ still starts."""
        with beside() as hands:
            topology = hands.submit(self.command_line.deploy_topology)
            self.instance.wait_for_postgres()
            self.instance.provision()
            self.command_line.migrate()
            self.instance.lower_owner()
            self.instance.wait_for_rabbitmq()
            topology.result()

    def start(self) -> None:
        """Start the services, detached, unless they run already, and wait until each says that it is ready."""
        with step("the four services are ready"):
            earlier = processes.recorded(self._record)
            process = earlier or self._launch()
            moves = Moves(process, self._log)
            while not self.state().get("ready"):
                if not processes.is_alive(process) or moves.stands_still():
                    if earlier is None:
                        self.stop()
                    raise SetUpFailed(
                        f"The services do not start: {last_words(self._log)} (their logs are in {self.instance.logs})"
                    )
                time.sleep(_POLL_SECONDS)

    def _launch(self) -> Process:
        process = processes.launch(
            [
                *(self.checkout.program("helpdesk-importer"), "run"),
                *("--log-dir", str(self.instance.logs), "--state", str(self._state)),
                *("--first-health-port", str(self.instance.first_health_port())),
            ],
            environment=self.command_line.environment(),
            log=self._log,
            folder=self.instance.folder,
            tether=None,
        )
        processes.record(self._record, process)
        return process

    def start_web(self) -> None:
        """Start the web console, detached, and wait until it is ready; nothing when it runs already."""
        if processes.recorded(self._web_record) is not None:
            return
        port = self.instance.web_port() + 1
        with step("the web console is ready"):
            process = launch_web_console(
                self.checkout.python,
                self.command_line.environment(),
                health_port=port,
                log=self._web_log,
                tether=None,
            )
            processes.record(self._web_record, process)
            try:
                wait_for_web_console(process, health_port=port, log=self._web_log)
            except SetUpFailed:
                self.stop()
                raise

    def is_running(self) -> bool:
        return processes.recorded(self._record) is not None

    def held_ports(self) -> list[str]:
        """The ports, by the names that the instance has for them, that services and web console hold while they run."""
        programs = {"health": self._record, "web": self._web_record}
        return [port for port, record in programs.items() if processes.recorded(record) is not None]

    def state(self) -> dict[str, object]:
        """What the supervisor that runs says of its services, not one that was killed; empty while it says nothing."""
        running = processes.recorded(self._record)
        try:
            state: dict[str, object] = json.loads(self._state.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return {}
        return state if running is not None and state.get("pid") == running.pid else {}

    def troubles(self) -> dict[str, str]:
        """By service, why it does not serve, as its health says; nothing for those that are ready."""
        if not self.is_running():
            return {"The four services": f"do not run; the last of their log {self._log}: {last_words(self._log)}"}
        first = self.instance.first_health_port()
        asked = {name: health.trouble(first + number) for number, name in enumerate(SERVICES)}
        asked["watch"] = health.trouble(first + len(SERVICES), f"nobody is told of alarms: {self._log} says why")
        web = self.instance.web_port() + 1
        asked["web console"] = health.trouble(web, f"`make up` starts it; its log: {self._web_log}")
        return {name: trouble for name, trouble in asked.items() if trouble}

    def stop(self) -> bool:
        """Have web console and services finish the work in hand and stop; whether they ran."""
        stopped = False
        for record in (self._web_record, self._record):
            if (running := processes.recorded(record)) is not None:
                processes.stop(running, signal.SIGTERM, _STOP_SECONDS)
                stopped = True
            record.unlink(missing_ok=True)
        return stopped

    @property
    def _record(self) -> Path:
        return self.instance.process_file("importer")

    @property
    def _web_record(self) -> Path:
        return self.instance.process_file("web")

    @property
    def _web_log(self) -> Path:
        return self.instance.logs / "web.log"

    @property
    def _state(self) -> Path:
        return self.instance.folder / "processes" / "services.json"

    @property
    def _log(self) -> Path:
        return self.instance.logs / "importer.log"
