"""Both private servers for real: started side by side, found again, restarted with their data, replaced, stopped."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg
import httpx
import pytest

from deploy.local import ports, processes
from deploy.local.account import ordinary_account
from deploy.local.checkout import here
from deploy.local.failure import SetUpFailed
from deploy.local.importer import Importer
from deploy.local.instance import Instance
from deploy.local.packages import SERVERS, Packages
from deploy.local.postgres import Postgres
from deploy.local.processes import Process

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def packages() -> Packages:
    packages = Packages(here().packages.resolve())
    if not set(SERVERS) <= packages.versions().keys():
        pytest.fail("The servers are not unpacked here: run `make test` (or `make setup` before).", pytrace=False)
    return packages


@contextmanager
def reachable_folder() -> Iterator[Path]:
    """A folder that PostgreSQL's account can enter, unlike pytest's; with a space in its path."""
    with TemporaryDirectory(prefix="private servers ") as name:
        Path(name).chmod(0o711)
        yield Path(name)


@pytest.fixture
def folder() -> Iterator[Path]:
    with reachable_folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def instance(packages: Packages) -> Iterator[Instance]:
    """One for all tests that keep data: each makes it `ready`, which does nothing when it is."""
    with reachable_folder() as folder:
        instance = Instance(folder, packages, durable=True)
        yield instance
        instance.stop()


def ready(instance: Instance) -> None:
    instance.launch()
    instance.wait_for_postgres()
    instance.provision()
    instance.wait_for_rabbitmq()


def process(instance: Instance, name: str) -> Process:
    running = processes.recorded(instance.process_file(name))
    assert running is not None
    return running


def eventually(fact: Callable[[], bool], seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while not fact():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


async def as_owner(instance: Instance) -> asyncpg.Connection:
    password = (instance.secrets / "database_password_owner").read_text().strip()
    return await asyncpg.connect(instance.servers().postgres.login("helpdesk", "importer_owner", password))


async def test_data_outlives_a_stop_and_a_second_start_changes_nothing(instance: Instance) -> None:
    ready(instance)
    settings = instance.env_file.read_text()
    connection = await as_owner(instance)
    await connection.execute("CREATE TABLE kept (answer integer); INSERT INTO kept VALUES (42)")
    await connection.close()
    running = process(instance, "postgres")

    ready(instance)
    assert process(instance, "postgres") == running

    assert instance.stop()
    assert not processes.is_alive(running)
    ready(instance)
    connection = await as_owner(instance)
    try:
        assert await connection.fetchval("SELECT answer FROM kept") == 42
    finally:
        await connection.close()
    assert instance.env_file.read_text() == settings


async def test_both_are_provisioned_as_the_services_expect(instance: Instance) -> None:
    ready(instance)
    connection = await as_owner(instance)
    try:
        assert await connection.fetchval("SELECT current_setting('server_encoding')") == "UTF8"
        assert await connection.fetchval("SELECT rolcreaterole FROM pg_roles WHERE rolname = current_user")
        assert not await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
    finally:
        await connection.close()
    async with httpx.AsyncClient(base_url=f"{instance.servers().rabbitmq.management_url}/api/") as management:
        assert (await management.get("whoami")).json()["name"] == "importer_admin"
        assert [vhost["name"] for vhost in (await management.get("vhosts")).json()] == ["helpdesk"]


def test_only_loopback_is_listened_on(instance: Instance) -> None:
    ready(instance)
    listening = subprocess.run(
        ["/usr/bin/cat", "/proc/net/tcp", "/proc/net/tcp6"], capture_output=True, encoding="ascii", check=True
    )
    settled = ports.kept(instance.folder / "ports.json").values()
    for line in listening.stdout.splitlines():
        fields = line.split()
        address, _, port = fields[1].partition(":")
        if fields[3] == "0A" and port and int(port, 16) in settled:
            assert address in {"0100007F", "00000000000000000000000001000000"}


def test_after_a_crash_of_one_server_a_start_brings_it_back_and_leaves_the_other(instance: Instance) -> None:
    ready(instance)
    assert instance.troubles() == {}
    settled = ports.kept(instance.folder / "ports.json")
    kept = process(instance, "postgres")
    os.kill(process(instance, "rabbitmq").pid, signal.SIGKILL)
    assert eventually(lambda: not instance.is_running())
    assert instance.troubles()["RabbitMQ"].startswith("does not run")
    with (
        socket.create_server(("127.0.0.1", settled["health"])),  # as our own fetcher does
        socket.create_server(("127.0.0.1", settled["web"])),  # as our own web console does
    ):
        instance.launch(held=("health", "web"))
    instance.wait_for_rabbitmq()
    assert instance.is_running()
    assert process(instance, "postgres") == kept
    assert ports.kept(instance.folder / "ports.json") == settled


def test_services_and_web_console_hold_their_ports_while_they_run(tmp_path: Path, packages: Packages) -> None:
    instance = Instance(tmp_path, packages, durable=True)
    importer = Importer(here(), instance)
    (tmp_path / "processes").mkdir()
    assert importer.held_ports() == []
    processes.record(instance.process_file("web"), processes.identify(os.getpid()))
    assert importer.held_ports() == ["web"]
    processes.record(instance.process_file("importer"), processes.identify(os.getpid()))
    assert importer.held_ports() == ["health", "web"]


def test_what_a_killed_supervisor_said_last_is_not_said_by_the_next(tmp_path: Path, packages: Packages) -> None:
    instance = Instance(tmp_path, packages, durable=True)
    importer = Importer(here(), instance)
    (tmp_path / "processes").mkdir()
    state = instance.process_file("services")
    processes.record(instance.process_file("importer"), processes.identify(os.getpid()))
    state.write_text(json.dumps({"pid": os.getpid() + 1, "ready": True}), encoding="ascii")
    assert importer.state() == {}
    state.write_text(json.dumps({"pid": os.getpid(), "ready": True}), encoding="ascii")
    assert importer.state()["ready"] is True


def test_a_server_that_hangs_is_named_though_its_process_lives(instance: Instance) -> None:
    ready(instance)
    postgres = process(instance, "postgres").pid
    os.kill(postgres, signal.SIGSTOP)
    try:
        assert instance.is_running()
        assert list(instance.troubles()) == ["PostgreSQL"]
    finally:
        os.kill(postgres, signal.SIGCONT)


def test_a_port_that_was_lost_to_another_program_is_named(packages: Packages, folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        log = folder / "postgres.log"
        postgres = Postgres(packages, folder / "postgres", log, ordinary_account(), port, durable=False, synced=False)
        postgres.prepare()
        started = postgres.launch()
        assert eventually(lambda: not processes.is_alive(started))
        with pytest.raises(SetUpFailed, match="PostgreSQL does not start") as failed:
            postgres.wait(started)
    assert "TCP/IP" in str(failed.value)


def test_temporary_servers_end_with_a_killed_command(packages: Packages, folder: Path) -> None:
    script = f"""
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from deploy.local.importer import Importer
from deploy.local.instance import Instance
from deploy.local.packages import Packages
instance = Instance(Path({str(folder)!r}), Packages(Path({str(packages.root.parent)!r})), durable=False)
instance.launch()
print("launched", flush=True)
time.sleep(600)
"""
    command = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, encoding="utf-8")
    assert command.stdout is not None
    with command.stdout as output:
        assert output.readline() == "launched\n"
    instance = Instance(folder, packages, durable=False)
    started = [process(instance, name) for name in ("postgres", "rabbitmq", "epmd")]
    command.kill()
    command.wait()
    assert eventually(lambda: not any(map(processes.is_alive, started)), seconds=40)


def test_temporary_servers_start_empty(packages: Packages, folder: Path) -> None:
    instance = Instance(folder, packages, durable=False)
    try:
        (folder / "rabbitmq").mkdir()
        (folder / "rabbitmq" / "left").touch()
        instance.launch()
        instance.wait_for_postgres()
        assert not (folder / "rabbitmq" / "left").exists()
    finally:
        instance.stop()


def test_settings_can_be_sourced_by_a_shell(instance: Instance) -> None:
    ready(instance)
    script = f"set -a; . '{instance.env_file}'; exec env"
    sourced = subprocess.run(["/bin/sh", "-c", script], env={}, capture_output=True, encoding="utf-8", check=True)
    variables = dict(line.split("=", 1) for line in sourced.stdout.splitlines())
    assert {name: variables[name] for name in instance.settings()} == instance.settings()
