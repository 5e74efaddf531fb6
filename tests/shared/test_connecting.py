"""Where we connect: what clouds and links keep for themselves is refused however it is written, all else is tried."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import closing
from ipaddress import ip_address
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared.connecting import ForbiddenAddress, connect, connect_async, why_forbidden
from shared.http_connections import CheckedTransport

METADATA = "169.254.169.254"


async def blocking(host: str, port: int, seconds: float) -> socket.socket:
    return await asyncio.to_thread(connect, host, port, seconds)


both_ways = pytest.mark.parametrize("connecting", [blocking, connect_async])
Connecting = Callable[[str, int, float], Awaitable[socket.socket]]


@pytest.mark.parametrize(
    "address",
    [
        pytest.param(METADATA, id="AWS, Azure, Google, Oracle"),
        pytest.param("169.254.170.2", id="AWS ECS"),
        pytest.param("169.254.0.1", id="link-local"),
        pytest.param("fe80::1", id="link-local of IPv6"),
        pytest.param("fe80::1%1", id="link-local of an interface"),
        pytest.param("fd00:ec2::254", id="AWS by IPv6"),
        pytest.param("fd00:ec2::23", id="AWS EKS"),
        pytest.param("fd20:ce::254", id="Google by IPv6"),
        pytest.param("100.100.100.200", id="Alibaba"),
        pytest.param("192.0.0.192", id="Oracle's own"),
        pytest.param("168.63.129.16", id="Azure's WireServer"),
        pytest.param(f"::ffff:{METADATA}", id="IPv4-mapped"),
        pytest.param(f"::{METADATA}", id="IPv4-compatible"),
        pytest.param(f"::ffff:0:{METADATA}", id="IPv4-translated"),
        pytest.param(f"64:ff9b::{METADATA}", id="NAT64"),
        pytest.param(f"64:ff9b:1::{METADATA}", id="NAT64 of one's own"),
        pytest.param("2002:a9fe:a9fe::1", id="6to4"),
        pytest.param("2001:0:4136:e378:8000:63bf:5601:5601", id="Teredo"),
        pytest.param(f"2001:db8::5efe:{METADATA}", id="ISATAP"),
        pytest.param("0.0.0.0", id="unspecified"),  # noqa: S104 - refused, not listened on
        pytest.param("0.1.2.3", id="this network"),
        pytest.param("::", id="unspecified in IPv6"),
        pytest.param("224.0.0.1", id="multicast"),
        pytest.param("ff02::1", id="multicast of IPv6"),
        pytest.param("255.255.255.255", id="broadcast"),
    ],
)
def test_addresses_of_links_clouds_and_many_hosts_are_refused(address: str) -> None:
    assert why_forbidden(ip_address(address)) is not None


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "::1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "fd12:3456::1", "52.97.146.1",
        "2603:1026::1", "::ffff:10.0.0.1", "64:ff9b::8.8.8.8", "2002:a00:1::1", "169.253.255.255", "192.0.0.191",
    ],
)  # fmt: skip
def test_a_server_of_ones_own_and_the_internet_are_allowed(address: str) -> None:
    assert why_forbidden(ip_address(address)) is None


@given(some.ip_addresses(v=4, network="169.254.0.0/16"))
def test_no_way_of_writing_a_link_local_address_in_ipv6_helps(address: Any) -> None:
    for prefix in ("::ffff:", "::", "64:ff9b::", "::ffff:0:"):
        assert why_forbidden(ip_address(f"{prefix}{address}")) is not None


@both_ways
@pytest.mark.parametrize("host", ["2852039166", "0xA9FEA9FE", "0251.0376.0251.0376", "169.254.43518", METADATA])
async def test_an_address_in_odd_digits_is_what_it_resolves_to(connecting: Connecting, host: str) -> None:
    with pytest.raises(ForbiddenAddress, match=METADATA) as refused:
        await connecting(host, 80, 5)
    assert host in refused.value.sentence


@pytest.fixture
async def listener() -> AsyncIterator[int]:
    """The port of a server that answers every connection with one HTTP response."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def resolve_to(monkeypatch: pytest.MonkeyPatch, *answers: Sequence[str]) -> list[str]:
    """A name server that gives these answers, one after the other; the names that were asked for."""
    asked = []
    remaining = list(answers)

    def answer(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in remaining.pop(0)]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return asked


@both_ways
async def test_a_name_is_refused_when_any_of_its_addresses_is(
    connecting: Connecting, listener: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve_to(monkeypatch, ["127.0.0.1", METADATA])
    with pytest.raises(ForbiddenAddress, match=METADATA):
        await connecting("mail.example", listener, 5)


@both_ways
async def test_a_name_is_resolved_once_so_that_it_cannot_change_after_the_check(
    connecting: Connecting, listener: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = resolve_to(monkeypatch, ["127.0.0.1"], [METADATA])
    with closing(await connecting("mail.example", listener, 5)) as sock:
        assert sock.getpeername() == ("127.0.0.1", listener)
    assert asked == ["mail.example"]


@both_ways
async def test_an_address_that_refuses_leaves_the_turn_to_the_next(
    connecting: Connecting, listener: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve_to(monkeypatch, ["127.0.0.2", "127.0.0.1"])
    with closing(await connecting("mail.example", listener, 5)) as sock:
        assert sock.getpeername() == ("127.0.0.1", listener)


@both_ways
async def test_when_none_answers_it_is_the_systems_own_error(
    connecting: Connecting, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(socket.socket()) as bound:  # bound and not listening: connections are refused
        bound.bind(("127.0.0.1", 0))
        resolve_to(monkeypatch, ["127.0.0.1", "127.0.0.1"])
        with pytest.raises(ConnectionRefusedError):
            await connecting("mail.example", bound.getsockname()[1], 5)


async def test_httpx_connects_to_checked_addresses_alone(listener: int, monkeypatch: pytest.MonkeyPatch) -> None:
    transport = CheckedTransport(ssl.create_default_context())
    async with httpx.AsyncClient(transport=transport) as client:
        asked = resolve_to(monkeypatch, ["127.0.0.2", "127.0.0.1"], [METADATA])
        assert (await client.get(f"http://graph.example:{listener}/")).text == "ok"
        with pytest.raises(ForbiddenAddress, match=METADATA):
            await client.get(f"http://graph.example:{listener}/")
        assert asked == ["graph.example", "graph.example"]


async def test_httpx_tells_what_it_always_tells_when_nobody_answers() -> None:
    transport = CheckedTransport(ssl.create_default_context())
    with closing(socket.socket()) as bound:
        bound.bind(("127.0.0.1", 0))
        async with httpx.AsyncClient(transport=transport) as client:
            with pytest.raises(httpx.ConnectError):
                await client.get(f"http://127.0.0.1:{bound.getsockname()[1]}/")
