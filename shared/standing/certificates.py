"""When the certificates end that PostgreSQL and RabbitMQ show, on the way that the addresses describe.

A connection of its own to each, for a handshake alone: what the clients of both keep of theirs, they do not tell.
"""

from __future__ import annotations

import asyncio
import ssl
import struct
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import SplitResult, parse_qs, urlsplit

from pydantic import SecretStr

from shared.trust import UnusableCaFile, tls_context

_TLS_PLEASE: Final = struct.pack("!ii", 8, 80877103)
"""PostgreSQL, «Message Formats», SSLRequest; answered by one byte, `S` for yes."""
_PORTS: Final = {"postgresql": 5432, "postgres": 5432, "https": 15671}


@dataclass(frozen=True, slots=True)
class ServerCertificate:
    """The certificate of one server, named as people call it."""

    server: str
    ends_at: datetime


async def server_certificate(server: str, dsn: SecretStr) -> ServerCertificate | None:
    """That of the server in `dsn`; None where the address is one without a checked certificate, or it shows none.

    What is wrong with a certificate already, those who connect to the server say.
    """
    parts = urlsplit(dsn.get_secret_value())
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    is_database = parts.scheme.startswith("postgres")
    if parts.hostname is None or not (is_database and query.get("sslmode", "").startswith("verify-")) | (
        parts.scheme == "https"
    ):
        return None
    with suppress(OSError, EOFError, UnusableCaFile):  # SSLError is an OSError
        ends_at = await _end_of_shown(parts, query.get("sslrootcert") or query.get("cafile"), asked=is_database)
        return ServerCertificate(server, ends_at)
    return None


async def _end_of_shown(parts: SplitResult, ca_file: str | None, *, asked: bool) -> datetime:
    host = parts.hostname
    reader, writer = await asyncio.open_connection(host, parts.port or _PORTS[parts.scheme])
    try:
        if asked:
            writer.write(_TLS_PLEASE)
            if await reader.readexactly(1) != b"S":
                raise ConnectionRefusedError("it speaks no TLS")
        await writer.start_tls(tls_context(ca_file, "certificates"), server_hostname=host)
        shown = writer.get_extra_info("peercert")
        return datetime.fromtimestamp(ssl.cert_time_to_seconds(shown["notAfter"]), UTC)
    finally:
        writer.transport.abort()
