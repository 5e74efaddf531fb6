"""`helpdesk-importer deploy-topology`, as an administrator types it."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import typer
from typer.testing import CliRunner, Result

from services.console.commands.deploy_topology import deploy_topology
from shared.broker.topology import TopologyParameters, topology
from shared.errors import Misconfigured
from tests.vhosts import EmptyVhost


@pytest.fixture
def environment(
    empty_vhost: EmptyVhost, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[pytest.MonkeyPatch]:
    """An administrator's environment for a virtual host without any queue."""
    prefix = f"{empty_vhost.name}-"
    renamed = topology(TopologyParameters(user_prefix=prefix))
    monkeypatch.setattr("services.console.commands.deploy_topology.topology", lambda: renamed)
    monkeypatch.setenv("IMPORTER_SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv("IMPORTER_RABBITMQ_MANAGEMENT_URL", empty_vhost.server.management_url)
    monkeypatch.setenv("IMPORTER_AMQP_URL", empty_vhost.amqp_url)
    for user in renamed.users:
        (tmp_path / f"amqp_password_{user.service}").write_text(secrets.token_hex(8))
    yield monkeypatch
    for user in renamed.users:
        httpx.delete(f"{empty_vhost.server.management_url}/api/users/{user.name}")


def deploy(*arguments: str) -> Result:
    app = typer.Typer()
    app.command()(deploy_topology)
    return CliRunner().invoke(app, arguments)


@pytest.mark.usefixtures("environment")
def test_it_deploys_and_then_has_nothing_to_do() -> None:
    first = deploy()
    assert (first.exit_code, first.stderr) == (0, "")
    assert "applied: queue mail.raw.dead" in first.stdout
    again = deploy()
    assert (again.exit_code, again.stdout) == (0, "RabbitMQ is as it must be.\n")


@pytest.mark.usefixtures("environment")
def test_check_changes_nothing_and_tells_what_is_missing() -> None:
    for _ in range(2):
        checked = deploy("--check")
        assert checked.exit_code == 1
        assert "differs: The queue mail.raw is missing. Run helpdesk-importer deploy-topology" in checked.stderr


def test_a_missing_password_is_named_and_nothing_is_deployed(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "amqp_password_notifier").unlink()
    refused = deploy()
    assert isinstance(refused.exception, Misconfigured)
    assert "amqp_password_notifier" in str(refused.exception)
    environment.setenv("IMPORTER_AMQP_PASSWORD_NOTIFIER", "given")
    assert "queue mail.raw is missing" in deploy("--check").stderr
