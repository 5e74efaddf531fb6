"""A helpdesk in a fresh database, and a mail server that it sends by."""

from collections.abc import AsyncIterator

import pytest

from deploy.demo.smtp_server import SmtpServer
from tests.databases import Database
from tests.services.notifier.house import House


@pytest.fixture
async def smtp() -> AsyncIterator[SmtpServer]:
    """A mail server that takes everything, until a test says otherwise."""
    async with SmtpServer() as server:
        yield server


@pytest.fixture
async def house(database: Database, smtp: SmtpServer) -> AsyncIterator[House]:
    """A helpdesk that sends by `smtp`."""
    async with House.of(database) as house:
        await house.send_by(smtp)
        yield house
