"""The command line as a whole: its table of commands, and what it costs to ask for help."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer.core import TyperGroup

from services.console.__main__ import COMMANDS, Deferred, command_line

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
