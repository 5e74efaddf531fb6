"""The command line as people run it, on a pipeline's installation."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any, Final

from tests.acceptance.pipeline import Pipeline

ROOT: Final = Path(__file__).parents[2]


class CommandLine:
    """`helpdesk-importer` as people run it, on the pipeline's installation."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._environment = pipeline.installation.environment

    async def __call__(self, *arguments: str, code: int = os.EX_OK) -> str:
        """What it says; it must end with this code."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "services.console", *arguments,
            cwd=ROOT, env=self._environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        said, _ = await process.communicate()
        assert process.returncode == code, f"{arguments}: {said.decode()}"
        return said.decode()

    async def json(self, *arguments: str, code: int = os.EX_OK) -> Any:
        """What it answers with --json."""
        return json.loads(await self(*arguments, "--json", code=code))
