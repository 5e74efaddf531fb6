"""`deploy/compose.yaml`: each process gets exactly the secrets that its code asks for, and no needless right."""

import ast
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.local.compose_folder import CHOICES, IMAGES, ComposeFolder
from deploy.local.docker_runtime import BESIDE, CERTIFICATES, SERVERS
from deploy.local.importer import SERVICES
from shared.broker.topology import topology
from shared.database.roles import ROLES

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "deploy/compose.yaml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
OURS = (*SERVICES, *BESIDE, "console", "migrate", "topology", "certificates")


ALARM_CHANNELS = {"alarm_smtp_password", "alarm_webhook_secret"}


def secrets_of(service: str) -> set[str]:
    return {one if isinstance(one, str) else one["source"] for one in COMPOSE["services"][service]["secrets"]}


def named_in(package: str) -> set[str]:
    """Every name of a secret that stands as a text by itself in the code of a service."""
    return {
        constant.value
        for file in (ROOT / "services" / package).rglob("*.py")
        for constant in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(constant, ast.Constant)
        and isinstance(constant.value, str)
        and constant.value in COMPOSE["secrets"]
    }


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_gets_its_own_logins_and_the_secrets_that_its_code_names(service: str) -> None:
    logins = {f"database_password_{service}", f"amqp_password_{service}"}
    assert secrets_of(service) == logins | named_in(service)


def test_the_command_line_gets_the_logins_of_its_commands_and_of_the_services_that_it_asks() -> None:
    asked = {"database_password_fetcher", "database_password_notifier", "database_password_ticket_writer"}
    not_there = ALARM_CHANNELS | {"amqp_password_admin"}  # `doctor` compares queues where it is at hand
    assert secrets_of("console") == (named_in("console") - named_in("console/web")) - not_there | asked


def test_the_watch_gets_the_console_s_logins_and_what_its_channels_need() -> None:
    assert secrets_of("watch") == {"database_password_console", "amqp_password_console"} | ALARM_CHANNELS


def test_the_work_of_a_night_gets_the_operator_s_login() -> None:
    assert secrets_of("nightly") == {"database_password_operator"}


def test_each_of_ours_that_goes_on_is_made_anew_when_a_secret_of_its_changes() -> None:
    for process in (*SERVICES, *BESIDE):
        assert COMPOSE["services"][process]["labels"] == {"made-with": f"${{{process.upper()}_MADE_WITH:-}}"}


def test_the_web_console_gets_its_own_login_and_that_which_sees_the_queues() -> None:
    assert secrets_of("web") == named_in("console/web") | {"amqp_password_console"}


def test_the_migration_gets_the_owner_each_role_that_it_lets_log_in_and_the_key_that_it_publishes() -> None:
    assert secrets_of("migrate") == {"database_password_owner", "encryption_keys", *ROLES.values()}


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


@pytest.mark.parametrize("process", OURS)
def test_a_process_of_ours_can_change_nothing_and_take_only_so_much(process: str) -> None:
    described = COMPOSE["services"][process]
    assert described["read_only"] is True
    assert described["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in described["security_opt"]
    assert (
        described["user"]
        == f"${{{'IMPORTER_CERTIFICATES_USER' if process == CERTIFICATES else 'IMPORTER_USER'}:-10001:10001}}"
    )
    assert {"mem_limit", "pids_limit"} <= described.keys()


def test_no_address_is_one_without_tls_and_each_process_knows_whom_to_trust() -> None:
    addresses = [text for name, text in COMPOSE["x-settings"].items() if name.endswith("_URL") and "://" in text]
    assert {address.partition(":")[0] for address in addresses} == {"postgresql", "amqps", "https"}
    assert COMPOSE["x-settings"]["IMPORTER_REQUIRE_TLS"] == "${IMPORTER_REQUIRE_TLS:-elsewhere}"
    for process in {*OURS} - {CERTIFICATES}:
        assert mounted(process)["/run/certificates"].endswith("/public"), process
    assert "listeners.tcp = none" in (ROOT / "deploy/docker/rabbitmq.conf").read_text(encoding="utf-8")


def test_the_authoritys_key_is_for_its_job_alone_and_a_servers_for_that_server() -> None:
    for process in COMPOSE["services"]:
        folders = {source.rpartition("certificates}")[2] for source in mounted(process).values() if "ERTIFI" in source}
        assert folders == {{CERTIFICATES: ""}.get(process, f"/{process if process in SERVERS else 'public'}")}
    assert COMPOSE["services"][CERTIFICATES]["network_mode"] == "none"


def mounted(process: str) -> dict[str, str]:
    """What is mounted, by where."""
    parts = [
        re.fullmatch(r"(.+?):(/[^:{}]+)(:ro)?", volume) for volume in COMPOSE["services"][process].get("volumes", ())
    ]
    return {part[2]: part[1] for part in parts if part}


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_nothing_listens_beyond_this_machine(name: str) -> None:
    ports = COMPOSE["services"][name].get("ports", ())
    assert all(port.startswith(("127.0.0.1:", "${POSTGRES_ADDRESS:-127.0.0.1}:")) for port in ports)


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_no_process_takes_more_memory_by_way_of_swap_or_stays_down_after_the_engine_crashed(name: str) -> None:
    described = COMPOSE["services"][name]
    assert described["memswap_limit"] == described["mem_limit"]
    assert described.get("restart") == (
        "always" if name in {*SERVICES, *SERVERS, *BESIDE} else described.get("restart")
    )


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_logs_do_not_fill_the_disk(name: str) -> None:
    assert COMPOSE["services"][name]["logging"]["options"].keys() == {"max-size", "max-file"}


@pytest.mark.parametrize(("variable", "image"), IMAGES.items())
def test_the_official_images_are_taken_unless_others_are_named(variable: str, image: str) -> None:
    assert f"${{{variable}:-{image}}}" in TEXT


@pytest.mark.parametrize("choice", CHOICES)
def test_every_choice_is_one_of_the_file(choice: str) -> None:
    assert f"${{{choice}:-" in TEXT
