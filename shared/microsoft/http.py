"""Connections to Microsoft: over TLS, to checked addresses, with deadlines; redirects are never followed."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

import httpx

from shared import trust
from shared.bounded_json import read_json as read_bounded
from shared.connecting import ForbiddenAddress
from shared.http_connections import CheckedTransport, NoCookies
from shared.microsoft.errors import Interrupted, NotSecure, Unavailable
from shared.microsoft.patience import Patience

LONGEST_DELAY: Final = timedelta(hours=1)
"""A server that asks for more is asked again after this."""
BODY_LIMIT: Final = 8 * 1024 * 1024
"""Bytes of an answer in JSON; a page of a thousand mails has some 600,000."""
_SILENCE: Final = (
    ssl.SSLWantReadError,
    ssl.SSLWantWriteError,
    ssl.SSLEOFError,
    ssl.SSLZeroReturnError,
    ssl.SSLSyscallError,
)
"""Errors of TLS that say nothing of certificates: nothing came, or the connection ended."""


async def open_client(ca_file: str | None, *, connections: int, patience: Patience) -> httpx.AsyncClient:
    """A client that trusts `ca_file`, or the system's certificates; NotSecure when that file cannot be used."""
    tls = await tls_context(ca_file)
    return httpx.AsyncClient(
        transport=CheckedTransport(tls, connections=connections),
        timeout=httpx.Timeout(patience.silence, connect=patience.connect, pool=None),
        # what is compressed may be small on the wire and large in memory
        headers={"Accept-Encoding": "identity", "User-Agent": "helpdesk-importer"},
        cookies=NoCookies(),
        trust_env=False,
    )


async def tls_context(ca_file: str | None) -> ssl.SSLContext:
    """As `shared.trust` has it, off the event loop; NotSecure when the CA file is unusable."""
    try:  # reading the machine's certificates takes longer than the event loop may stand still
        return await asyncio.to_thread(trust.tls_context, ca_file, "microsoft")
    except trust.UnusableCaFile as error:
        raise NotSecure(error.sentence) from error


@contextmanager
def network_trouble(host: str, *, answering: bool = False) -> Iterator[None]:
    """Turn what httpx raises into our errors; `answering`: the answer of `host` had begun."""
    try:
        yield
    except ForbiddenAddress as error:
        raise NotSecure(error.sentence) from error
    except (httpx.HTTPError, TimeoutError) as error:
        if (tls := _tls_error(error)) is not None:
            said = getattr(tls, "verify_message", "") or tls.reason or "TLS"
            raise NotSecure(
                f"{host} toont geen certificaat dat te vertrouwen is ({said}): controleer het CA-bestand en of er een "
                "proxy tussen zit."
            ) from error
        if answering:
            raise Interrupted(
                f"Het antwoord van {host} brak af ({type(error).__name__}); het wordt opnieuw geprobeerd."
            ) from error
        raise Unavailable(
            f"{host} antwoordt niet ({type(error).__name__}): controleer netwerk, DNS en firewall; het wordt opnieuw "
            "geprobeerd."
        ) from error


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> timedelta | None:
    """The delay that a server asks for, in seconds or as a date (RFC 9110 §10.2.3); None when it asks for none."""
    said = headers.get("retry-after", "").strip()
    if said.isascii() and said.isdigit():
        delay = timedelta(seconds=min(int(said[:9]), LONGEST_DELAY.total_seconds()))
    else:
        try:
            until = parsedate_to_datetime(said)
        except (TypeError, ValueError):
            return None
        delay = (until if until.tzinfo else until.replace(tzinfo=UTC)) - (now or datetime.now(UTC))
    return min(max(delay, timedelta(0)), LONGEST_DELAY)


async def read_json(response: httpx.Response, *, limit: int = BODY_LIMIT) -> dict[str, Any]:
    """The whole body as a JSON object, within `limit` bytes; Interrupted when it is cut off, or is none."""
    host = response.url.host
    require_readable(response)
    body = bytearray()
    with network_trouble(host, answering=True):
        async for piece in response.aiter_raw():
            body += piece
            if len(body) > limit:
                raise Interrupted(f"Het antwoord van {host} is groter dan {limit // 1024} KiB.")
    try:
        content = await asyncio.to_thread(read_bounded, body) if body else {}
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise Interrupted(f"Het antwoord van {host} is geen JSON: controleer of er een proxy tussen zit.")
    return content


def require_readable(response: httpx.Response) -> None:
    """Interrupted when nobody could tell that this answer is cut off (it has no length and no chunks), or it is packed.

    Packing was not asked for (`open_client`); what is packed may be small on the wire and large in memory.
    """
    if response.headers.get("content-encoding", "identity").strip().lower() not in {"", "identity"}:
        raise Interrupted(f"Het antwoord van {response.url.host} is ingepakt, wat niet gevraagd was.")
    told = "content-length" in response.headers or "chunked" in response.headers.get("transfer-encoding", "").lower()
    if not told and response.status_code != httpx.codes.NO_CONTENT:
        raise Interrupted(f"Het antwoord van {response.url.host} zegt niet hoe lang het is; het wordt niet gebruikt.")


def _tls_error(error: BaseException | None) -> ssl.SSLError | None:
    """What was wrong with TLS itself; a server that hangs, or ends, within the handshake is only not there."""
    while error is not None:
        if isinstance(error, ssl.SSLError) and not isinstance(error, _SILENCE):
            return error
        error = error.__cause__ or error.__context__
    return None
