"""Every command in bad surroundings: an unknown option, a missing or broken setting, a server that is away or refuses.

Each ends with a sentence, its exit code and no stack trace. A new command needs a line in `WHOLE`.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.core import TyperGroup

from deploy.local.endpoints import PostgresEndpoint
from services.console.__main__ import Deferred, command_line
from services.console.commands import encryption
from services.console.nightly import operator
from shared.sealing import new_key
from tests.servers.certificates import app_pem
from tests.services.console.conftest import CommandLine

NO_MAIL = "00000000-0000-0000-0000-000000000000"
THINGS = ("organisations", "contacts", "employees", "calendars", "logins", "accounts", "helpdesks")
THINGS_OF_A_HELPDESK = ("statuses", "types", "priorities", "environments", "categories", "templates")
ADDING = {
    "contacts": "--organisation x",
    "accounts": "--host x.example --port 25",
    "helpdesks": "--calendar x",
}

WHOLE = {
    "run": "--until-idle --timeout 5 --log-dir .",
    "migrate": "",
    "deploy-topology": "",
    "encryption rotate": "",
    "encryption key generate": "--add",
    "server-certificates": "missing/folder --server x",
    "audit list": "",
    "completion": "bash",
    "nightly": "--now",
    "retention show": "",
    "retention set": "--raw-mails 90",
    "installation show": "",
    "installation confirm": "--yes",
    "installation restored": "--to 2026-11-28",
    "people find": "x@example.org",
    "people erase": "x@example.org --yes",
    "reconcile": "--without-mailboxes",
    "sweep-blobs": "",
    "status": "",
    "doctor": "",
    "watch": "",
    "alarms list": "",
    "alarms test": "",
    "alarms administrators": "",
    "alarms add-administrator": "x y",
    "alarms remove-administrator": "x y",
    "alarms maintenance": "",
    "alarms plan-maintenance": "2",
    "alarms end-maintenance": "1",
    "notifications list": "",
    "notifications send-now": "",
    "notifications resend": "--yes 20000000-0000-0000-0000-000000000001",
    "notifications hold": "",
    "notifications held": "",
    "notifications release": "",
    "notifications discard": "--all --reason x",
    "importer pause": "x",
    "importer resume": "x",
    "check-mailbox": "x",
    "explain": "x.eml",
    "aliases import": "-",
    "aliases add": "x OUD-1",
    "aliases list": "",
    "groups add": "--name x",
    "groups list": "",
    "groups show": "x",
    "groups set": "x --name y",
    "importer show": "x",
    "importer log": "x",
    "importer set": "x --folder x",
    "importer discover": "x",
    "importer set-password": "x",
    "importer set-certificate": "x",
    "mails list": "",
    "mails show": NO_MAIL,
    "mails export": NO_MAIL,
    "mails force": NO_MAIL,
    "mails release": "--all",
    "quarantine list": "",
    "quarantine show": NO_MAIL,
    "quarantine replay": NO_MAIL,
    "quarantine discard": NO_MAIL,
    "dead-letters list": "",
    "dead-letters show": NO_MAIL,
    "dead-letters replay": NO_MAIL,
    "dead-letters discard": NO_MAIL,
    "review list": "",
    "review accept": NO_MAIL,
    "users add": "x",
    "users invite": "x",
    "users first": "",
    "users grant": "x y",
    "users revoke": "x y",
    "users grant-group": "x --issuer https://login.example",
    "users revoke-group": "1",
    "users groups": "",
    "users lock": "x",
    "users unlock": "x",
    "users list": "",
    "backlog list": "",
    "backlog choose": "x import",
    "senders list": "",
    "senders block": "x@example.org",
    "senders allow": "x@example.org",
    "senders remove": "x@example.org",
    **{f"{things} add": f"--name x {ADDING.get(things, '')}" for things in THINGS},
    **{f"{things} list": "" for things in (*THINGS, *THINGS_OF_A_HELPDESK)},
    **{f"{things} show": "x" for things in THINGS},
    **{f"{things} set": "x --name y" for things in THINGS},
    "logins set-password": "x",
    "logins set-certificate": "x",
    "logins remove": "x",
    "accounts check": "x",
    "accounts set-password": "x",
    "accounts set-certificate": "x",
    **{f"{things} add": "x --name x" for things in THINGS_OF_A_HELPDESK},
    **{f"{things} show": "x x" for things in THINGS_OF_A_HELPDESK},
    **{f"{things} set": "x x --name y" for things in THINGS_OF_A_HELPDESK},
    "templates add": "x --kind ticket-added-manager",
    "templates show": "x ticket-added-manager",
    "templates set": "x ticket-added-manager --subject [ticketnummer]",
}
"""Each command with all that it asks for, so that only its surroundings can be wrong."""
STDIN = f"x\n{app_pem()}"
"""A password, and a certificate."""
WITHOUT_DATABASE = {
    "deploy-topology",
    "encryption key generate",
    "explain",
    "server-certificates",
    "alarms test",
    "completion",
}


def leaves(command: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The commands of a group, and of the groups in it."""
    found = command.load() if isinstance(command, Deferred) else command
    if not isinstance(found, TyperGroup):
        yield path
        return
    for name, inner in found.commands.items():
        yield from leaves(inner, (*path, name))


