"""The command line as a whole: its table of commands, and what it costs to ask for help."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from typer.core import TyperGroup

from services.console.__main__ import COMMANDS, Deferred, command_line
from tests.services.console.conftest import CommandLine

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


def put_out(to: int, *arguments: str, environment: dict[str, str]) -> tuple[int, str]:
    """The exit code of a command whose output goes to that descriptor, and its complaints."""
    done = subprocess.run(
        [sys.executable, "-m", "services.console", *arguments],
        cwd=ROOT, env=environment, stdout=to, stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stderr


@pytest.mark.parametrize("command", ["employees list", "helpdesks --help"])
def test_nothing_is_said_to_a_pipe_that_has_read_enough(importer: CommandLine, command: str) -> None:
    importer("employees", "add", "--name", "Anna de Boer", "--address", "anna@desk.example")
    reader, writer = os.pipe()
    os.close(reader)
    assert put_out(writer, *command.split(), environment=importer.environment) == (1, "")
    os.close(writer)


@pytest.mark.parametrize("command", ["employees list", "helpdesks --help"])
def test_a_full_disk_that_takes_no_output_is_told(importer: CommandLine, command: str) -> None:
    importer("employees", "add", "--name", "Anna de Boer", "--address", "anna@desk.example")
    with Path("/dev/full").open("wb") as full:
        code, complaint = put_out(full.fileno(), *command.split(), environment=importer.environment)
    assert (code, complaint) == (1, "What the command says cannot be written: No space left on device.\n")


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command in a shell with nothing of ours in it but what is given."""
    return python("-m", "services.console", *arguments, **environment)


def python(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The same for any program of ours."""
    return subprocess.run(
        [sys.executable, *arguments],
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


MAN_PAGES = {"en": ROOT / "deploy/man/helpdesk-importer.1", "nl": ROOT / "deploy/man/nl/helpdesk-importer.1"}


@pytest.mark.parametrize(("language", "page"), MAN_PAGES.items(), ids=MAN_PAGES)
def test_the_man_page_has_every_command_and_is_the_one_of_this_version(language: str, page: Path) -> None:
    made = python("-m", "services.console.manual", IMPORTER_LANGUAGE=language).stdout
    assert page.read_text(encoding="utf-8") == made, "run: make man"
    assert all(f".SS {name.replace('-', chr(92) + '-')}" in made for name in COMMANDS)


@pytest.mark.skipif(not Path("/usr/bin/man").exists(), reason="man is not installed")
@pytest.mark.parametrize("page", MAN_PAGES.values(), ids=MAN_PAGES)
def test_man_reads_the_page_without_a_warning(page: Path) -> None:
    read = subprocess.run(
        ["/usr/bin/man", "--warnings", "-l", page],
        env={"PATH": "/usr/bin:/bin", "MANWIDTH": "80", "LC_ALL": "C.UTF-8"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (read.returncode, read.stderr) == (0, "")


def test_a_language_that_is_none_of_ours_is_told() -> None:
    wrong = run("status", IMPORTER_LANGUAGE="fr")
    assert (wrong.returncode, wrong.stderr) == (78, "IMPORTER_LANGUAGE is wrong. Set it to: en or nl.\n")


EVERY_PAGE = """
from services.console.__main__ import NAME, command_line
from services.console.manual import pages
for _, page in pages(command_line(), NAME):
    print(*page.lines(80), sep="\\n")
"""


@pytest.mark.parametrize(
    ("language", "headings"),
    [("en", {"Arguments:", "Options:", "Commands:"}), ("nl", {"Argumenten:", "Opties:", "Opdrachten:"})],
)
def test_every_page_of_help_keeps_to_80_columns(language: str, headings: set[str]) -> None:
    printed = python("-c", EVERY_PAGE, IMPORTER_LANGUAGE=language).stdout.splitlines()
    assert len(printed) > 1000
    assert [line for line in printed if len(line) > 80] == []
    assert {line for line in printed if line.endswith(":") and not line.startswith(" ")} == headings


WRONG_IN_DUTCH = {
    "statsu": "De opdracht 'statsu' is er niet. Bedoelt u 'status', 'statuses'?",
    "status --foo": "Deze optie is er niet: --foo",
    "run --health-port=1": "Deze optie is er niet: --health-port (er zijn wel: --first-health-port, --help)",
    "status --every": "De optie '--every' heeft een waarde nodig.",
    "status --json=x": "De optie '--json' neemt geen waarde aan.",
    "status --every=0": "Verkeerde waarde voor '--every': hier hoort een getal van minstens 0.5",
    "mails list --limit=x": "Verkeerde waarde voor '--limit': hier hoort een geheel getal",
    "mails show": "Het argument 'MAIL_ID' is nodig.",
    "importer show a b": "Dit hoort er niet bij: b",
    "completion csh": "Verkeerde waarde voor 'bash|zsh|fish': 'csh' is geen van 'bash', 'zsh', 'fish'.",
}
EACH_WRONG = """
import sys
from services.console.__main__ import main
for typed in sys.argv[1:]:
    sys.argv = ["helpdesk-importer", *typed.split()]
    try:
        main()
    except SystemExit as ended:
        assert ended.code == 2, typed
"""


def test_what_is_typed_wrongly_is_told_in_dutch() -> None:
    said = python("-c", EACH_WRONG, *WRONG_IN_DUTCH, IMPORTER_LANGUAGE="nl").stderr.splitlines()
    assert [line for line in said if line.startswith("Fout: ")] == [f"Fout: {each}" for each in WRONG_IN_DUTCH.values()]
    ways = ("Fout: ", "Gebruik: helpdesk-importer ", "'helpdesk-importer ")
    assert [line for line in said if line and not line.startswith(ways)] == []


def test_what_is_typed_wrongly_is_told_in_english() -> None:
    wrong = run("status", "--foo")
    assert wrong.returncode == 2
    assert wrong.stderr.splitlines() == [
        "Usage: helpdesk-importer status [OPTIONS]",
        "Try 'helpdesk-importer status --help' for help.",
        "",
        "Error: No such option: --foo",
    ]


def test_what_was_done_is_said_in_dutch(tmp_path: Path) -> None:
    made = run("server-certificates", str(tmp_path), "--server", "postgres", IMPORTER_LANGUAGE="nl")
    assert "\npostgres: gemaakt, tot " in made.stdout
    kept = run("server-certificates", str(tmp_path), "--server", "postgres", IMPORTER_LANGUAGE="nl")
    assert "\npostgres: gebleven, tot " in kept.stdout
