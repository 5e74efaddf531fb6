"""`accounts check`: a login without a mail, at the account's own server, and what is learnt of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from deploy.demo.smtp_server import SmtpServer
from tests.databases import Database

ROOT = Path(__file__).parents[3]


class CommandLine(Protocol):
    """The fixture `importer`."""

    environment: dict[str, str]

    async def says(self, *arguments: str, stdin: str = "", code: int = 0) -> str: ...

    async def answers(self, *arguments: str, code: int = 0) -> Any: ...


@pytest.fixture
async def server() -> AsyncIterator[SmtpServer]:
    async with SmtpServer(login=("post", "g3heim")) as running:
        yield running


@pytest.fixture
async def account(importer: CommandLine, database: Database, server: SmtpServer, tmp_path: Path) -> CommandLine:
    """An account on that server, without a password yet."""
    await importer.says(
        "accounts", "add", "--name", "Post", "--host", server.host, "--port", str(server.port), "--security", "none",
        "--username", "post",
    )  # fmt: skip
    importer.environment["PYTHONPATH"] = str(ROOT)
    address = database.dsn("console").get_secret_value().split("@")[1]
    importer.environment["IMPORTER_DATABASE_URL"] = f"postgresql://{address}"
    for role in ("console", "notifier"):
        (tmp_path / f"database_password_{role}").write_text("test", encoding="ascii")
    return importer


async def test_it_logs_in_and_sends_nothing(account: CommandLine, server: SmtpServer) -> None:
    await account.says("accounts", "set-password", "Post", stdin="g3heim\n")
    told = await account.answers("accounts", "check", "post")
    assert (told["ok"], told["kind"], told["login_refused_since"]) == (True, "smtp", None)
    assert told["found"] == f"SMTP at {server.host}:{server.port}, without TLS, logged in as post"
    assert (server.logins, server.deliveries) == (["post"], [])


async def test_a_refused_login_is_told_rests_and_is_tried_when_it_was_changed(
    account: CommandLine, server: SmtpServer
) -> None:
    await account.says("accounts", "set-password", "Post", stdin="fout\n")
    told = await account.answers("accounts", "check", "Post", code=1)
    assert (told["ok"], told["trouble"]) == (False, "login-refused")
    assert "5.7.8" in told["problem"]
    said = await account.says("accounts", "check", "Post", code=1)
    assert "is not tried before" in said
    assert server.logins == ["post"]
    await account.says("accounts", "check", "Post", "--again", code=1)
    assert len(server.logins) == 2
    assert (await account.answers("accounts", "show", "Post"))["login_refused_since"] is not None
    await account.says("accounts", "set-password", "Post", stdin="g3heim\n")
    assert (await account.answers("accounts", "check", "Post"))["ok"] is True


async def test_a_server_that_is_away_is_no_refusal(account: CommandLine) -> None:
    await account.says("accounts", "set", "Post", "--port", "1")
    told = await account.answers("accounts", "check", "Post", code=1)
    assert told["trouble"] == "server-away"
    assert (await account.answers("accounts", "show", "Post"))["login_refused_since"] is None
