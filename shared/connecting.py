"""Where we connect: wherever the operator says, but never to what lends its trust to every program of a machine.

    sock = connect(host, port, timeout)                        # blocking; a socket that is connected
    sock = await connect_async(host, port, timeout)            # for HTTP: `shared.http_connections`

Private and loopback addresses are fine: a mail server in the customer's own network has one. Link-local addresses and
those where clouds hand out credentials are refused, however they are written: a name is resolved once, refused when any
of its addresses is, and the connection goes to an address that was checked, so that a name server cannot answer
otherwise the second time. Proxies from the environment are not used: they would resolve the name themselves.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any, Final

from shared.dialogue import asking
from shared.errors import ImporterError

IpAddress = IPv4Address | IPv6Address

_METADATA: Final[tuple[IPv4Network | IPv6Network, ...]] = (
    *map(
        IPv4Network,
        (
            "168.63.129.16/32",  # Azure's WireServer
            "100.100.100.200/32",  # Alibaba
            "192.0.0.192/32",  # Oracle
        ),
    ),
    *map(
        IPv6Network,
        (
            "fd00:ec2::/32",  # AWS: ::254 instance metadata, ::23 credentials of pods
            "fd20:ce::/32",  # Google
            "fd00:42::42/128",  # Scaleway
            "fd00:a9fe:a9fe::/48",  # Akamai
        ),
    ),
)
"""What clouds have outside 169.254.0.0/16, where AWS, Azure, Google and AWS ECS (169.254.170.2) have theirs."""
_THIS_HOST: Final = IPv4Network("0.0.0.0/8")
"""RFC 1122 §3.2.1.3; Linux connects 0.0.0.0 to itself."""
_BROADCAST: Final = IPv4Address("255.255.255.255")
_TRANSLATED: Final = tuple(
    map(
        IPv6Network,
        (
            "::ffff:0:0/96",  # IPv4-mapped, RFC 4291 §2.5.5.2
            "::/96",  # IPv4-compatible, RFC 4291 §2.5.5.1
            "::ffff:0:0:0/96",  # IPv4-translated, RFC 2765 §2.1
            "64:ff9b::/96",  # NAT64, RFC 6052 §2.1
            "64:ff9b:1::/48",  # NAT64 of one's own, RFC 8215
        ),
    )
)
"""Prefixes whose last 32 bits are an IPv4 address."""
_LEAST_SECONDS: Final = 0.05
"""For an address whose turn comes when the time is over: enough for a machine nearby."""
_ISATAP: Final = (0x5EFE, 0x02005EFE)
"""RFC 5214 §6.1: what stands before an IPv4 address in an interface identifier."""


class ForbiddenAddress(ImporterError):
    """The host is, or resolves to, an address where the importer never connects; nothing was sent to it."""

    def __init__(self, host: str, address: IpAddress, what: str) -> None:
        place = host if host == str(address) else f"{host} ({address})"
        super().__init__(
            f"{place} is {what}: the importer never connects there. Name the mail server, or mend its name in DNS."
        )
        self.sentence = (
            f"{place} is een adres waarmee de importer nooit verbinding maakt (link-local, metadata van een cloud, of "
            "geen adres van één server): vul de mailserver in, of verbeter zijn naam in DNS."
        )
        """The same for the settings screen, in Dutch."""


def why_forbidden(address: IpAddress) -> str | None:
    """What an address is that the importer never connects to, in words; None when it may."""
    for meant in (address, *_within(address)):
        if meant.is_link_local:
            return "a link-local address, where clouds hand out credentials"
        if any(meant in network for network in _METADATA):
            return "a cloud's metadata service"
        if meant.is_multicast or meant == _BROADCAST:
            return "an address of many hosts"
        if meant.is_unspecified or meant in _THIS_HOST:
            return "the address of no host"
    return None


def connect(host: str, port: int, timeout: float) -> socket.socket:
    """A connected socket with this time-out, in seconds, for connecting as a whole and then for each operation.

    Raises ForbiddenAddress; OSError (socket.gaierror when the name does not resolve, TimeoutError) of the last address.
    """
    with asking(f"connect {host}:{port}") as step:
        sock = _connected(host, port, timeout)
        step.came = "connected"
        return sock


def _connected(host: str, port: int, timeout: float) -> socket.socket:
    deadline = time.monotonic() + timeout
    candidates = checked(host, socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    for left, (family, address) in counting_down(candidates):
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.settimeout(seconds_of_one(deadline, left))
            sock.connect(address)
            sock.settimeout(timeout)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError:
            sock.close()
            if left == 1:
                raise
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise OSError(f"{host} has no address")


async def connect_async(host: str, port: int, timeout: float) -> socket.socket:  # noqa: ASYNC109 - as `connect`
    """As `connect`, off the event loop's back; the socket does not block."""
    loop = asyncio.get_running_loop()
    deadline = time.monotonic() + timeout
    async with asyncio.timeout(timeout):
        resolved = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for left, (family, address) in counting_down(checked(host, resolved)):
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.settimeout(0)
            async with asyncio.timeout(seconds_of_one(deadline, left)):
                await loop.sock_connect(sock, address)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError:
            sock.close()
            if left == 1:
                raise
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise OSError(f"{host} has no address")


_Found = Sequence[tuple[Any, Any, Any, Any, Any]]


def checked(host: str, resolved: _Found) -> list[tuple[int, Any]]:
    """Family and socket address of what a name resolved to; ForbiddenAddress when any of it is forbidden."""
    for *_, sockaddr in resolved:
        address = ip_address(sockaddr[0])
        if what := why_forbidden(address):
            raise ForbiddenAddress(host, address, what)
    return [(family, sockaddr) for family, *_, sockaddr in resolved]


def _within(address: IpAddress) -> Iterator[IPv4Address]:
    """The IPv4 addresses that an IPv6 address stands for."""
    if isinstance(address, IPv4Address):
        return
    number = int(address)
    if any(address in network for network in _TRANSLATED) and number > 1:  # :: and ::1 are themselves
        yield IPv4Address(number & 0xFFFFFFFF)
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    if (number >> 32) & 0xFFFFFFFF in _ISATAP:
        yield IPv4Address(number & 0xFFFFFFFF)


def counting_down(candidates: list[tuple[int, Any]]) -> Iterator[tuple[int, tuple[int, Any]]]:
    """Each with the number of those that are left, itself included."""
    return zip(range(len(candidates), 0, -1), candidates, strict=True)


def seconds_of_one(deadline: float, left: int) -> float:
    """Seconds for this address, so that one that swallows everything leaves time for the others."""
    return max(_LEAST_SECONDS, (deadline - time.monotonic()) / left)
