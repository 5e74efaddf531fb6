"""Ports stay the same from one start to the next, unless somebody else took one."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.local.failure import SetUpFailed
from deploy.local.ports import is_free, kept, settle


@contextmanager
def listening(port: int = 0) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", port)) as server:
        yield server.getsockname()[1]


def test_a_port_that_is_listened_on_is_not_free() -> None:
    with listening() as port:
        assert not is_free(port)
    assert is_free(port)


def test_settled_ports_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    first = settle(file, {"postgres": 1, "amqp": 1})
    assert settle(file, {"postgres": 1, "amqp": 1}) == first == kept(file)


def test_a_taken_port_is_replaced_and_said_aloud(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "ports.json"
    first = settle(file, {"postgres": 1, "amqp": 1})
    with listening(first["amqp"]):
        second = settle(file, {"postgres": 1, "amqp": 1})
    assert second["postgres"] == first["postgres"]
    assert second["amqp"] != first["amqp"]
    assert f"port {first['amqp']} (amqp) is taken by another program" in capsys.readouterr().out


def test_a_port_that_a_program_of_ours_holds_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    first = settle(file, {"postgres": 1, "health": 4})
    with listening(first["health"]):
        assert settle(file, {"postgres": 1, "health": 4}, held=["health"]) == first


def test_a_block_of_ports_moves_when_one_in_it_is_taken(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    first = settle(file, {"health": 4})["health"]
    with listening(first + 3):
        second = settle(file, {"health": 4})["health"]
    assert {*range(second, second + 4)}.isdisjoint(range(first, first + 4))


def test_no_file_means_no_ports(tmp_path: Path) -> None:
    assert kept(tmp_path / "ports.json") == {}


def test_a_chosen_port_is_taken_and_kept_and_never_moves(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    with listening() as port, pytest.raises(SetUpFailed, match=f"Port {port}, which POSTGRES_PORT chooses, is taken"):
        settle(file, {"POSTGRES_PORT": 1}, chosen={"POSTGRES_PORT": port})
    assert settle(file, {"POSTGRES_PORT": 1}, chosen={"POSTGRES_PORT": port}) == {"POSTGRES_PORT": port}
    with listening(port):
        held = settle(file, {"POSTGRES_PORT": 1}, ["POSTGRES_PORT"], chosen={"POSTGRES_PORT": port})
    assert held == {"POSTGRES_PORT": port}
