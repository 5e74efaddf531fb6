"""The sample organisation goes into a real database, by the roles that production has."""

from pathlib import Path
from typing import Any

import pytest

from deploy.demo.ledger import Ledger
from deploy.demo.organisation import NotEmpty, load_earlier_tickets, load_organisation
from deploy.demo.sample_mails import HELPDESKS, SAMPLE_MAILS


@pytest.fixture
async def loaded(database: Any, tmp_path: Path) -> Any:
    """A database with the sample organisation and its earlier tickets."""
    await load_organisation(database.dsn("console").get_secret_value(), mailboxes=tmp_path, smtp_port=2525)
    await load_earlier_tickets(database.dsn("owner").get_secret_value())
    return database


async def test_both_importers_are_on_with_settings_of_their_own(loaded: Any, tmp_path: Path) -> None:
    async with loaded.connect("console") as connection:
        rows = await connection.fetch(
            "SELECT name, server, marker, enabled, send_import_mails, recalculate_deadline"
            " FROM importer_settings JOIN helpdesks ON helpdesks.id = helpdesk_id ORDER BY helpdesk_id"
        )
    assert [row["name"] for row in rows] == list(HELPDESKS.values())
    assert [row["server"] for row in rows] == [str(tmp_path / folder) for folder in HELPDESKS]
    assert all(row["enabled"] for row in rows)
    ict, facilities = rows
    assert all(ict[column] != facilities[column] for column in ("marker", "send_import_mails", "recalculate_deadline"))


async def test_the_numbers_that_sample_mails_name_are_known(loaded: Any) -> None:
    named = {mail.follows for mail in SAMPLE_MAILS if mail.follows and "/" not in mail.follows}
    ledger = await Ledger.open(loaded.dsn("owner").get_secret_value())
    try:
        tickets = await ledger.tickets()
    finally:
        await ledger.close()
    assert named == {ticket.number for ticket in tickets} == {"1000001", "1000002", "1000003"}
    async with loaded.connect("console") as connection:
        alias = await connection.fetchrow("SELECT * FROM ticket_numbers WHERE is_alias")
    assert alias["number"] == "1000417"


async def test_somebody_elses_data_is_never_touched(loaded: Any, tmp_path: Path) -> None:
    with pytest.raises(NotEmpty, match="make demo"):
        await load_organisation(loaded.dsn("console").get_secret_value(), mailboxes=tmp_path, smtp_port=2525)
