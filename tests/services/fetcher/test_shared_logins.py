"""Mailboxes of which there are more than their server allows connections, for a login or for a machine."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.servers.imap_server import Folder, ImapServer
from tests.services.fetcher.harness import ENCRYPTION, Desk, fetcher, mail
from tests.shared.broker.harness import eventually

MAILBOXES, CONNECTIONS, TURNS = 4, 2, 2


@pytest.fixture
async def server() -> AsyncIterator[ImapServer]:
    async with ImapServer() as imap:
        yield imap


@pytest.fixture
async def desks(desk: Desk, tmp_path: Path, server: ImapServer) -> list[Desk]:
    """Helpdesks that read a folder each, of the one account at the server."""
    others = [
        await Desk.make(f"desk {n}", tmp_path, database=desk.database, vhost=desk.vhost, owner=desk.owner,
                        queues=desk.queues)
        for n in range(1, MAILBOXES)
    ]  # fmt: skip
    desks = [desk, *others]
    for each in desks:
        server.folders[_folder(each)] = Folder()
        await each.set(enabled=False, kind="imap", server=f"imap://127.0.0.1:{server.port}", allow_unencrypted=True)
        await each.set(folder=_folder(each), check_interval_seconds=1)
    async with desk.owner.acquire() as connection, connection.transaction():
        login = await connection.fetchval(
            "INSERT INTO logins (name, username, password_encrypted) VALUES ('shared', $1, $2) RETURNING id",
            server.login,
            ENCRYPTION.public.seal(SecretStr(server.password)),
        )
        await connection.execute("UPDATE importer_settings SET login_id = $1, enabled = true", login)
    return desks


def _folder(desk: Desk) -> str:
    return f"Helpdesk {desk.helpdesk_id}"


async def everything_is_read(desks: list[Desk], server: ImapServer) -> None:
    """In several turns, so that no mailbox is read at its first opening alone."""
    for turn in range(1, TURNS + 1):
        for each in desks:
            server.deliver(mail(f"{turn}"), folder=_folder(each))

        async def all_taken_in(count: int = turn * MAILBOXES) -> bool:
            return await desks[0].queues.count("mail.raw") == count

        await eventually(all_taken_in)


async def problems(desk: Desk) -> list[str]:
    async with desk.owner.acquire() as connection:
        rows = await connection.fetch("SELECT problem FROM mailbox_states WHERE problem IS NOT NULL")
    return [row["problem"] for row in rows]


@pytest.mark.parametrize("of", ["a login", "a machine"])
async def test_more_mailboxes_than_connections_are_all_read_in_turn(
    desks: list[Desk], server: ImapServer, of: str
) -> None:
    server.most_connections = CONNECTIONS
    server.refuses_at_greeting = of == "a machine"
    async with fetcher(desks[0]):
        await everything_is_read(desks, server)
        assert await problems(desks[0]) == []
    assert server.most_at_once <= CONNECTIONS


async def test_where_others_hold_all_connections_it_is_said(desks: list[Desk], server: ImapServer) -> None:
    server.most_connections = 0
    desk = desks[0]
    async with fetcher(desk):

        async def all_say_so() -> bool:
            found = await problems(desk)
            return len(found) == MAILBOXES and all("niet meer verbindingen tegelijk toe" in each for each in found)

        await eventually(all_say_so)
