"""What people ask of the fetcher in the web console, answered by its own check, with a real mailbox."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from pydantic import SecretStr

from services.fetcher.questions import answers
from shared.answering import Answering
from shared.configuration import Configuration
from shared.database.pool import Pool
from tests.databases import Database, Databases
from tests.shared.database.conftest import EVERY_TABLE

KEYS = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
ASK = "INSERT INTO service_questions (service, question, helpdesk_id, asked_by) VALUES ('fetcher', 'check', 1, 'anna')"
ANSWER = "SELECT answer FROM service_questions WHERE service = 'fetcher' ORDER BY id DESC LIMIT 1"


class _Secrets(Configuration):
    """The fetcher's, with the key alone."""

    def secret(self, name: str) -> SecretStr:
        assert name == "encryption_keys"
        return SecretStr(KEYS)


async def answered(database: Database, owner: Pool, held: str | None) -> dict[str, object]:
    """What a fetcher answers to the question that waits."""
    stop = asyncio.Event()
    async with database.pool("fetcher") as pool:
        answering = Answering(pool, "fetcher", answers(_Secrets(), pool, lambda: held))
        running = asyncio.create_task(answering.run(stop))
        async with asyncio.timeout(30):
            while (answer := await owner.fetchval(ANSWER)) is None:
                await asyncio.sleep(0.05)
        stop.set()
        await running
    found: dict[str, object] = answer
    return found


@pytest.fixture
async def asked(tmp_path: Path) -> Path:
    """The Maildir that somebody asks about, with one unread mail."""
    for folder in ("cur", "new", "tmp"):
        (tmp_path / folder).mkdir()
    (tmp_path / "new" / "1.a.host").write_bytes(b"Subject: x\r\n\r\nx\r\n")
    return tmp_path


async def test_a_test_of_the_mailbox_is_answered_and_changes_nothing_in_it(databases: Databases, asked: Path) -> None:
    async with databases.fresh() as database, database.pool("owner") as owner:
        await owner.execute(EVERY_TABLE)
        await owner.execute(
            "UPDATE importer_settings SET server = $1, password_encrypted = NULL WHERE helpdesk_id = 1", str(asked)
        )
        await owner.execute(ASK)
        answer = await answered(database, owner, None)
        assert (answer["ok"], answer["unread"]) == (True, 1)
        assert [file.name for file in (asked / "new").iterdir()] == ["1.a.host"]
        await owner.execute("UPDATE importer_settings SET server = '/nowhere/at/all' WHERE helpdesk_id = 1")
        await owner.execute(ASK)
        answer = await answered(database, owner, None)
        assert (answer["ok"], bool(answer["problem"])) == (False, True)


async def test_a_copy_of_the_database_opens_no_mailbox_for_who_asks(databases: Databases) -> None:
    async with databases.fresh() as database, database.pool("owner") as owner:
        await owner.execute(EVERY_TABLE)
        await owner.execute(ASK)
        assert await answered(database, owner, "Held.") == {"ok": False, "problem": "Held."}


async def test_an_old_question_is_not_answered_and_one_of_the_notifier_neither(databases: Databases) -> None:
    async with databases.fresh() as database, database.pool("owner") as owner, database.pool("fetcher") as pool:
        await owner.execute(EVERY_TABLE)
        await owner.execute(ASK)
        await owner.execute("UPDATE service_questions SET asked_at = now() - interval '11 minutes'")
        answering = Answering(pool, "fetcher", answers(_Secrets(), pool, lambda: None))
        assert await answering._take() is None
