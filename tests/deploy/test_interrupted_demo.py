"""Ctrl-C in the middle of `make demo` leaves no process behind, wherever it strikes."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.local import processes
from deploy.local.checkout import here
from deploy.local.processes import Process
from deploy.local.tools import plain_environment

SERVERS = here().run.resolve() / "demo-servers" / "processes"


def servers_are_launched(started: set[str]) -> bool:
    return {"postgres", "rabbitmq", "epmd"} <= started


def services_are_launched(started: set[str]) -> bool:
    return {"fetcher", "classifier", "ticket_writer", "notifier"} <= started


def command_lines(of: list[Process]) -> set[str]:
    """The servers (by their records) and services (by their command lines) among these processes."""
    names = set()
    for process in of:
        try:
            words = Path(f"/proc/{process.pid}/cmdline").read_text(encoding="utf-8", errors="replace").split("\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        names |= {word.removeprefix("services.") for word in words if word.startswith("services.")}
    names |= {file.stem for file in SERVERS.glob("*.json") if (found := processes.read(file)) and found in of}
    return names


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param(servers_are_launched, id="while the servers start"),
        pytest.param(services_are_launched, id="while the services run"),
    ],
)
def test_an_interrupted_demo_leaves_no_process(moment: Callable[[set[str]], bool]) -> None:
    demo = subprocess.Popen(
        ["/usr/bin/make", "demo"],
        cwd=here().root,
        env=plain_environment(),
        start_new_session=True,  # a process group of its own, as a terminal's foreground job has
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    deadline = time.monotonic() + 100
    seen: list[Process] = []
    while not moment(command_lines(seen)):
        assert demo.poll() is None, demo.communicate()[0]
        assert time.monotonic() < deadline, json.dumps([*command_lines(seen)])
        seen = processes.descendants(demo.pid)
        time.sleep(0.05)
    os.killpg(demo.pid, signal.SIGINT)
    output, _ = demo.communicate(timeout=60)
    assert "Interrupted" in output
    assert [process for process in seen if processes.is_alive(process)] == []
