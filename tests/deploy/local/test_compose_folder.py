"""What Compose is given: secrets that containers can read and other users cannot, choices that are kept, free ports."""

import hashlib
import os
import socket
from pathlib import Path

import pytest

from deploy.local.compose_folder import ComposeFolder
from deploy.local.failure import SetUpFailed

OWNER_OF_MAIL = os.geteuid() or 10001


@pytest.fixture
def folder(tmp_path: Path) -> ComposeFolder:
    return ComposeFolder(tmp_path / "a folder", "project")


def contents(folder: ComposeFolder) -> dict[Path, str]:
    return {file: file.read_text() for file in folder.folder.rglob("*") if file.is_file()}


def test_secrets_are_read_by_the_containers_users_and_by_no_other(folder: ComposeFolder) -> None:
    folder.write({}, keep_ports=False)
    assert folder.folder.stat().st_mode & 0o777 == 0o700
    assert folder.secrets.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in folder.secrets.iterdir()} == {0o444}


def test_rabbitmqs_administrator_has_the_password_that_the_topology_is_deployed_with(folder: ComposeFolder) -> None:
    folder.write({}, keep_ports=False)
    password = (folder.secrets / "amqp_password_admin").read_text().strip()
    configuration = (folder.secrets / "rabbitmq_administrator.conf").read_text()
    assert configuration == f"default_user = importer_admin\ndefault_pass = {password}\n"


def test_everything_is_kept_the_second_time(folder: ComposeFolder) -> None:
    assert folder.is_new()
    folder.write({}, keep_ports=False)
    assert not folder.is_new()
    before = contents(folder)
    folder.write({}, keep_ports=False)
    assert contents(folder) == before


def test_a_choice_is_kept_until_another_is_made(folder: ComposeFolder) -> None:
    folder.write({"POSTGRES_IMAGE": "mirror/postgres:17", "CLASSIFIERS": "3"}, keep_ports=False)
    folder.write({"CLASSIFIERS": "2"}, keep_ports=False)
    settings = folder.settings()
    assert (settings["POSTGRES_IMAGE"], settings["CLASSIFIERS"]) == ("mirror/postgres:17", "2")
    assert settings["RABBITMQ_IMAGE"] == "rabbitmq:4.0-management"
    folder.write({"POSTGRES_IMAGE": ""}, keep_ports=False)
    assert folder.settings()["POSTGRES_IMAGE"] == "postgres:17"


def test_maildirs_belong_to_the_user_of_the_containers(folder: ComposeFolder) -> None:
    folder.write({}, keep_ports=False)
    mail = Path(folder.settings()["IMPORTER_MAIL_DIRECTORY"])
    assert mail.stat().st_uid == OWNER_OF_MAIL
    assert folder.settings()["IMPORTER_USER"].split(":")[0] == str(OWNER_OF_MAIL)


def test_somebody_elses_maildirs_are_left_as_they_are(folder: ComposeFolder, tmp_path: Path) -> None:
    folder.write({"IMPORTER_MAIL_DIRECTORY": str(tmp_path), "IMPORTER_USER": "5000:5000"}, keep_ports=False)
    assert folder.settings()["IMPORTER_MAIL_DIRECTORY"] == str(tmp_path)
    assert folder.settings()["IMPORTER_USER"] == "5000:5000"
    assert not (folder.folder / "mail").exists()


def test_ports_that_our_own_containers_hold_stay(folder: ComposeFolder) -> None:
    folder.write({}, keep_ports=False)
    port = int(folder.settings()["AMQP_PORT"])
    with socket.create_server(("127.0.0.1", port)):
        folder.write({}, keep_ports=True)
        assert int(folder.settings()["AMQP_PORT"]) == port
        folder.write({}, keep_ports=False)
        assert int(folder.settings()["AMQP_PORT"]) != port


def test_a_process_on_this_machine_finds_the_published_ports_and_the_secrets(folder: ComposeFolder) -> None:
    folder.write({}, keep_ports=False)
    inside, outside = folder.settings(), folder.importer_settings()
    assert outside["IMPORTER_DATABASE_URL"].endswith(f":{inside['POSTGRES_PORT']}/helpdesk?sslmode=verify-full")
    assert outside["IMPORTER_AMQP_URL"].endswith(f":{inside['AMQP_PORT']}/helpdesk")
    assert outside["IMPORTER_RABBITMQ_MANAGEMENT_URL"].endswith(f":{inside['RABBITMQ_CONSOLE_PORT']}")
    assert outside["IMPORTER_SECRETS_DIR"] == inside["IMPORTER_SECRETS"] == str(folder.secrets)


def test_a_chosen_port_is_kept_until_an_empty_value_frees_it(folder: ComposeFolder) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    folder.write({"POSTGRES_PORT": str(port)}, keep_ports=False)
    folder.write({}, keep_ports=False)
    assert folder.settings()["POSTGRES_PORT"] == str(port)
    with socket.create_server(("127.0.0.1", port)):
        with pytest.raises(SetUpFailed, match="POSTGRES_PORT"):
            folder.write({}, keep_ports=False)
        folder.write({"POSTGRES_PORT": ""}, keep_ports=False)
    assert folder.settings()["POSTGRES_PORT"] != str(port)
    with pytest.raises(SetUpFailed, match="is no port"):
        folder.write({"AMQP_PORT": "many"}, keep_ports=False)


def test_a_secret_that_changed_is_seen_at_its_service_alone_and_not_told(folder: ComposeFolder) -> None:
    folder.write({}, keep_ports=False)
    files = {name: [folder.secrets / f"amqp_password_{name}"] for name in ("fetcher", "notifier")}
    folder.note_what_they_are_made_with(files)
    before = folder.settings()
    (secret := files["fetcher"][0]).chmod(0o600)
    secret.write_text("another")
    folder.write({}, keep_ports=False)
    folder.note_what_they_are_made_with(files)
    after = folder.settings()
    assert {name for name in after if after[name] != before[name]} == {"FETCHER_MADE_WITH"}
    assert hashlib.sha256(b"another").hexdigest()[:16] != after["FETCHER_MADE_WITH"]
