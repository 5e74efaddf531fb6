"""Autodiscover, for whoever sets a mailbox up: where the EWS of an address is. A person looks at what was found.

No credentials are used. The mail domain's own hosts are asked over TLS, in this order, as Exchange's clients do:

    https://autodiscover.DOMAIN, https://DOMAIN    Autodiscover v2 (Exchange 2016 and later) names the address of EWS;
                                                   on an older Exchange, EWS itself asks for a login there
    where those redirect to over TLS               the same, once: Microsoft 365 answers for its customers so

What is found becomes «Server» when a person has seen it; only then does a password go there. SRV records are not
asked: who has one knows the server's name.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

import httpx

from services.fetcher.mailboxes.ews.connection import PATH, USER_AGENT
from services.fetcher.mailboxes.ews.login import offers
from services.fetcher.mailboxes.protocol import MailboxAccess, MailboxMissing
from services.fetcher.mailboxes.trusting import tls_context
from shared.bounded_json import read_json
from shared.connecting import ForbiddenAddress
from shared.http_connections import CheckedTransport, NoCookies

SECONDS: Final = 15.0
"""For each host that is asked."""
ANSWER_BYTES: Final = 16 * 1024
_V2: Final = "/autodiscover/autodiscover.json"
_ADDRESS: Final = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]{1,500}")
_WAYS: Final = frozenset({"ntlm", "basic", "negotiate"})


def hosts_of(domain: str) -> Sequence[str]:
    """Where the Autodiscover of a mail domain may be."""
    return (f"autodiscover.{domain}", domain)


async def discover(access: MailboxAccess, hosts: Callable[[str], Sequence[str]] = hosts_of) -> str:
    """The address of EWS for `access.address`, else its login; for a person to confirm. Raises MailboxMissing."""
    address = access.address or access.username or ""
    domain = address.rpartition("@")[2] if "@" in address else ""
    if not domain:
        raise MailboxMissing(
            "Het adres van de mailbox ontbreekt: vul het in, of vul bij «Server» de Exchange-server in."
        )
    tls = await asyncio.to_thread(tls_context, access.ca_file, "https")
    async with httpx.AsyncClient(
        transport=CheckedTransport(tls),
        timeout=SECONDS,
        headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"},
        cookies=NoCookies(),
        trust_env=False,
    ) as client:
        waiting = [(host, True) for host in hosts(domain)]
        while waiting:
            host, may_redirect = waiting.pop(0)
            try:
                async with asyncio.timeout(SECONDS):
                    url, elsewhere = await _ask(client, host, address)
            except (httpx.HTTPError, httpx.InvalidURL, ForbiddenAddress, OSError, ValueError):
                continue  # a ValueError: an address that is none
            if url is not None:
                return url
            if elsewhere is not None and may_redirect:
                waiting.append((elsewhere, False))
    raise MailboxMissing(
        f"Voor {domain} is geen Exchange-server gevonden met autodiscover ({', '.join(hosts(domain))}): vul bij "
        "«Server» zijn naam in."
    )


async def _ask(client: httpx.AsyncClient, host: str, address: str) -> tuple[str | None, str | None]:
    """The address of EWS, and the host that this one redirects to; None for what is not told."""
    async with client.stream("GET", f"https://{host}{_V2}", params={"Email": address, "Protocol": "EWS"}) as answer:
        if answer.is_redirect:
            location = answer.headers.get("Location", "")
            elsewhere = urlsplit(location if _ADDRESS.fullmatch(location) else "")
            is_plain = elsewhere.scheme == "https" and elsewhere.hostname and elsewhere.username is None
            return None, elsewhere.netloc if is_plain else None
        if answer.is_success:
            text = b""
            async for piece in answer.aiter_raw():  # as it came: what is packed is no JSON
                text += piece
                if len(text) > ANSWER_BYTES:
                    break
            with suppress(ValueError):
                if (url := _url(text)) is not None:
                    return url, None
    url = f"https://{host}{PATH}"
    async with client.stream("GET", url) as answer:
        ways = offers(answer.headers)
        return (url if answer.status_code == httpx.codes.UNAUTHORIZED and ways & _WAYS else None), None


def _url(text: bytes) -> str | None:
    """The address of EWS in an answer of Autodiscover v2, over TLS alone. ValueError when it is none.

    It is shown on a terminal and stored: nothing stands in it that an address has not (RFC 3986 §2).
    """
    answer = read_json(text)
    url = answer.get("Url") if isinstance(answer, dict) else None
    if not isinstance(url, str) or not _ADDRESS.fullmatch(url):
        return None
    parts = urlsplit(url)
    return url if parts.scheme == "https" and parts.hostname and parts.username is None else None
