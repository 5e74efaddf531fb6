"""The importer on private servers of its own: the distribution's packages, unpacked; no root, nothing installed."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local.checkout import Checkout, exclusive
from deploy.local.command_line import CommandLine, first_login
from deploy.local.console import say, say_wrapped, shown
from deploy.local.dovecot import ImapEndpoint, private_dovecot
from deploy.local.failure import CannotBeDoneThisWay, SetUpFailed
from deploy.local.importer import SERVICES, Importer
from deploy.local.instance import Instance
from deploy.local.packages import BROWSER, Packages
from deploy.local.run_folder import remove_run_folder
from deploy.local.set_up import refuse_foreign_platform, set_up
from deploy.local.temporary import TEMPORARY, temporary_servers
from deploy.local.tools import plain_environment

_NO_BACKUP = (
    "There is no such command for private servers: `pg_dump` and `pg_restore` of the address that `make status` tells, "
    "and a copy of .run/secrets, are a back-up. RUNTIME=docker has the commands."
)


@dataclass(frozen=True, slots=True)
class PrivateRuntime:
    """Private servers: those of `make up` have data, logs, secrets and settings in `.run` itself."""

    checkout: Checkout

    def refuse_impossible(self) -> None:
        """Raise SetUpFailed on a system whose processes we cannot look after."""
        refuse_foreign_platform()

    def bring(self) -> None:
        """Unpack the servers and make the virtual environment."""
        with set_up(self.checkout, "setup") as progress:
            progress.servers()
            progress.imap_server()

    @contextmanager
    def imap_server(self, name: str) -> Iterator[ImapEndpoint]:
        """An empty Dovecot for the length of a block, inside that of `temporary_importer`."""
        with private_dovecot(self.checkout, self.checkout.run.resolve() / f"{name}-servers" / "dovecot") as endpoint:
            yield endpoint

    @contextmanager
    def temporary_importer(self, name: str) -> Iterator[CommandLine]:
        """Empty servers with schema and topology for the length of a block."""
        with temporary_servers(self.checkout, name) as instance:
            importer = Importer(self.checkout, instance)
            importer.prepare()
            yield importer.command_line

    @contextmanager
    def servers_for_tests(self, name: str) -> Iterator[Callable[[], dict[str, str]]]:
        """Empty servers for the length of a block: what is yielded waits for them and is the environment of it."""
        with set_up(self.checkout, name) as progress:
            progress.prometheus()
        with temporary_servers(self.checkout, name, vhost="/") as instance, ExitStack() as stack:

            def environment() -> dict[str, str]:
                dovecot = stack.enter_context(self.imap_server(name))
                self._bring_browser()
                instance.wait_for_postgres()
                instance.wait_for_rabbitmq()
                servers = instance.servers()
                return plain_environment() | {
                    "TEST_POSTGRES_URL": servers.postgres.url,
                    "TEST_RABBITMQ_URL": servers.rabbitmq.amqp_url,
                    "TEST_RABBITMQ_MANAGEMENT_URL": servers.rabbitmq.management_url,
                    **dovecot.environment(),
                }

            yield environment

    def _bring_browser(self) -> None:
        """Chromium for the tests of the web console; where it cannot be had, those are skipped, and say so."""
        try:
            Packages(self.checkout.packages).bring(BROWSER)
        except SetUpFailed as failure:
            say(f"No browser, so its tests are skipped: {failure}")

    def up(self) -> None:
        """Start servers and services that go on after this command; say where everything is."""
        with set_up(self.checkout, "up") as progress:
            progress.servers()
            importer = self._importer()
            importer.instance.launch(held=importer.held_ports())
            progress.dependencies()
            importer.prepare()
            importer.start()
            importer.start_web()
            link = importer.command_line.first_link()
        self._tell(importer)
        if link:
            say(first_login(link))

    def down(self) -> None:
        """Stop services, then servers; what they know is kept."""
        stopped = False
        if self.checkout.run.exists():
            with exclusive(self.checkout.run, "down"):
                importer = self._importer()
                stopped = any((importer.stop(), importer.instance.stop()))
        say(f"Stopped; the data is kept in {self.checkout.run}." if stopped else "Nothing is running.")

    def status(self) -> bool:
        """Say what runs and answers, and where, and what needs a person; whether all is well."""
        importer = self._importer()
        if not importer.instance.was_started() and not importer.is_running():
            say("Nothing is running: `make up` starts it.")
            return False
        troubles = importer.instance.troubles() | importer.troubles()
        if troubles:
            for name, trouble in troubles.items():
                say_wrapped(f"{name} {trouble}")
            say("`make up` starts what does not run; what is well is left as it is. The logs: `make logs`.")
        else:
            self._tell(importer)
        say("")
        return importer.command_line.status() and not troubles

    def backup(self) -> None:
        """There is no such command for private servers: CannotBeDoneThisWay."""
        raise CannotBeDoneThisWay(_NO_BACKUP)

    def restore(self, backup: Path) -> None:  # noqa: ARG002 - as of every runtime
        """There is no such command for private servers: CannotBeDoneThisWay."""
        raise CannotBeDoneThisWay(_NO_BACKUP)

    def logs(self) -> None:
        """Become a program that follows the logs."""
        files = sorted(str(file) for file in self._importer().instance.logs.glob("*.log"))
        if not files:
            raise SetUpFailed("There are no logs yet: `make up` starts the importer.")
        os.execvp("tail", ["tail", "-n", "20", "-F", *files])  # noqa: S606, S607 - the system's own tail

    def remove(self) -> None:
        """Stop everything, what killed commands left too, and remove `.run`, data and all."""
        if self.checkout.run.exists():
            for name in TEMPORARY:
                folder = self.checkout.run.resolve() / f"{name}-servers"
                Instance(folder, Packages(self.checkout.packages), durable=False).stop()
            self.down()
            with exclusive(self.checkout.run, "clean"):
                remove_run_folder(self.checkout)

    def _importer(self) -> Importer:
        packages = Packages(self.checkout.packages.resolve())
        return Importer(self.checkout, Instance(self.checkout.run.resolve(), packages, durable=True))

    def _tell(self, importer: Importer) -> None:
        instance = importer.instance
        settings = instance.settings()
        env, program = shown(self.checkout.run / "env"), shown(self.checkout.venv / "bin/helpdesk-importer")
        health = instance.first_health_port()
        say(
            f"""The importer runs. `make down` stops it and keeps the data; `make logs` follows its logs.

  settings    {env} (secrets in {settings["IMPORTER_SECRETS_DIR"]})
  command     set -a; . {env}; set +a; {program} --help
  PostgreSQL  {settings["IMPORTER_DATABASE_URL"]} as importer_owner, password in secrets/database_password_owner
  RabbitMQ    {settings["IMPORTER_RABBITMQ_MANAGEMENT_URL"]}/ as importer_admin, password in secrets/amqp_password_admin
  services    {"  ".join(f"{name} http://127.0.0.1:{health + number}" for number, name in enumerate(SERVICES))}
              watch http://127.0.0.1:{health + len(SERVICES)}
              each with /health/live, /health/ready and /metrics
  web console http://127.0.0.1:{instance.web_port()}/  (health http://127.0.0.1:{instance.web_port() + 1})
  logs        {instance.logs}"""
        )
