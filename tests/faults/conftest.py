"""The importer that the fault tests of a module share: each test delivers mails of its own and leaves it running."""

from collections.abc import AsyncIterator

import pytest

from deploy.local.instance import Servers
from tests.acceptance.installation import fresh_installation
from tests.acceptance.pipeline import prepared_pipeline
from tests.databases import Databases
from tests.faults.importer import Importer, wired_importer


@pytest.fixture(scope="module")
async def importer(
    servers: Servers, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Importer]:
    """All four services on wires, on the sample organisation."""
    folder = tmp_path_factory.mktemp("importer")
    async with (
        fresh_installation(servers, databases, tmp_path_factory.mktemp("secrets")) as installation,
        prepared_pipeline(installation, folder) as pipeline,
        wired_importer(pipeline, folder / "logs") as running,
    ):
        yield running
