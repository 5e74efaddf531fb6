"""The pipeline that the acceptance tests of a worker share: tests keep apart by subjects and senders of their own."""

from collections.abc import AsyncIterator

import pytest

from deploy.local.instance import Servers
from tests.acceptance.installation import Installation, fresh_installation
from tests.acceptance.pipeline import SupervisedPipeline, running_pipeline
from tests.databases import Databases


@pytest.fixture(scope="package")
async def installation(
    servers: Servers, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Installation]:
    """A fresh database and virtual host for these tests."""
    async with fresh_installation(servers, databases, tmp_path_factory.mktemp("secrets")) as fresh:
        yield fresh


@pytest.fixture(scope="package")
async def pipeline(
    installation: Installation, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SupervisedPipeline]:
    """All four services as processes, on the sample organisation."""
    async with running_pipeline(installation, tmp_path_factory.mktemp("pipeline")) as running:
        yield running


@pytest.fixture(scope="module")
async def own_installation(
    servers: Servers, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Installation]:
    """Another one for this module, whose services are started in another way."""
    async with fresh_installation(servers, databases, tmp_path_factory.mktemp("own-secrets")) as fresh:
        yield fresh
