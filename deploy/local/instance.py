"""One PostgreSQL and one RabbitMQ with a folder of their own: those of `make up`, of the demo, or of the tests."""

import shutil
import signal
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from deploy.local import credentials, ports, processes, settings_file
from deploy.local.account import ordinary_account
from deploy.local.console import step
from deploy.local.endpoints import RABBITMQ_ADMINISTRATOR, PostgresEndpoint, RabbitmqEndpoint
from deploy.local.failure import SetUpFailed
from deploy.local.packages import Packages
from deploy.local.postgres import Postgres
from deploy.local.processes import Process
from deploy.local.rabbitmq import Ports, Rabbitmq

_PORTS = {"postgres": 1, "amqp": 1, "management": 1, "distribution": 1, "epmd": 1, "health": 5, "web": 2}
_SERVERS = ("postgres", "epmd", "rabbitmq")
_PORTS_OF = {"postgres": ("postgres",), "rabbitmq": ("amqp", "management", "distribution"), "epmd": ("epmd",)}


@dataclass(frozen=True, slots=True)
class Servers:
    """Both servers of an instance, as their administrators."""

    postgres: PostgresEndpoint
    rabbitmq: RabbitmqEndpoint


@dataclass(frozen=True, slots=True)
class Instance:
    """The servers whose data, logs, secrets and processes are in `folder`.

    A durable one keeps its data and outlives the command that starts it. Any other starts empty, and its servers end
    with that command, even if that is killed. `measured`: its commits reach the disk all the
    same, and its statements are counted.
    """

    folder: Path
    packages: Packages
    durable: bool
    vhost: str = "helpdesk"
    measured: bool = False

    @property
    def secrets(self) -> Path:
        return self.folder / "secrets"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def env_file(self) -> Path:
        return self.folder / "env"

    def process_file(self, name: str) -> Path:
        """Where a process of this instance is recorded."""
        return self.folder / "processes" / f"{name}.json"

    def is_running(self) -> bool:
        """Whether all servers run."""
        return not self.dead_servers()

    def dead_servers(self) -> tuple[str, ...]:
        """The servers that do not run: `postgres`, `epmd` (which RabbitMQ needs), `rabbitmq`."""
        return tuple(name for name in _SERVERS if not processes.recorded(self.process_file(name)))

    def first_health_port(self) -> int:
        """The health ports of the services are this one and the next three; the watch has the one after."""
        return self._ports()["health"]

    def web_port(self) -> int:
        """Where the web console answers; its health port is the next."""
        port = self._ports().get("web")
        if port is None:
            raise SetUpFailed("These servers were started by an earlier version: `make down`, then `make up`.")
        return port

    def launch(self, *, held: Collection[str] = ()) -> None:
        """Set the servers going that do not run; `wait_for_postgres` and `wait_for_rabbitmq` tell when they answer.

        One that is not durable starts all of them anew. `held` names the ports that programs of ours hold, which run.
        """
        dead = set(self.dead_servers())
        if not dead:
            return
        if not self.durable:
            self.stop()
            self._empty()
            dead = set(_SERVERS)
        elif not dead.isdisjoint({"epmd", "rabbitmq"}):  # neither does without the other
            self._stop_rabbitmq()
            dead |= {"epmd", "rabbitmq"}
        for folder in (self.folder / "processes", self.logs):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        credentials.ensure(self.secrets)
        of_servers = [port for name in _SERVERS if name not in dead for port in _PORTS_OF[name]]
        ports.settle(self.folder / "ports.json", _PORTS, [*of_servers, *held])
        rabbitmq, postgres = self._rabbitmq(), self._postgres()
        if "rabbitmq" in dead:
            rabbitmq.prepare()
            self._record("epmd", rabbitmq.launch_port_mapper())
            self._record("rabbitmq", rabbitmq.launch())
        if "postgres" in dead:
            postgres.prepare()
            self._record("postgres", postgres.launch())
        settings_file.write(self.env_file, self.settings(), settings_file.for_shell)

    def wait_for_postgres(self) -> None:
        """Wait until PostgreSQL answers."""
        with step("PostgreSQL answers"):
            self._postgres().wait(self._process("postgres"))

    def provision(self) -> None:
        """The owner's role and the database `helpdesk` in PostgreSQL; RabbitMQ is provisioned by its configuration."""
        self._postgres().provision(credentials.keep(self.secrets / "database_password_owner"))

    def lower_owner(self) -> None:
        """After a migration: the owner of the database makes no more roles."""
        self._postgres().lower_owner()

    def wait_for_rabbitmq(self) -> None:
        """Wait until RabbitMQ answers."""
        with step("RabbitMQ answers"):
            self._rabbitmq().wait(self._process("rabbitmq"))

    def servers(self) -> Servers:
        """Where they answer."""
        return Servers(self._postgres().endpoint, self._rabbitmq().endpoint)

    def stop(self) -> bool:
        """Stop what runs of this instance; whether anything did."""
        stopped = self._stop_rabbitmq()
        if running := processes.recorded(self.process_file("postgres")):
            self._postgres().stop(running)
            stopped = True
        self.process_file("postgres").unlink(missing_ok=True)
        return stopped

    def _stop_rabbitmq(self) -> bool:
        node, mapper = (processes.recorded(self.process_file(name)) for name in ("rabbitmq", "epmd"))
        if node is not None:
            self._rabbitmq().stop(node)
        if mapper is not None:
            processes.stop(mapper, signal.SIGTERM, 5)
        for name in ("rabbitmq", "epmd"):
            self.process_file(name).unlink(missing_ok=True)
        return node is not None or mapper is not None

    def troubles(self) -> dict[str, str]:
        """By server, why it does not serve, in a sentence; nothing for those that answer."""
        found: dict[str, str] = {}
        dead = self.dead_servers()
        if "postgres" in dead:
            found["PostgreSQL"] = f"does not run; its log: {self.logs / 'postgres.log'}"
        elif not self._postgres().answers():
            found["PostgreSQL"] = f"runs and does not answer; its log: {self.logs / 'postgres.log'}"
        if not {"epmd", "rabbitmq"}.isdisjoint(dead):
            found["RabbitMQ"] = f"does not run; its log: {self.logs / 'rabbitmq.log'}"
        elif not self._rabbitmq().answers():
            found["RabbitMQ"] = f"runs and does not answer; its log: {self.logs / 'rabbitmq.log'}"
        return found

    def was_started(self) -> bool:
        """Whether somebody started it and nobody stopped it since."""
        return any(self.process_file(name).exists() for name in _SERVERS)

    def settings(self) -> dict[str, str]:
        """What a service is told, as environment variables; the credentials are in the folder of secrets."""
        settled = self._ports()
        return {
            "IMPORTER_DATABASE_URL": f"postgresql://127.0.0.1:{settled['postgres']}/helpdesk",
            "IMPORTER_AMQP_URL": f"amqp://127.0.0.1:{settled['amqp']}/helpdesk",
            "IMPORTER_RABBITMQ_MANAGEMENT_URL": f"http://127.0.0.1:{settled['management']}",
            "IMPORTER_SECRETS_DIR": str(self.secrets),
            **({"IMPORTER_WEB_PORT": str(settled["web"])} if "web" in settled else {}),
        }

    def _ports(self) -> dict[str, int]:
        return ports.kept(self.folder / "ports.json")

    def _record(self, name: str, process: Process) -> None:
        processes.record(self.process_file(name), process)

    def _process(self, name: str) -> Process:
        process = processes.read(self.process_file(name))
        if process is None:
            raise SetUpFailed(f"{name} of {self.folder} was never started, or its record was removed: `make down`.")
        return process

    def _empty(self) -> None:
        for part in ("postgres", "rabbitmq", "logs"):
            shutil.rmtree(self.folder / part, ignore_errors=True)

    def _postgres(self) -> Postgres:
        return Postgres(
            packages=self.packages,
            folder=self.folder / "postgres",
            log=self.logs / "postgres.log",
            account=ordinary_account(),
            port=self._ports()["postgres"],
            durable=self.durable,
            synced=self.durable or self.measured,
            measured=self.measured,
        )

    def _rabbitmq(self) -> Rabbitmq:
        settled = self._ports()
        return Rabbitmq(
            packages=self.packages,
            folder=self.folder / "rabbitmq",
            log=self.logs / "rabbitmq.log",
            ports=Ports(settled["amqp"], settled["management"], settled["distribution"], settled["epmd"]),
            administrator=RABBITMQ_ADMINISTRATOR,
            password=credentials.keep(self.secrets / "amqp_password_admin"),
            vhost=self.vhost,
            durable=self.durable,
        )