EVERY = [" ".join(path) for name, command in command_line().commands.items() for path in leaves(command, (name,))]
ON_THE_DATABASE = [command for command in EVERY if command not in WITHOUT_DATABASE]
SHORT = [command for command in ON_THE_DATABASE if command not in {"run", "watch"}]
"""`run` waits for its servers: tests/acceptance/test_until_idle.py. So does `watch`."""

SHOW_WHAT_THEY_SEE = {"status", "doctor"}
"""What is away keeps them from nothing else."""


def words(command: str) -> list[str]:
    return shlex.split(f"{command} {WHOLE[command]}")


@pytest.fixture
def installation(postgres_server: PostgresEndpoint, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> CommandLine:
    """A command line with every setting, a database that nobody may enter, and without patience."""
    (tmp_path / "encryption_keys").write_text(new_key().get_secret_value(), encoding="ascii")
    settings = {
        "COLUMNS": "200",
        "IMPORTER_SECRETS_DIR": str(tmp_path),
        "IMPORTER_DATABASE_URL": postgres_server.login("postgres", "nobody", "g3heim"),
        "IMPORTER_AMQP_URL": "amqp://nobody:x@127.0.0.1:1/helpdesk",
        "IMPORTER_RABBITMQ_MANAGEMENT_URL": "http://nobody:x@127.0.0.1:1",
    }
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("services.console.database.PATIENCE", timedelta(0))
    for module in (encryption.__name__, operator.__name__):
        monkeypatch.setattr(f"{module}._PATIENCE", timedelta(0))
    return CommandLine(settings, monkeypatch)


def test_every_command_has_a_line_here() -> None:
    assert set(WHOLE) == set(EVERY)


@pytest.mark.parametrize("command", EVERY)
def test_an_unknown_option_is_refused(installation: CommandLine, command: str) -> None:
    assert "No such option: --no-such-thing" in installation(*words(command), "--no-such-thing", code=2)


@pytest.mark.parametrize("command", ON_THE_DATABASE)
def test_a_missing_setting_is_named(installation: CommandLine, command: str) -> None:
    del installation.environment["IMPORTER_DATABASE_URL"]
    assert "IMPORTER_DATABASE_URL is not set" in installation(*words(command), stdin=STDIN, code=78)


@pytest.mark.parametrize("command", ON_THE_DATABASE)
def test_a_broken_setting_is_named_and_not_shown(installation: CommandLine, command: str) -> None:
    installation.environment["IMPORTER_DATABASE_URL"] = "mysql://importer:g3heim@127.0.0.1/helpdesk"
    said = installation(*words(command), stdin=STDIN, code=78)
    assert "IMPORTER_DATABASE_URL is wrong (the address must start with postgresql://" in said
    assert "g3heim" not in said


@pytest.mark.parametrize("command", ON_THE_DATABASE)
def test_a_missing_secret_is_named_with_its_place(installation: CommandLine, command: str) -> None:
    installation.environment["IMPORTER_DATABASE_URL"] = "postgresql://127.0.0.1:1/helpdesk"
    said = installation(*words(command), stdin=STDIN, code=78)
    assert "The secret database_password_" in said
    assert installation.environment["IMPORTER_SECRETS_DIR"] in said


@pytest.mark.parametrize("command", SHORT)
def test_a_database_that_is_away_is_told(installation: CommandLine, command: str) -> None:
    installation.environment["IMPORTER_DATABASE_URL"] = "postgresql://nobody:g3heim@127.0.0.1:1/helpdesk"
    code = 3 if command in SHOW_WHAT_THEY_SEE else 1
    said = installation(*words(command), stdin=STDIN, code=code)
    assert "The database does not answer" in said
    assert "g3heim" not in said


@pytest.mark.parametrize("command", SHORT)
def test_a_wrong_password_is_told_and_not_shown(installation: CommandLine, command: str) -> None:
    said = installation(*words(command), stdin=STDIN, code=3 if command == "doctor" else 78)
    assert "The database refuses the login" in said
    assert "g3heim" not in said


@pytest.mark.parametrize("command", [command for command in EVERY if command.startswith("dead-letters")])
def test_a_broker_that_is_away_is_told(importer: CommandLine, command: str) -> None:
    importer.environment["IMPORTER_AMQP_URL"] = "amqp://nobody:x@127.0.0.1:1/helpdesk"
    assert "RabbitMQ failed us while connecting" in importer(*words(command), code=1)


@pytest.mark.parametrize("variable", ["IMPORTER_AMQP_URL", "IMPORTER_RABBITMQ_MANAGEMENT_URL"])
@pytest.mark.parametrize("command", ["deploy-topology", "status"])
def test_a_missing_address_of_the_broker_is_named(installation: CommandLine, command: str, variable: str) -> None:
    del installation.environment[variable]
    assert f"{variable} is not set" in installation(*words(command), code=78)


def test_deploy_topology_tells_that_the_broker_is_away(installation: CommandLine) -> None:
    for user in ("fetcher", "classifier", "ticket_writer", "notifier", "console"):
        Path(installation.environment["IMPORTER_SECRETS_DIR"], f"amqp_password_{user}").write_text("x")
    assert "does not answer" in installation("deploy-topology", code=1)
