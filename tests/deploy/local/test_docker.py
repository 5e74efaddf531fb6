"""What Docker says, understood."""

import pytest

from deploy.local.docker import Container, parsed, shortened, taken_port

ONE = '{"Service": "postgres", "Name": "x-postgres-1", "State": "running", "Health": "healthy", "ExitCode": 0}'
OTHER = '{"Service": "migrate", "Name": "x-migrate-1", "State": "exited", "ExitCode": 78}'
CONTAINERS = [
    Container("postgres", "x-postgres-1", "running", "healthy", 0),
    Container("migrate", "x-migrate-1", "exited", "", 78),
]


@pytest.mark.parametrize(
    "listing",
    [f"{ONE}\n{OTHER}\n", f"[{ONE},{OTHER}]\n", f"time=… level=warning\n{ONE}\n{OTHER}\n"],
    ids=["an object a line", "one array", "after a warning"],
)
def test_containers_are_read_as_each_version_lists_them(listing: str) -> None:
    assert parsed(listing) == CONTAINERS


@pytest.mark.parametrize(
    ("state", "health", "exit_code", "verdict"),
    [
        ("running", "healthy", 0, "runs"),
        ("running", "", 0, "runs"),
        ("running", "starting", 0, "neither"),
        ("running", "unhealthy", 0, "failed"),
        ("exited", "", 0, "neither"),
        ("exited", "", 1, "failed"),
        ("restarting", "", 0, "failed"),
    ],
)
def test_a_container_runs_or_failed_or_neither(state: str, health: str, exit_code: int, verdict: str) -> None:
    container = Container("one", "x-one-1", state, health, exit_code)
    assert (container.runs, container.failed) == (verdict == "runs", verdict == "failed")


@pytest.mark.parametrize(
    ("output", "port"),
    [
        ("Bind for 127.0.0.1:25432 failed: port is already allocated", "25432"),
        ("listen tcp4 127.0.0.1:5672: bind: address already in use", "5672"),
        ("Error: pull access denied", None),
    ],
)
def test_a_taken_port_is_recognised(output: str, port: str | None) -> None:
    assert taken_port(output) == port


def test_a_long_line_keeps_its_beginning_and_its_end() -> None:
    assert shortened("short") == "short"
    line = "begin" + "x" * 1000 + "the error"
    assert shortened(line).startswith("begin")
    assert shortened(line).endswith("the error")
    assert len(shortened(line)) < 400
