"""A fetcher stops and goes on with the confirmation of its database, without a restart (issue 14)."""

from __future__ import annotations

from datetime import datetime

import pytest

from shared.database import installation
from tests.services.fetcher.harness import Desk, fetcher, mail, minutes_ago
from tests.shared.broker.harness import eventually


async def asked_after(desk: Desk, moment: datetime | None) -> bool:
    """Whether a service that is kept from its work has asked since."""
    asked: datetime | None = await desk.owner.fetchval("SELECT presented_at FROM installation")
    return asked is not None and (moment is None or asked > moment)


async def fetched(desk: Desk, count: int) -> bool:
    """Whether so many mails were taken in."""
    return len(await desk.rows()) == count


async def test_a_running_fetcher_notices_both_that_its_database_is_a_copy_and_that_it_is_confirmed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installation, "PERIOD_SECONDS", 0.1)
    desk.post_office.deliver(mail("eerst"), minutes_ago(3))
    async with fetcher(desk):
        await eventually(lambda: fetched(desk, 1))
        await desk.owner.execute("UPDATE installation SET server_id = server_id + 1")
        await eventually(lambda: asked_after(desk, None))
        desk.post_office.deliver(mail("als kopie"), minutes_ago(2))
        for _ in range(3):
            asked = await desk.owner.fetchval("SELECT presented_at FROM installation")
            await eventually(lambda since=asked: asked_after(desk, since))  # type: ignore[misc]
        assert await fetched(desk, 1)
        async with desk.database.connect("console") as console:
            await console.fetchval("SELECT confirm_installation(NULL, false)")
        await eventually(lambda: fetched(desk, 2))
