"""The importer in Docker: `deploy/compose.yaml` with settings, ports and secrets of its own under `.run/docker/`.

The demo takes only the servers of that file, thrown away afterwards, and runs the services from `.venv`;
tests start containers of their own (`deploy.testing.servers`).
"""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local import docker, settings_file
from deploy.local.checkout import Checkout, exclusive
from deploy.local.command_line import CommandLine, first_login
from deploy.local.compose_folder import IMAGES, ComposeFolder
from deploy.local.console import say, say_wrapped, shown, step
from deploy.local.docker import Compose
from deploy.local.docker_backup import Backups
from deploy.local.dovecot import ImapEndpoint
from deploy.local.failure import CannotBeDoneThisWay, SetUpFailed
from deploy.local.foreground import attend, ignore_interrupts
from deploy.local.importer import SERVICES
from deploy.local.set_up import set_up
from deploy.local.temporary import MEASURES, TEMPORARY
from deploy.local.tools import plain_environment

SERVERS = ("postgres", "rabbitmq")
CERTIFICATES = "certificates"
"""The job that makes what the servers show; its description in the Compose file also says how the image is built."""
BESIDE = ("watch", "nightly", "reconcile", "web")
"""What works beside the services, with secrets of its own."""
_READY_SECONDS = 180


@dataclass(frozen=True, slots=True)
class Deployment:
    """The containers of one folder, of a checkout."""

    checkout: Checkout
    folder: ComposeFolder

    @property
    def compose(self) -> Compose:
        """Compose with the settings of the folder."""
        file = self.checkout.root / "deploy/compose.yaml"
        return Compose(file, self.folder.env_file, self.folder.settings())

    def exists(self) -> bool:
        """Whether it was ever prepared."""
        return self.folder.env_file.exists()

    def prepare(self) -> None:
        """Write the folder; new ports only when the servers do not run and hold them."""
        if self.folder.is_new() and docker.has_volume(f"{self.folder.project}_postgres-data"):
            raise SetUpFailed(
                f"Docker keeps data of an earlier {shown(self.folder.folder)}, whose passwords are gone. "
                f"`docker compose --project-name {self.folder.project} down --volumes` removes it."
            )
        running = self.runs(SERVERS)
        if not running and self.exists():
            self.compose.must("down", "--remove-orphans")  # what is left of it would hold ports
        self.folder.write(os.environ, keep_ports=running)

    def runs(self, services: tuple[str, ...]) -> bool:
        """Whether all these services run."""
        if not self.exists():
            return False
        running = {container.service for container in self.compose.containers() if container.state == "running"}
        return running.issuperset(services)

    def bring_images(self, *names: str) -> None:
        """Pull what is not here yet."""
        settings = self.folder.settings()
        for name in names:
            docker.bring_image(settings[name], name)

    def build(self) -> None:
        """Build the image of all processes of ours."""
        self.compose.build(CERTIFICATES)

    def start(self, *, seconds: int) -> None:
        """Start all of it; what runs stays as it is, unless its image, settings, secrets or certificate changed.

        Certificates are made anew first, so that their servers are among those that start again.
        """
        self.compose.must("run", "--rm", "--no-deps", CERTIFICATES)
        files = self.compose.secret_files()
        for server in SERVERS:
            files[server].add(self.folder.certificates / server / "certificate.pem")
        self.folder.note_what_they_are_made_with({name: files[name] for name in (*SERVERS, *SERVICES, *BESIDE)})
        self.compose.up(seconds=seconds)

    @property
    def backups(self) -> Backups:
        """What makes back-ups of it, and brings them back."""
        return Backups(self.compose, self.folder.secrets)

    def restore(self, backup: Path, *, seconds: int) -> None:
        """Stop the services, put a back-up in the place of what there is, and start them again.

        RabbitMQ starts empty: what was under way is in the database, and goes on from there. Nothing is read or sent
        before a person has confirmed it; mail that came since the back-up is imported again then.
        """
        with step("the services have ended"):
            self.compose.must("stop", *SERVICES, *BESIDE)
        try:
            back = self.backups.bring_back(backup)
            self.compose.must("rm", "--stop", "--force", "rabbitmq")
            docker.remove_volume(f"{self.folder.project}_rabbitmq-data")
        finally:
            with step("servers and services are healthy"):
                self.start(seconds=seconds)
        say_wrapped(self.backups.note(back))  # by a schema of today, which `migrate` has made just now

    def importer_status(self) -> bool:
        """Show what the importer says of itself, with what of it answers; whether nothing needs a person."""
        asking = ("run", "--rm", "--no-deps", "-T", "-e", f"COLUMNS={shutil.get_terminal_size().columns}", "console")
        command = self.compose.command("--progress", "quiet", *asking, "helpdesk-importer", "status")
        return attend(command, environment=self.compose.environment(), folder=self.folder.folder) == 0

    def first_link(self) -> str:
        """The link by which the first administrator of the web console chooses a password; '' once somebody has."""
        said = self.compose.must("run", "--rm", "--no-deps", "-T", "console", "helpdesk-importer", "users", "first")
        return said.strip()

    def drop(self) -> None:
        """Remove its containers, its data and its folder, if it is there."""
        if self.exists():
            self.compose.must("down", "--remove-orphans", "--volumes")
            docker.remove_image(self.folder.project)
        shutil.rmtree(self.folder.folder, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class DockerRuntime:
    """Containers: those of `make up` keep their data in volumes, named after this checkout."""

    checkout: Checkout

    def refuse_impossible(self) -> None:
        """Raise SetUpFailed without Docker, its engine or its Compose."""
        docker.refuse_missing()

    def bring(self) -> None:
        """Pull the images and make the virtual environment."""
        docker.refuse_missing()
        with set_up(self.checkout, "setup"):
            for variable, default in IMAGES.items():
                docker.bring_image(os.environ.get(variable) or default, variable)

    @contextmanager
    def temporary_importer(self, name: str) -> Iterator[CommandLine]:
        """Empty servers in containers with schema and topology, for the length of a block."""
        docker.refuse_missing()
        with set_up(self.checkout, name):
            pass
        deployment = self._deployment(name)
        with exclusive(self.checkout.run.resolve() / f"{name}-servers", name):
            deployment.drop()  # what a killed command left
            deployment.prepare()
            deployment.bring_images("POSTGRES_IMAGE", "RABBITMQ_IMAGE")
            try:
                folder = deployment.folder
                command_line = CommandLine(self.checkout, folder.importer_settings(), folder.folder)
                command_line.make_certificates(folder.certificates, SERVERS)
                with step("PostgreSQL and RabbitMQ answer, in containers"):
                    deployment.compose.up("--no-deps", *SERVERS, seconds=_READY_SECONDS)
                command_line.migrate()
                command_line.deploy_topology()
                yield command_line
            finally:
                ignore_interrupts()
                deployment.drop()

    def imap_server(self, name: str) -> AbstractContextManager[ImapEndpoint]:
        """There is none in a container: CannotBeDoneThisWay."""
        raise CannotBeDoneThisWay(
            f"`make {name} RUNTIME=docker` brings no IMAP server: its Dovecot is the distribution's. "
            "Leave out RUNTIME=docker, or choose another MAILBOX."
        )

    @contextmanager
    def servers_for_tests(self, name: str) -> Iterator[Callable[[], dict[str, str]]]:
        """What is yielded tells the tests to start containers, which `deploy.testing.servers` also removes."""
        if name == MEASURES:
            raise CannotBeDoneThisWay(
                "`make bench` counts the processor time of the servers' own processes, which it does not see in "
                "containers: leave out RUNTIME=docker."
            )
        docker.refuse_missing()
        with set_up(self.checkout, name) as progress:
            if shutil.which("apt-get"):  # elsewhere the tests of IMAP fail, and say so
                progress.imap_server()
                progress.prometheus()
        yield lambda: plain_environment(RUNTIME="docker")

    def up(self) -> None:
        """Start all in containers that go on after this command; unchanged ones stay as they are."""
        deployment = self._deployment()
        with exclusive(self.checkout.run, "up"):
            deployment.prepare()
            settings = deployment.folder.importer_settings()
            settings_file.write(self.checkout.run / "env", settings, settings_file.for_shell)
            deployment.bring_images(*IMAGES)
            with step("the image is built"):
                deployment.build()
            with step("servers and services are healthy"):
                deployment.start(seconds=_READY_SECONDS)
            link = deployment.first_link()
        self._tell(deployment)
        if link:
            say(first_login(link))

    def down(self) -> None:
        """Stop and remove all containers; their data is kept in volumes."""
        deployment = self._deployment()
        there = []
        if deployment.exists():
            docker.refuse_missing()
            with exclusive(self.checkout.run, "down"):
                there = deployment.compose.containers()
                deployment.compose.must("down", "--remove-orphans")
        kept = f"Stopped; the data is kept in Docker's volumes {deployment.folder.project}_*."
        say(kept if there else "Nothing is running.")

    def status(self) -> bool:
        """Say what runs, and where, and what the importer says of itself; whether nothing needs a person."""
        deployment = self._deployment()
        there = []
        if deployment.exists():
            docker.refuse_missing()
            there = deployment.compose.containers()
        if not there:
            say("Nothing is running: `make up RUNTIME=docker` starts it.")
            return False
        wanted = {*SERVERS, *SERVICES, *BESIDE}
        unwell = [container for container in there if container.service in wanted and not container.runs]
        gone = sorted(wanted - {container.service for container in there})
        for container in unwell:
            say(f"  {container.name}: {container.condition()}{docker.health_report(container)}")
        for service in gone:
            say(f"  {service}: it has no container")
        if unwell or gone:
            say("`make up RUNTIME=docker` starts what does not run; what is well is left as it is.")
        else:
            self._tell(deployment)
        say("")
        return deployment.importer_status() and not (unwell or gone)

    def backup(self) -> None:
        """Write a back-up while all of it runs; its folder is said."""
        deployment = self._running()
        with exclusive(self.checkout.run, "backup"):
            deployment.backups.make(self.checkout.run / "backups")

    def restore(self, backup: Path) -> None:
        """Put a back-up in the place of what there is."""
        deployment = self._running()
        with exclusive(self.checkout.run, "restore"):
            deployment.restore(backup, seconds=_READY_SECONDS)
        self._tell(deployment)
        say("No mailbox is read and no mail is sent until you say so: helpdesk-importer installation show, confirm.")

    def _running(self) -> Deployment:
        """That of `make up`; SetUpFailed unless its servers run."""
        docker.refuse_missing()
        deployment = self._deployment()
        if not deployment.runs(SERVERS):
            raise SetUpFailed("The importer's servers do not run: `make up RUNTIME=docker` starts them.")
        return deployment

    def logs(self) -> None:
        """Become a program that follows the logs."""
        deployment = self._deployment()
        if not deployment.exists():
            raise SetUpFailed("There are no logs yet: `make up RUNTIME=docker` starts the importer.")
        docker.refuse_missing()
        command = deployment.compose.command("logs", "--follow", "--tail", "20")
        os.execvpe(command[0], command, deployment.compose.environment())  # noqa: S606 - docker, as found above

    def remove(self) -> None:
        """Remove containers, data and image, those that killed commands left too."""
        for name in (None, *TEMPORARY):
            deployment = self._deployment(name)
            if deployment.exists():
                docker.refuse_missing()
            deployment.drop()

    def _deployment(self, name: str | None = None) -> Deployment:
        """That of `make up`, or a temporary one; the project's name tells two checkouts of one machine apart."""
        checkout_id = hashlib.sha256(str(self.checkout.root).encode()).hexdigest()[:8]
        suffix = f"-{name}" if name else ""
        folder = self.checkout.run.resolve() / f"docker{suffix}"
        return Deployment(self.checkout, ComposeFolder(folder, f"helpdesk-importer-{checkout_id}{suffix}"))

    def _tell(self, deployment: Deployment) -> None:
        folder, checkout = deployment.folder, self.checkout
        settings = folder.importer_settings()
        env, program = shown(checkout.run / "env"), shown(checkout.venv / "bin/helpdesk-importer")
        compose = f"docker compose --env-file {shown(folder.env_file)} -f {shown(deployment.compose.file)}"
        replicas = [container.service for container in deployment.compose.containers() if container.runs]
        say(
            f"""The importer runs in Docker. `make down` stops it and keeps the data; `make logs` follows its logs.

  compose     {compose} ps
  command     {compose} run --rm console helpdesk-importer --help
              or with a .venv: set -a; . {env}; set +a; {program} --help
  secrets     {settings["IMPORTER_SECRETS_DIR"]}
  mail        {folder.settings()["IMPORTER_MAIL_DIRECTORY"]} is /mail in the containers
  trust       {settings["IMPORTER_SERVER_CA_FILE"]} vouches for PostgreSQL and RabbitMQ, which speak TLS alone
  PostgreSQL  {settings["IMPORTER_DATABASE_URL"]} as importer_owner, password in secrets/database_password_owner
  RabbitMQ    {settings["IMPORTER_RABBITMQ_MANAGEMENT_URL"]}/ as importer_admin, password in secrets/amqp_password_admin
  services    {"  ".join(f"{name} ×{replicas.count(name)}" for name in SERVICES)}, all healthy
  beside      {"  ".join(BESIDE)}
  web console {folder.web_address()}/
  metrics     {"  ".join(f"{name} {' '.join(deployment.compose.port(name, 9000))}" for name in (*SERVICES, "watch"))}"""
        )
        for container in deployment.compose.containers():
            if restarts := deployment.compose.restarts(container):
                say(
                    f"  {container.service} has ended {restarts} times since it was made, and Docker started it again: "
                    f"its log says why; if it says nothing, the kernel ended it for want of memory."
                )
