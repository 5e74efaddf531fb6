"""What `status` says while the first import of a full mailbox goes on (SPEC S8)."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

from deploy.demo.running_services import running_services
from services.fetcher.flow import MOST_UNDECIDED
from services.fetcher.rules.batches import WINDOW
from tests.acceptance.command_line import ROOT, CommandLine
from tests.acceptance.installation import Installation
from tests.acceptance.pipeline import Pipeline, a_mail, eventually, prepared_pipeline

HELPDESK = "ICT-servicedesk"
NEEDS_A_PERSON = 3
"""Nobody reads the queues while the fetcher runs alone."""
MORE = 3 * WINDOW
"""The last batch that is taken in may go beyond what fits."""


async def test_S8_a_first_import_is_told_as_one_until_all_of_the_mailbox_was_seen(
    own_installation: Installation, tmp_path: Path
) -> None:
    async with prepared_pipeline(own_installation, tmp_path) as pipeline:
        importer = CommandLine(pipeline)
        assert state_of_ict(await importer("status", code=NEEDS_A_PERSON)) == "not checked yet"
        for number in range(MOST_UNDECIDED + MORE):
            pipeline.drop(a_mail(sender=f"Klant <klant{number}@eerst.example>"))
        await import_what_fits_on_its_way(pipeline)

        page = await importer("status", code=NEEDS_A_PERSON)
        assert state_of_ict(page) == "first import"
        [told] = (await importer.json("status", code=NEEDS_A_PERSON))["imports"]
        assert (told["helpdesk"], told["first"], told["decided"]) == (HELPDESK, True, 0)
        assert MOST_UNDECIDED <= told["taken_in"] < MOST_UNDECIDED + MORE
        far = f"{HELPDESK}: {told['taken_in']} of {MOST_UNDECIDED + MORE}"
        assert far in " ".join(page.split())

        async with running_services(own_installation.environment, tmp_path / "logs"):
            await eventually(lambda: good_check(pipeline), "a good check", seconds=300)
            page = await importer("status")
        assert state_of_ict(page) == "well"
        assert f"{HELPDESK}: " not in " ".join(page.split())


async def import_what_fits_on_its_way(pipeline: Pipeline) -> None:
    """Run the fetcher, which takes in no more while nobody decides, until it has recorded that."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.fetcher",
        cwd=ROOT, env=pipeline.installation.environment | {"IMPORTER_HEALTH_PORT": "0"},
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip

    async def held_back() -> Any:
        return await pipeline.connection.fetchval(
            "SELECT last_check_at IS NOT NULL AND last_successful_check_at IS NULL FROM helpdesk.mailbox_states"
            " JOIN helpdesk.helpdesks ON id = helpdesk_id WHERE name = $1",
            HELPDESK,
        )

    try:
        await eventually(held_back, "a check that left mail in the mailbox")
    finally:
        process.terminate()
        assert await process.wait() == 0


async def good_check(pipeline: Pipeline) -> Any:
    """Whether all of the mailbox was seen."""
    return await pipeline.connection.fetchval(
        "SELECT last_successful_check_at IS NOT NULL FROM helpdesk.mailbox_states"
        " JOIN helpdesk.helpdesks ON id = helpdesk_id WHERE name = $1",
        HELPDESK,
    )


def state_of_ict(page: str) -> str:
    """What stands behind the mailbox."""
    [line] = [line for line in page.splitlines() if line.startswith(HELPDESK)]
    return line.split("  ")[-1].strip()
