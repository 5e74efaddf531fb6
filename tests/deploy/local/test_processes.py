"""Processes are known again with certainty, and all of them end."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.local import processes
from deploy.local.processes import Process
from deploy.local.tools import plain_environment

SLEEP = ["sleep", "600"]
ROOT = Path(__file__).parents[3]


@pytest.fixture
def sleeper() -> Iterator[Process]:
    child = subprocess.Popen(SLEEP, start_new_session=True)
    yield processes.identify(child.pid)
    child.kill()
    child.wait()


def eventually(fact: Callable[[], bool], seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while not fact():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def test_a_recorded_process_is_found_again(tmp_path: Path, sleeper: Process) -> None:
    processes.record(tmp_path / "sleep.json", sleeper)
    assert processes.recorded(tmp_path / "sleep.json") == sleeper


def test_an_ended_process_is_not_found_any_more(tmp_path: Path, sleeper: Process) -> None:
    processes.record(tmp_path / "sleep.json", sleeper)
    os.kill(sleeper.pid, signal.SIGKILL)
    assert eventually(lambda: processes.recorded(tmp_path / "sleep.json") is None)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(lambda process: replace(process, start=process.start - 1), id="a recycled id"),
        pytest.param(lambda process: replace(process, boot="before the reboot"), id="an id of an earlier boot"),
    ],
)
def test_a_process_that_is_not_ours_is_never_stopped(sleeper: Process, other: Callable[[Process], Process]) -> None:
    processes.stop(other(sleeper), signal.SIGKILL, 1)
    assert processes.is_alive(sleeper)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": 1}'], ids=["empty", "cut short", "a list", "half"])
def test_an_unreadable_record_is_no_process(tmp_path: Path, content: str) -> None:
    (tmp_path / "broken.json").write_text(content)
    assert processes.recorded(tmp_path / "broken.json") is None


def test_a_process_that_does_not_listen_is_killed_with_its_group(tmp_path: Path) -> None:
    script = "trap '' TERM; sleep 600 & echo $! > child; wait"
    deaf = processes.launch(
        ["sh", "-c", script], environment=plain_environment(), log=tmp_path / "log", folder=tmp_path, tether=None
    )
    assert eventually(lambda: (tmp_path / "child").exists() and (tmp_path / "child").read_text() != "")
    child = processes.identify(int((tmp_path / "child").read_text()))
    processes.stop(deaf, signal.SIGTERM, 0.2)
    assert not processes.is_alive(deaf)
    assert eventually(lambda: not processes.is_alive(child))


@pytest.mark.parametrize("tethered", [True, False])
def test_a_tethered_process_ends_with_whoever_started_it(tmp_path: Path, *, tethered: bool) -> None:
    script = f"""
import json, signal, time
from dataclasses import asdict
from pathlib import Path
from deploy.local import processes
from deploy.local.tools import plain_environment
started = processes.launch({SLEEP!r}, environment=plain_environment(), log=Path({str(tmp_path / "log")!r}),
                           folder=Path({str(tmp_path)!r}), tether={"signal.SIGTERM" if tethered else None})
print(json.dumps(asdict(started)), flush=True)
time.sleep(600)
"""
    starter = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, encoding="utf-8")
    assert starter.stdout is not None
    with starter.stdout as output:
        started = Process(**json.loads(output.readline()))
    starter.kill()
    starter.wait()
    try:
        if tethered:
            assert eventually(lambda: not processes.is_alive(started))
        else:
            assert processes.is_alive(started)
    finally:
        processes.stop(started, signal.SIGKILL, 5)


def test_orphans_of_our_children_are_ended_too() -> None:
    script = """
import subprocess, time
from deploy.local import processes
processes.adopt_orphans()
subprocess.run(["sh", "-c", "setsid sleep 600 & setsid sh -c 'sleep 600 & wait' &"], check=True)
deadline = time.monotonic() + 20
while len(processes.descendants()) < 3 and time.monotonic() < deadline:
    time.sleep(0.02)
print(len(processes.descendants()))
processes.end_descendants()
print(len(processes.descendants()))
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.split() == ["3", "0"]


def test_a_name_with_spaces_and_parentheses_is_read(tmp_path: Path) -> None:
    program = tmp_path / "a ) (b"
    program.symlink_to("/bin/sleep")
    child = subprocess.Popen([program, "600"])
    try:
        assert processes.is_alive(processes.identify(child.pid))
    finally:
        child.kill()
        child.wait()


@pytest.mark.parametrize(("soft", "most", "expected"), [(256, 300, 300), (256, 200, 256), (256, 10**9, "hard")])
def test_a_server_may_open_more_files_than_the_shell_it_comes_from(soft: int, most: int, expected: int | str) -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    asked = (
        "import os, resource, sys\n"
        "from deploy.local.processes import with_open_files\n"
        f"resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))\n"
        f"command = [*with_open_files({most}), 'sh', '-c', 'ulimit -n']\n"
        "os.execvp(command[0], command)\n"
    )
    told = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True)
    assert told.stdout == f"{hard if expected == 'hard' else expected}\n"
