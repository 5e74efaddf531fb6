"""Which addresses of our own servers must be reached over TLS, and by whose certificates.

PostgreSQL, RabbitMQ and its management API get passwords, and mail. On another machine than this one they are reached
over TLS, with a certificate that is checked against the name in the address, unless the operator says otherwise.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from enum import StrEnum
from ipaddress import ip_address
from types import MappingProxyType
from typing import Final
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

from shared.sentences import Sentence

VARIABLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "postgresql": "IMPORTER_DATABASE_URL",
        "postgres": "IMPORTER_DATABASE_URL",
        "amqp": "IMPORTER_AMQP_URL",
        "amqps": "IMPORTER_AMQP_URL",
        "http": "IMPORTER_RABBITMQ_MANAGEMENT_URL",
        "https": "IMPORTER_RABBITMQ_MANAGEMENT_URL",
    }
)


class RequireTls(StrEnum):
    """Where TLS is not to be done without."""

    ELSEWHERE = "elsewhere"
    ALWAYS = "always"
    NEVER = "never"


class WithoutTls(ValueError):
    """The address leads to another machine in the clear, or without a check of its certificate."""

    def __init__(self, parts: SplitResult, advice: Sentence) -> None:
        super().__init__(
            Sentence(
                "%(variable)s leads to %(host)s without TLS that is checked. %(advice)s, or, where the way to it is "
                "trusted, set IMPORTER_REQUIRE_TLS=never.",
                variable=VARIABLES[parts.scheme],
                host=parts.hostname or Sentence("another machine"),
                advice=advice,
            )
        )


def secured(url: str, require: RequireTls, ca_file: str | None) -> str:
    """`url` with what makes its client check the server: `ca_file`, else the machine's certificates. Raises WithoutTls.

    The clients read that from the address: asyncpg `sslmode` and `sslrootcert` (as libpq), aiormq and
    `shared.broker.administration` `cafile`. What stands in the address itself is kept.
    """
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    required = _is_required(parts, query, require)
    make = _database if parts.scheme.startswith("postgres") else _broker
    made = make(parts, query, ca_file, required=required)
    if made == query:
        return url
    before = url.partition("?")[0]  # as it was written: urlunsplit makes postgresql:/x of postgresql:///x
    return f"{before}?{urlencode(made, safe='/,')}"


def _is_required(parts: SplitResult, query: Mapping[str, str], require: RequireTls) -> bool:
    hosts = [parts.hostname] if parts.hostname else query.get("host", "").split(",")
    over_network = [host for host in hosts if not host.startswith(("/", "@"))]  # else a Unix socket
    if require is RequireTls.ELSEWHERE:
        return not all(map(_is_here, over_network))
    return require is RequireTls.ALWAYS and bool(over_network)


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _database(
    parts: SplitResult, query: Mapping[str, str], ca_file: str | None, *, required: bool
) -> Mapping[str, str]:
    mode = query.get("sslmode")
    if required:
        if mode == "disable":
            raise WithoutTls(parts, Sentence("Take sslmode=disable out of it"))
        mode = "verify-full"
    if mode not in {"verify-full", "verify-ca"}:
        return query
    trusted = query.get("sslrootcert") or ca_file or ssl.get_default_verify_paths().cafile
    return {**query, "sslmode": mode, **({"sslrootcert": trusted} if trusted else {})}


def _broker(parts: SplitResult, query: Mapping[str, str], ca_file: str | None, *, required: bool) -> Mapping[str, str]:
    if parts.scheme in {"amqp", "http"}:
        if required:
            raise WithoutTls(
                parts, Sentence("Let it begin with %(scheme)ss:// and name the port for TLS", scheme=parts.scheme)
            )
        return query
    # of one that stands there twice, aiormq takes the first, and a mapping the last
    unchecked = {value for name, value in parse_qsl(parts.query, keep_blank_values=True) if name == "no_verify_ssl"}
    if required and unchecked - {"0"}:
        raise WithoutTls(parts, Sentence("Take no_verify_ssl out of it"))
    return query if ca_file is None else {"cafile": ca_file, **query}
