"""`helpdesk-importer sweep-blobs`, as the operator."""

import asyncio
import uuid
from typing import Any

import pytest

from shared.blobs.postgres import PostgresBlobs


async def settled_mail(database: Any) -> bytes:
    """A mail with an outcome, and bytes tied to it that nobody needs any more; their SHA-256."""
    async with database.pool("owner") as owner:
        await owner.execute(
            "INSERT INTO calendars (name) VALUES ('Kantoor');"
            "INSERT INTO helpdesks (name, calendar_id) SELECT 'Support', id FROM calendars;"
            "INSERT INTO importer_settings (helpdesk_id) SELECT id FROM helpdesks;"
            "INSERT INTO blobs (sha256, byte_size) VALUES (sha256('raw'), 3);"
        )
        original, repeated = uuid.uuid4(), uuid.uuid4()
        for mail_id in (original, repeated):
            await owner.execute(
                "INSERT INTO imported_mails (mail_id, helpdesk_id, generation, folder, item_key, raw_sha256, raw_size,"
                " full_size, received_at) SELECT $1, helpdesk_id, 1, 'INBOX', $2, sha256('raw'), 3, 3, now()"
                " FROM importer_settings",
                mail_id,
                str(mail_id),
            )
        async with owner.acquire() as connection:
            blob = await PostgresBlobs(owner).put(connection, repeated, b"an image of a duplicate")
        await owner.execute(
            "UPDATE imported_mails SET outcome = 'duplicate', outcome_at = now(), duplicate_of = $2 WHERE mail_id = $1",
            repeated,
            original,
        )
    return bytes.fromhex(blob.sha256)


@pytest.fixture
def swept(importer: Any, database: Any) -> Any:
    """The command line, with the operator's login."""
    importer.environment["IMPORTER_DATABASE_URL"] = database.dsn("operator").get_secret_value()
    return importer


def test_it_removes_what_nothing_needs_and_keeps_raw_mails(swept: Any, database: Any) -> None:
    asyncio.run(settled_mail(database))
    assert swept("sweep-blobs") == "0 blobs removed.\n"
    assert swept("sweep-blobs", "--settled-days", "0") == "1 blob removed.\n"
    assert swept("sweep-blobs", "--settled-days", "0") == "0 blobs removed.\n"
