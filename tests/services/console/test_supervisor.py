"""The supervisor, over stand-ins for the services: real processes with a health address and an end of their own."""

import asyncio
import io
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.console.child_output import LogFiles, OneStream
from services.console.supervisor import (
    SERVICES,
    Condition,
    ServiceRefusedToStart,
    ServiceState,
    Supervisor,
    restart_delay,
)
from shared.errors import Misconfigured

STAND_IN = """
import http.server, os, signal, sys, threading

class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/health/ready" else 404)
        self.end_headers()
    def log_message(self, *given):
        pass

def drain(*given):
    print("drained", flush=True)
    os._exit(0)

signal.signal(signal.SIGTERM, drain)
server = http.server.HTTPServer(("127.0.0.1", int(os.environ["IMPORTER_HEALTH_PORT"])), Health)
print("serving", os.environ["IMPORTER_HEALTH_PORT"], flush=True)
server.serve_forever()
"""
DEADLINE = 20


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder with a package `services`, each service a stand-in that a test may overwrite."""
    for name in SERVICES:
        package = tmp_path / "services" / name
        package.mkdir(parents=True)
        (package / "__main__.py").write_text(STAND_IN)
    # A package without it would lose against the installed one, wherever the path has that.
    (tmp_path / "services" / "__init__.py").touch()
    return tmp_path


def supervise(programs: Path, output: LogFiles | OneStream | None = None) -> tuple[Supervisor, list[ServiceState]]:
    heard: list[ServiceState] = []
    supervisor = Supervisor(
        {"PATH": os.environ["PATH"], "PYTHONPATH": str(programs)}, output or LogFiles(programs), on_change=heard.append
    )
    return supervisor, heard


@asynccontextmanager
async def running(supervisor: Supervisor) -> AsyncIterator[asyncio.Event]:
    stop = asyncio.Event()
    task = asyncio.create_task(supervisor.run(stop))
    try:
        async with asyncio.timeout(DEADLINE):
            await supervisor.all_ready()
            yield stop
            stop.set()
            await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def exists(pid: int | None) -> bool:
    """Whether the process runs (one that ended and waits for its parent to ask does not)."""
    assert pid is not None
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


@pytest.mark.parametrize(("crashes", "seconds"), [(1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (1000, 60)], ids=str)
def test_a_crashed_service_waits_longer_each_time(crashes: int, seconds: float) -> None:
    assert restart_delay(crashes) == seconds


async def test_stopping_drains_all_services_and_leaves_no_process(programs: Path) -> None:
    supervisor, _ = supervise(programs)
    async with running(supervisor):
        pids = [state.pid for state in supervisor.states.values()]
        assert all(exists(pid) for pid in pids)
    assert not any(exists(pid) for pid in pids)
    assert {state.condition for state in supervisor.states.values()} == {Condition.STOPPED}
    for name in SERVICES:
        assert (programs / f"{name}.log").read_text().splitlines()[-1] == "drained"


async def test_a_killed_service_is_started_again(programs: Path) -> None:
    supervisor, heard = supervise(programs)
    async with running(supervisor):
        killed = supervisor.states["classifier"].pid
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        await supervisor.until(lambda states: states["classifier"].starts == 2)
        await supervisor.all_ready()
        assert supervisor.states["classifier"].pid != killed
        assert supervisor.states["fetcher"].starts == 1
    assert [state.last_exit for state in heard if state.condition is Condition.WAITING] == [-signal.SIGKILL]


async def test_bad_configuration_stops_everything(programs: Path) -> None:
    (programs / "services/notifier/__main__.py").write_text(
        f"import sys\nprint('IMPORTER_DATABASE_URL is not set')\nsys.exit({os.EX_CONFIG})"
    )
    supervisor, heard = supervise(programs)
    with pytest.raises(ServiceRefusedToStart, match=r"notifier refuses to start .*notifier\.log"):
        await asyncio.wait_for(supervisor.run(asyncio.Event()), DEADLINE)
    assert {state.condition for state in supervisor.states.values()} == {Condition.STOPPED}
    assert [state.starts for state in heard if state.service == "notifier"] == [1, 1]
    assert not any(exists(state.pid) for state in heard if state.pid is not None)


async def test_a_service_that_has_worked_is_started_again_whatever_it_is_refused_later(programs: Path) -> None:
    supervisor, heard = supervise(programs)
    async with running(supervisor):
        program = programs / "services/notifier/__main__.py"
        program.write_text(f"import sys\nprint('The database refuses the login')\nsys.exit({os.EX_CONFIG})")
        killed = supervisor.states["notifier"].pid
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        await supervisor.until(lambda states: states["notifier"].last_exit == os.EX_CONFIG)
        program.write_text(STAND_IN)
        await supervisor.all_ready()
        assert {name: supervisor.states[name].starts for name in SERVICES if name != "notifier"} == {
            "fetcher": 1,
            "classifier": 1,
            "ticket_writer": 1,
        }
    assert Condition.WAITING in {state.condition for state in heard if state.last_exit == os.EX_CONFIG}


async def test_a_service_that_does_not_drain_is_killed_with_its_own_children(programs: Path) -> None:
    (programs / "services/classifier/__main__.py").write_text(
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()'])\n"
        "print(child.pid, flush=True)\n" + STAND_IN.replace("os._exit(0)", "pass")
    )
    supervisor, _ = supervise(programs)
    supervisor.kill_after = supervisor.kill_after / 30
    async with running(supervisor):
        grandchild = int((programs / "classifier.log").read_text().splitlines()[0])
        assert exists(grandchild)
    assert supervisor.states["classifier"].last_exit == -signal.SIGKILL
    async with asyncio.timeout(DEADLINE):
        while exists(grandchild):
            await asyncio.sleep(0.01)


async def test_lines_of_all_services_come_whole_and_prefixed(programs: Path) -> None:
    stream = io.BytesIO()
    supervisor, _ = supervise(programs, OneStream(stream, prefixed=True))
    async with running(supervisor):
        pass
    lines = stream.getvalue().decode().splitlines()
    assert sorted(line for line in lines if "drained" in line) == sorted(f"{name:<13} │ drained" for name in SERVICES)


async def test_a_port_that_is_taken_is_a_sentence(programs: Path) -> None:
    supervisor, heard = supervise(programs)
    server = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
    async with server:
        supervisor.first_health_port = server.sockets[0].getsockname()[1]
        with pytest.raises(Misconfigured, match="the health port of fetcher, cannot be had"):
            await supervisor.run(asyncio.Event())
    assert heard == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent is gone")
async def test_a_killed_supervisor_leaves_no_service_behind(programs: Path) -> None:
    state_file = programs / "state.json"
    command = await start_command(programs, "--state", str(state_file), "--log-dir", str(programs))
    pids = [service["pid"] for service in (await ready_state(state_file))["services"].values()]
    command.kill()
    await command.wait()
    async with asyncio.timeout(DEADLINE):
        while any(exists(pid) for pid in pids):
            await asyncio.sleep(0.01)


async def test_sigterm_to_the_command_drains_and_removes_the_state_file(programs: Path) -> None:
    state_file = programs / "state.json"
    command = await start_command(programs, "--state", str(state_file))
    state = await ready_state(state_file)
    assert state["pid"] == command.pid
    command.terminate()
    async with asyncio.timeout(DEADLINE):
        output, sentences = await command.communicate()
    assert command.returncode == 0
    assert output.decode().count("drained") == len(SERVICES)
    assert sentences.decode().splitlines()[-1].endswith("stopped with exit code 0")
    assert not state_file.exists()
    assert not any(exists(service["pid"]) for service in state["services"].values())


async def test_bad_configuration_ends_the_command_with_78(programs: Path) -> None:
    (programs / "services/fetcher/__main__.py").write_text(f"import sys\nsys.exit({os.EX_CONFIG})")
    command = await start_command(programs)
    async with asyncio.timeout(DEADLINE):
        _, sentences = await command.communicate()
    assert command.returncode == os.EX_CONFIG
    assert "fetcher refuses to start with these settings" in sentences.decode()


async def start_command(programs: Path, *options: str) -> asyncio.subprocess.Process:
    """Our `run`, whose children find the stand-ins instead of our services."""
    script = (
        f"import os\nfrom services.console.__main__ import main\nos.environ['PYTHONPATH'] = {str(programs)!r}\nmain()"
    )
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, "run", *options, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )


async def ready_state(state_file: Path) -> dict[str, Any]:
    """What the state file says once it says that all services are ready."""
    async with asyncio.timeout(DEADLINE):
        while not state_file.exists() or not json.loads(state_file.read_text())["ready"]:
            await asyncio.sleep(0.02)
    state: dict[str, Any] = json.loads(state_file.read_text())
    return state


async def test_a_stopped_service_is_seen_ended_and_started_again(programs: Path) -> None:
    supervisor, heard = supervise(programs)
    supervisor.hung_after = timedelta(seconds=3)
    async with running(supervisor):
        stopped = supervisor.states["classifier"].pid
        assert stopped is not None
        os.kill(stopped, signal.SIGSTOP)
        await supervisor.until(lambda states: states["classifier"].starts == 2)
        await supervisor.all_ready()
        assert not exists(stopped)
        assert supervisor.states["fetcher"].starts == 1
    conditions = [state.condition for state in heard if state.service == "classifier" and state.pid == stopped]
    assert conditions[:2] == [Condition.STARTING, Condition.READY]
    assert conditions[-1] is Condition.HUNG
