"""The command line as a person runs it: its entry point, a real database, the console's own role."""

from __future__ import annotations

import asyncio
import io
import json
import os
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from services.console.__main__ import main
from services.console.texts import texts
from shared.database.sealing_keys import publish
from shared.sealing import Keyring, new_key
from tests.databases import Database


@dataclass(frozen=True, slots=True)
class CommandLine:
    """`helpdesk-importer` with the environment of one installation, called as its entry point is."""

    environment: dict[str, str]
    monkeypatch: pytest.MonkeyPatch

    def __call__(self, *arguments: str, stdin: str = "", code: int = 0) -> str:
        """What the command says, on standard output (or error, when `code` is not 0)."""
        said, complained = self._run(arguments, stdin, code)
        return complained or said if code else said

    async def says(self, *arguments: str, stdin: str = "", code: int = 0) -> str:
        """The same for a test that has an event loop: the command brings its own, in a thread."""
        return await asyncio.to_thread(self, *arguments, stdin=stdin, code=code)

    async def answers(self, *arguments: str, code: int = 0) -> Any:
        """`json`, for a test that has an event loop."""
        return await asyncio.to_thread(self.json, *arguments, code=code)

    def _run(self, arguments: tuple[str, ...], stdin: str, code: int) -> tuple[str, str]:
        said, complained = io.StringIO(), io.StringIO()
        with self.monkeypatch.context() as patch, redirect_stdout(said), redirect_stderr(complained):
            for name in [name for name in os.environ if name.startswith("IMPORTER_")]:
                patch.delenv(name)
            for name, value in self.environment.items():
                patch.setenv(name, value)
            patch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin.encode()), encoding="utf-8"))
            patch.setattr("sys.argv", ["helpdesk-importer", *arguments])
            texts.cache_clear()
            try:
                with pytest.raises(SystemExit) as ended:
                    main()
            finally:
                texts.cache_clear()  # each command is a process of its own, with its own language
        assert (ended.value.code or 0) == code, f"{arguments}: {said.getvalue()}{complained.getvalue()}"
        return said.getvalue(), complained.getvalue()

    def json(self, *arguments: str, code: int = 0) -> Any:
        """What the command answers on standard output with --json."""
        return json.loads(self._run((*arguments, "--json"), "", code)[0])


@pytest.fixture
async def importer(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """The command line on a fresh database, whose owner has published the public key of a new private one."""
    key = new_key()
    (tmp_path / "encryption_keys").write_text(key.get_secret_value(), encoding="ascii")
    async with database.connect("owner") as owner:
        await publish(owner, Keyring.from_secret(key).public)
    return CommandLine(
        {
            "COLUMNS": "200",
            "IMPORTER_DATABASE_URL": database.dsn("console").get_secret_value(),
            "IMPORTER_SECRETS_DIR": str(tmp_path),
        },
        monkeypatch,
    )
