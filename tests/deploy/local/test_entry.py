"""From the command line: exit codes and sentences, never a traceback."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.checkout import Checkout
from deploy.local.run_folder import remove_run_folder

ROOT = Path(__file__).parents[3]


@pytest.fixture
def clone(tmp_path: Path) -> Iterator[Path]:
    """A checkout with nothing set up, in a path with a space."""
    root = tmp_path / "a clone"
    shutil.copytree(ROOT / "deploy", root / "deploy", ignore=shutil.ignore_patterns("__pycache__", "mails"))
    for file in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / file, root / file)
    yield root
    remove_run_folder(Checkout(root))  # for root it is a link, since pytest's folders are private


def said(clone: Path, *command: str, **environment: str) -> tuple[int, str]:
    done = subprocess.run(
        command,
        cwd=clone,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    assert "Traceback" not in done.stdout
    return done.returncode, done.stdout


def local(clone: Path, *arguments: str, **environment: str) -> tuple[int, str]:
    return said(clone, sys.executable, "-m", "deploy.local", *arguments, **environment)


def test_an_old_python_is_named(clone: Path) -> None:
    pretend = "import runpy, sys; sys.version_info = (3, 9, 2); runpy.run_module('deploy.local', run_name='__main__')"
    code, output = said(clone, sys.executable, "-c", pretend)
    assert code == 1
    assert "Python 3.11 or later is needed, this is 3.9" in output


def test_without_a_network_the_set_up_says_so(clone: Path) -> None:
    nowhere = {f"{scheme}_proxy": "http://127.0.0.1:1" for scheme in ("http", "https", "all")}
    code, output = local(clone, "setup", **nowhere, PIP_RETRIES="0", PIP_NO_INDEX="1")
    assert code == 1
    assert "is this machine connected" in output


def test_a_virtual_environment_of_somebody_else_is_left_alone(clone: Path) -> None:
    (clone / ".venv").mkdir()
    (clone / ".venv/precious").touch()
    code, output = local(clone, "check")
    assert code == 1
    assert "was not made by `make`" in output
    assert (clone / ".venv/precious").exists()


def test_nothing_to_stop_is_no_failure(clone: Path) -> None:
    assert local(clone, "down") == (0, "Nothing is running.\n")


def test_status_of_nothing_is_told_by_its_exit_code(clone: Path) -> None:
    assert local(clone, "status") == (3, "Nothing is running: `make up` starts it.\n")


def test_clean_has_nothing_to_clean(clone: Path) -> None:
    assert local(clone, "clean")[0] == 0
    assert local(clone, "clean")[0] == 0


def test_an_unknown_suite_is_refused_before_anything_is_made(clone: Path) -> None:
    code, output = local(clone, "fresh", "--suite", "buster")
    assert code == 2
    assert "bookworm" in output or "sudo make fresh" in output


def test_a_folder_that_is_a_file_is_named(clone: Path) -> None:
    (clone / ".run").touch()
    code, output = local(clone, "setup")
    assert code == 1
    assert ".run" in output


def test_help_explains_every_command_of_the_makefile(clone: Path) -> None:
    code, output = said(clone, "make", "help")
    assert code == 0
    targets = {
        line.partition(":")[0]
        for line in (ROOT / "Makefile").read_text().splitlines()
        if line[:1].isalpha() and ":" in line and "=" not in line.partition(":")[0] and not line.startswith("local")
    }
    assert targets - {"export PYTHONDONTWRITEBYTECODE"} == {
        line.split()[1] for line in output.splitlines() if line.startswith("  make ")
    }
