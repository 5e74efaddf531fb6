"""The command line as a whole: its table of commands, and what it costs to ask for help."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from typer.core import TyperGroup

from services.console.__main__ import COMMANDS, Deferred, command_line
from services.console.manual import manual

ROOT = Path(__file__).parents[3]
MODULES = ROOT / "services/console/commands"


def deferred() -> list[Deferred]:
    return [each for each in command_line().commands.values() if isinstance(each, Deferred)]


@pytest.mark.parametrize("command", deferred(), ids=lambda command: command.name)
def test_each_command_is_what_the_table_says(command: Deferred) -> None:
    found = command.load()
    assert (found.help or "").splitlines()[0] == command.help
    if isinstance(found, TyperGroup):
        assert all(each.help for each in found.commands.values())


def test_the_table_has_every_command_that_a_module_offers() -> None:
    offering = {file.stem for file in MODULES.glob("*.py") if "\nCOMMANDS: Final" in file.read_text(encoding="utf-8")}
    assert offering == {module for module, _ in COMMANDS.values()}


def test_help_imports_no_command_and_no_driver() -> None:
    asked = (
        "import sys\n"
        "from services.console.__main__ import main\n"
        "sys.argv = ['helpdesk-importer', '--help']\n"
        "try:\n    main()\nexcept SystemExit as ended:\n    assert ended.code == 0\n"
        "slow = {'asyncpg', 'httpx', 'pydantic', 'services.console.commands.run'} & set(sys.modules)\n"
        "sys.exit(f'imported: {slow}' if slow else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert all(name in done.stdout for name in COMMANDS)


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command in a shell with nothing of ours in it but what is given."""
    return subprocess.run(
        [sys.executable, "-m", "services.console", *arguments],
        cwd=ROOT, env={"PATH": "/usr/bin:/bin", **environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_a_shell_without_settings_is_told_where_they_are() -> None:
    without = run("mails", "list")
    assert without.returncode == 78
    assert "set -a; . .run/env" in without.stderr
    assert "set -a" not in run("mails", "list", IMPORTER_LOG_FORMAT="json").stderr


def test_the_version_is_that_of_the_package() -> None:
    assert run("--version").stdout == f"helpdesk-importer {metadata.version('helpdesk-importer')}\n"


@pytest.mark.parametrize(
    ("typed", "word", "offered"),
    [
        pytest.param("helpdesk-importer quar", 1, ["quarantine"], id="a command"),
        pytest.param("helpdesk-importer quarantine re", 2, ["replay"], id="a command of a group"),
        pytest.param("helpdesk-importer quarantine replay --dr", 3, ["--dry-run"], id="an option"),
    ],
)
def test_the_shell_completes_what_is_typed(typed: str, word: int, offered: list[str]) -> None:
    asked = {"_HELPDESK_IMPORTER_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(word)}
    assert run(**asked).stdout.split() == offered


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_a_script_for_the_shell(shell: str) -> None:
    assert f"_HELPDESK_IMPORTER_COMPLETE=complete_{shell}" in run("completion", shell).stdout


def test_the_man_page_has_every_command_and_is_the_one_of_this_version() -> None:
    made = manual()
    assert (ROOT / "deploy/man/helpdesk-importer.1").read_text(encoding="utf-8") == made, "run: make man"
    assert all(f".SS {name.replace('-', chr(92) + '-')}" in made for name in COMMANDS)


@pytest.mark.skipif(not Path("/usr/bin/man").exists(), reason="man is not installed")
def test_man_reads_the_page_without_a_warning() -> None:
    page = ROOT / "deploy/man/helpdesk-importer.1"
    read = subprocess.run(
        ["/usr/bin/man", "--warnings", "-l", page],
        env={"PATH": "/usr/bin:/bin", "MANWIDTH": "80", "LC_ALL": "C.UTF-8"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (read.returncode, read.stderr) == (0, "")


def test_a_language_that_is_none_of_ours_is_told() -> None:
    wrong = run("status", IMPORTER_LANGUAGE="fr")
    assert (wrong.returncode, wrong.stderr) == (78, "IMPORTER_LANGUAGE is wrong. Set it to: en or nl.\n")
