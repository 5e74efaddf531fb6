"""`deploy/compose.yaml`: each process gets exactly the secrets that its code asks for, and no needless right."""

import ast
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from deploy.local.compose_folder import CHOICES, IMAGES, ComposeFolder
from shared.broker.topology import topology
from shared.configuration import ServiceName
from shared.database.roles import ROLES

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "deploy/compose.yaml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
PROCESSES = get_args(ServiceName)
"""The four services and the console: each has a database role and a RabbitMQ user of its own."""
JOBS = ("migrate", "topology")


def secrets_of(service: str) -> set[str]:
    return {one if isinstance(one, str) else one["source"] for one in COMPOSE["services"][service]["secrets"]}


def asked_for_by_name(package: str) -> set[str]:
    """Every NAME in `….secret("NAME")` in the code of a service."""
    return {
        call.args[0].value
        for file in (ROOT / "services" / package).rglob("*.py")
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr == "secret"
        and isinstance(call.args[0], ast.Constant)
    }


@pytest.mark.parametrize("process", PROCESSES)
def test_a_process_gets_its_own_logins_and_the_secrets_that_its_code_names(process: str) -> None:
    logins = {f"database_password_{process}", f"amqp_password_{process}"}
    assert secrets_of(process) == logins | asked_for_by_name(process)


def test_the_migration_gets_the_owner_and_each_role_that_it_lets_log_in() -> None:
    assert secrets_of("migrate") == {"database_password_owner", *ROLES.values()}


def test_the_topology_gets_the_administrator_and_each_user_that_it_makes() -> None:
    users = {f"amqp_password_{user.service}" for user in topology().users}
    assert secrets_of("topology") == {"amqp_password_admin"} | users


def test_the_servers_get_what_makes_their_first_user() -> None:
    assert secrets_of("postgres") == {"database_password_superuser", "database_password_owner"}
    assert secrets_of("rabbitmq") == {"rabbitmq_administrator"}


def test_every_secret_is_a_file_that_the_front_door_makes(tmp_path: Path) -> None:
    folder = ComposeFolder(tmp_path, "project")
    folder.write({}, keep_ports=False)
    files = {declared["file"].rpartition("/")[2] for declared in COMPOSE["secrets"].values()}
    assert files == {file.name for file in folder.secrets.iterdir()}


@pytest.mark.parametrize("process", [*PROCESSES, *JOBS])
def test_a_process_of_ours_can_change_nothing_and_take_only_so_much(process: str) -> None:
    described = COMPOSE["services"][process]
    assert described["read_only"] is True
    assert described["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in described["security_opt"]
    assert described["user"] == "${IMPORTER_USER:-10001:10001}"
    assert {"mem_limit", "pids_limit"} <= described.keys()


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_nothing_listens_beyond_this_machine(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in COMPOSE["services"][name].get("ports", ()))


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_logs_do_not_fill_the_disk(name: str) -> None:
    assert COMPOSE["services"][name]["logging"]["options"].keys() == {"max-size", "max-file"}


@pytest.mark.parametrize(("variable", "image"), IMAGES.items())
def test_the_official_images_are_taken_unless_others_are_named(variable: str, image: str) -> None:
    assert f"${{{variable}:-{image}}}" in TEXT


@pytest.mark.parametrize("choice", CHOICES)
def test_every_choice_is_one_of_the_file(choice: str) -> None:
    assert f"${{{choice}:-" in TEXT
