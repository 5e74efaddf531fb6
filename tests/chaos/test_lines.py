"""Lines: they know whose a connection is, and do to it what is asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import ClassVar

import pytest

from tests.chaos.lines import Line


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    """A line to a server that sends back what it gets, behind one that does not answer."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1000):
            writer.write(data)
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    closed = await asyncio.start_server(echo, "127.0.0.1", 0)
    nobody = closed.sockets[0].getsockname()[1]
    closed.close()
    async with server, Line([("127.0.0.1", nobody), ("127.0.0.1", server.sockets[0].getsockname()[1])]) as line:
        yield line
        for client in Client.all:
            client.writer.close()
        await asyncio.gather(*(client.writer.wait_closed() for client in Client.all), return_exceptions=True)
        Client.all.clear()


class Client:
    """A client that logs in by a name."""

    all: ClassVar[list[Client]] = []

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def of(cls, service: str, line: Line) -> Client:
        client = cls(*await asyncio.open_connection("127.0.0.1", line.port))
        cls.all.append(client)
        client.writer.write(f"user=importer_{service};".encode())
        return client

    async def logged_in(self) -> Client:
        assert (await self.reader.readuntil(b";")).startswith(b"user=importer_")
        return self

    async def ended(self) -> bool:
        try:
            return await self.reader.read(1000) == b""
        except ConnectionError:
            return True


async def test_dropped_are_the_connections_of_the_one_who_is_named(line: Line) -> None:
    notifier = await (await Client.of("notifier", line)).logged_in()
    fetcher = await (await Client.of("fetcher", line)).logged_in()
    assert line.drop("notifier") == 1
    assert await notifier.ended()
    fetcher.writer.write(b"still here;")
    assert await fetcher.reader.readuntil(b";") == b"still here;"


async def test_what_was_stalled_arrives_afterwards(line: Line) -> None:
    client = await (await Client.of("fetcher", line)).logged_in()
    other = await (await Client.of("notifier", line)).logged_in()
    with line.stalled("fetcher"):
        client.writer.write(b"late;")
        other.writer.write(b"in time;")
        assert await other.reader.readuntil(b";") == b"in time;"
        assert client.reader._buffer == b""  # type: ignore[attr-defined]
    assert await client.reader.readuntil(b";") == b"late;"


async def test_refused_are_connections_old_and_new(line: Line) -> None:
    client = await (await Client.of("fetcher", line)).logged_in()
    with line.refused("fetcher"):
        assert await client.ended()
        assert await (await Client.of("fetcher", line)).ended()
        await (await Client.of("notifier", line)).logged_in()
    await (await Client.of("fetcher", line)).logged_in()
