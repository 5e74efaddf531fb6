"""A program is waited for as long as it does something, however slow the machine is."""

from pathlib import Path

import pytest

from deploy.local.moves import STILL_SECONDS, Moves
from deploy.local.processes import Process

SOMEBODY = Process(1, 1, "boot")


class Machine:
    """Its clock and its processor, in seconds."""

    def __init__(self) -> None:
        self.now = 0.0
        self.used = 0.0

    def moves(self, log: Path | None = None) -> Moves:
        return Moves(SOMEBODY, log, clock=lambda: self.now, cpu=lambda _: self.used)


@pytest.mark.parametrize("used", [pytest.param(0.0, id="nothing"), pytest.param(0.9, id="next to nothing")])
def test_what_does_nothing_is_given_up(used: float) -> None:
    machine = Machine()
    moves = machine.moves()
    machine.now, machine.used = STILL_SECONDS, used
    assert not moves.stands_still()
    machine.now += 1
    assert moves.stands_still()


def test_what_uses_the_processor_is_waited_for(tmp_path: Path) -> None:
    machine = Machine()
    moves = machine.moves(tmp_path / "not there.log")
    for _ in range(100):
        machine.now += STILL_SECONDS
        machine.used += 1
        assert not moves.stands_still()


def test_what_writes_into_its_log_is_waited_for(tmp_path: Path) -> None:
    machine, log = Machine(), tmp_path / "server.log"
    moves = machine.moves(log)
    for line in range(100):
        machine.now += STILL_SECONDS
        log.write_text("redo in progress\n" * (line + 1))
        assert not moves.stands_still()
