"""A helpdesk with a Maildir, on real servers."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from services.fetcher import schedule
from shared.database.pool import Pool
from tests.databases import Database
from tests.services.fetcher.harness import Desk, Fetching
from tests.shared.broker.harness import Queues
from tests.vhosts import Vhost


@pytest.fixture(autouse=True)
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fetcher in this process looks again soon: what a test awaits is what it sees then, and no pause before it."""
    monkeypatch.setattr(schedule, "LOOK_SECONDS", 0.1)
    monkeypatch.setattr(schedule, "HELD_BACK", timedelta(seconds=0.2))
    monkeypatch.setattr(schedule, "TROUBLE_SECONDS", 0.2)


@pytest.fixture
async def owner(database: Database) -> AsyncIterator[Pool]:
    """The database's owner, who may do all."""
    async with database.pool("owner") as pool:
        yield pool


@pytest.fixture
async def queues(vhost: Vhost) -> AsyncIterator[Queues]:
    """The administrator's look into the queues."""
    async with Queues.of(vhost.admin_dsn) as queues:
        yield queues


@pytest.fixture
async def desk(tmp_path: Path, database: Database, vhost: Vhost, owner: Pool, queues: Queues) -> Desk:
    """A helpdesk whose importer is on, with an empty Maildir."""
    return await Desk.make("support", tmp_path, database=database, vhost=vhost, owner=owner, queues=queues)


@pytest.fixture
async def fetching(desk: Desk) -> AsyncIterator[Fetching]:
    """The fetcher's parts, to be driven step by step."""
    async with Fetching.on(desk) as parts:
        yield parts
