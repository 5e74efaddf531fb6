"""The importer on private servers of its own: the distribution's packages, unpacked; no root, nothing installed."""

import os
from dataclasses import dataclass
from pathlib import Path

from deploy.local.checkout import Checkout, exclusive
from deploy.local.console import say
from deploy.local.importer import SERVICES, Importer
from deploy.local.instance import Instance
from deploy.local.packages import Packages
from deploy.local.run_folder import remove_run_folder
from deploy.local.set_up import set_up

_NOT_RUNNING = 3


@dataclass(frozen=True, slots=True)
class PrivateRuntime:
    """`make up` on private servers whose data, logs, secrets and settings are in `.run` itself."""

    checkout: Checkout

    def up(self) -> int:
        """Start servers and services that go on after this command; say where everything is."""
        with set_up(self.checkout, "up") as progress:
            progress.servers()
            importer = self._importer()
            importer.instance.launch()
            progress.dependencies()
            importer.prepare()
            importer.start()
        self._tell(importer)
        return 0

    def down(self) -> int:
        """Stop services, then servers; what they know is kept."""
        stopped = False
        if self.checkout.run.exists():
            with exclusive(self.checkout.run, "down"):
                importer = self._importer()
                stopped = any((importer.stop(), importer.instance.stop()))
        say(f"Stopped; the data is kept in {self.checkout.run}." if stopped else "Nothing is running.")
        return 0

    def status(self) -> int:
        """Say what runs, and where; 3 when not all of it does."""
        importer = self._importer()
        if not importer.instance.is_running() or not importer.is_running():
            running = "The servers run, the services do not" if importer.instance.is_running() else "Nothing is running"
            say(f"{running}: `make up` starts it.")
            return _NOT_RUNNING
        self._tell(importer)
        return 0

    def remove(self) -> None:
        """Stop everything and remove `.run`, data and all."""
        if self.checkout.run.exists():
            self.down()
            with exclusive(self.checkout.run, "clean"):
                remove_run_folder(self.checkout)

    def _importer(self) -> Importer:
        packages = Packages(self.checkout.packages.resolve())
        return Importer(self.checkout, Instance(self.checkout.run.resolve(), packages, durable=True))

    def _tell(self, importer: Importer) -> None:
        instance = importer.instance
        settings = instance.settings()
        env, program = _shown(self.checkout.run / "env"), _shown(self.checkout.venv / "bin/helpdesk-importer")
        health = instance.first_health_port()
        say(
            f"""The importer runs. `make down` stops it and keeps the data; `make logs` follows its logs.

  settings    {env} (secrets in {settings["IMPORTER_SECRETS_DIR"]})
  command     set -a; . {env}; set +a; {program} --help
  PostgreSQL  {settings["IMPORTER_DATABASE_URL"]} as importer_owner, password in secrets/database_password_owner
  RabbitMQ    {settings["IMPORTER_RABBITMQ_MANAGEMENT_URL"]}/ as importer_admin, password in secrets/amqp_password_admin
  services    {"  ".join(f"{name} http://127.0.0.1:{health + number}" for number, name in enumerate(SERVICES))}
              each with /health/live, /health/ready and /metrics
  logs        {instance.logs}"""
        )


def _shown(path: Path) -> str:
    """A path as one types it from the folder one is in, when that is shorter."""
    relative = os.path.relpath(path)
    return relative if len(relative) < len(str(path)) else str(path)
