"""What `helpdesk-importer reconcile` says when all is over: the importer's own comparison."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from tests.chaos.stage import Stage

_REPORT: Final = ("reconcile", "--older-than", "0", "--every-byte")
"""Nothing is on its way any more: whatever is open is a difference."""
_COLUMNS: Final = "100"
_ENDS: Final = frozenset({os.EX_OK, 3})


@dataclass(frozen=True, slots=True)
class Reconciled:
    """The report as data and as text."""

    report: dict[str, Any]
    text: str

    @property
    def left(self) -> Sequence[str]:
        """A sentence for every difference that the pipeline did not mend by itself, and for what was not compared."""
        named = [_sentence(each) for each in self.report["differences"] if each["remedy"] != "nothing"]
        return [*named, *(f"not compared: {sentence}" for sentence in self.report["not_compared"])]

    @property
    def counts(self) -> dict[str, int]:
        """How many of each kind there are, harmless ones too."""
        return dict(self.report["counts"])


def _sentence(difference: dict[str, Any]) -> str:
    about = difference["mail_id"] or difference["thing"] or difference["helpdesk"]
    return f"{difference['kind']}: {about}: {difference['cause']} {difference['detail']}".rstrip()


async def reconciled(stage: Stage) -> Reconciled:
    """The report of a process of its own, which goes past all lines."""
    report = json.loads(await _said(stage, *_REPORT, "--json"))
    return Reconciled(report, await _said(stage, *_REPORT))


async def _said(stage: Stage, *arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.console", *arguments),
        env={**os.environ, **stage.installation.environment, **_database(stage), "COLUMNS": _COLUMNS},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, complained = await process.communicate()
    assert process.returncode in _ENDS, complained.decode()
    return said.decode()


def _database(stage: Stage) -> dict[str, str]:
    """The address of the PostgreSQL that is written to by now."""
    database = stage.installation.database
    server = database.server if stage.own is None else stage.own.database.server.endpoint
    parts = urlsplit(server.database(database.name))
    return {"IMPORTER_DATABASE_URL": f"postgresql://{parts.hostname}:{parts.port}{parts.path}"}
