"""The command line `helpdesk-importer` of this checkout's virtual environment, pointed at servers that are running."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.local.checkout import Checkout
from deploy.local.console import step
from deploy.local.failure import SetUpFailed
from deploy.local.foreground import attend
from deploy.local.tools import plain_environment, run


@dataclass(frozen=True, slots=True)
class CommandLine:
    """Runs in `folder`, with `settings`: the variables that say where the servers and the secrets are."""

    checkout: Checkout
    settings: Mapping[str, str]
    folder: Path

    def environment(self) -> dict[str, str]:
        """What a process of the importer runs with; a folder named `shared` where it starts does not shadow ours."""
        return plain_environment(PYTHONSAFEPATH="1", **self.settings)

    def make_certificates(self, folder: Path, servers: Sequence[str]) -> None:
        """Make certificates that these servers show on this machine."""
        with step("the servers have certificates"):
            self._run("server-certificates", str(folder), *(f"--server={server}" for server in servers))

    def migrate(self) -> None:
        """Bring the schema, the roles and their passwords up to date."""
        with step("the database's schema is up to date"):
            self._run("migrate")

    def deploy_topology(self) -> None:
        """Bring exchanges, queues, policies and users of RabbitMQ up to date, as soon as it has started."""
        with step("RabbitMQ's queues and users are up to date"):
            self._run("deploy-topology", "--wait", "120")

    def status(self) -> bool:
        """Show what the importer says of itself; whether nothing needs a person."""
        command = [self.checkout.program("helpdesk-importer"), "status"]
        return attend(command, environment=self.environment(), folder=self.folder) == 0

    def first_link(self) -> str:
        """The link by which the first administrator of the web console chooses a password; '' once somebody has."""
        return self._run("users", "first").strip()

    def _run(self, name: str, *options: str) -> str:
        done = run(
            [self.checkout.program("helpdesk-importer"), name, *options],
            environment=self.environment(),
            folder=self.folder,
        )
        if done.code != 0:
            raise SetUpFailed(f"`helpdesk-importer {name}` failed:\n{done.output.strip()}")
        return done.output


def first_login(link: str) -> str:
    """The line that tells the first administrator of the web console how he comes in."""
    return f"  first login {link}  (once, within two days; then `helpdesk-importer users add`)"
