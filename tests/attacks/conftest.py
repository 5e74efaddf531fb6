"""Fixtures of the attacks that need ticket_writer's small world."""

from collections.abc import AsyncIterator

import pytest

from deploy.demo.smtp_server import SmtpServer
from tests.attacks.desks import Desks
from tests.databases import Database
from tests.services.notifier.house import House
from tests.services.ticket_writer.conftest import Desk, desk

__all__ = ["desk"]


@pytest.fixture
async def desks(desk: Desk, database: Database) -> AsyncIterator[Desks]:
    """The small world with a mail server."""
    async with SmtpServer() as smtp, database.connect("owner") as owner:
        house = House(database, owner)
        await house.send_by(smtp)
        yield Desks(desk, house, smtp)
