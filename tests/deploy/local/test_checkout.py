"""Two commands never work in the same folder at the same time."""

import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.checkout import exclusive
from deploy.local.failure import Busy

ROOT = Path(__file__).parents[3]


def test_a_second_command_is_told_who_is_first(tmp_path: Path) -> None:
    with (
        exclusive(tmp_path, "demo"),
        pytest.raises(Busy, match=r"^`make demo` .*is running in this checkout"),
        exclusive(tmp_path, "test"),
    ):
        pass


def test_the_folder_is_free_afterwards(tmp_path: Path) -> None:
    with exclusive(tmp_path, "demo"):
        pass
    with exclusive(tmp_path, "test"):
        pass


def test_a_killed_command_holds_nothing(tmp_path: Path) -> None:
    script = f"""
import os, signal
from pathlib import Path
from deploy.local.checkout import exclusive
with exclusive(Path({str(tmp_path)!r}), "demo"):
    os.kill(os.getpid(), signal.SIGKILL)
"""
    killed = subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False)
    assert killed.returncode == -9
    with exclusive(tmp_path, "test"):
        assert "make test" in (tmp_path / "lock").read_text()
