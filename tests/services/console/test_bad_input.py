"""Bad input is a folder of cases (`bad_input/*.txt`): each command says in a sentence why not, and changes nothing.

A case is a command line, and below it the exit code and a part of the sentence.
"""

from __future__ import annotations

import asyncio
import shlex
from pathlib import Path

import pytest

from shared.database.pool import Connection
from tests.databases import Database
from tests.services.console.conftest import CommandLine

FILES = sorted((Path(__file__).parent / "bad_input").glob("*.txt"))


def cases(file: Path) -> list[tuple[str, int, str]]:
    """The cases of a file: what is typed, the exit code, what is said."""
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line and not line.startswith("# ")]
    return [(typed, int(expected[0]), expected[2:]) for typed, expected in zip(lines[::2], lines[1::2], strict=True)]


@pytest.fixture
async def helpdesk(importer: CommandLine) -> CommandLine:
    """A helpdesk with settings, whose importer is off."""
    for command in (
        "calendars add --name Kantooruren --hours 'mon-fri 8:30-17:00'",
        "helpdesks add --name Servicedesk --calendar Kantooruren",
        "statuses add Servicedesk --name 'E-mail Geïmporteerd' --flag imported",
        "organisations add --name Onbekend",
        "employees add --name Importer --address importer@desk.example",
        "importer set Servicedesk --folder INBOX",
    ):
        await importer.says(*shlex.split(command))
    return importer


async def everything(owner: Connection) -> dict[str, str]:
    """A digest of each table's rows."""
    tables = await owner.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'helpdesk'")
    return {
        name: await owner.fetchval(
            f"SELECT coalesce(md5(string_agg(r::text, '|' ORDER BY r::text)), '') FROM helpdesk.{name} r"  # noqa: S608
        )
        for (name,) in tables
    }


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
async def test_bad_input_is_a_sentence_and_changes_nothing(
    file: Path, helpdesk: CommandLine, database: Database
) -> None:
    async with database.connect("owner") as owner:
        before = await everything(owner)
        wrong: list[str] = []
        for typed, code, says in cases(file):
            said = await asyncio.to_thread(helpdesk, *shlex.split(typed), stdin="g3heim\n", code=code)
            if says not in " ".join(said.split()):
                wrong.append(f"{typed}: {said}")
            if await everything(owner) != before:
                wrong.append(f"{typed}: changed something")
                before = await everything(owner)
        assert not wrong, "\n".join(wrong)
