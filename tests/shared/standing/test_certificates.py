"""When a server's certificate ends, asked on the way that its clients take: PostgreSQL's, and TLS from the start."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from shared.standing.certificates import server_certificate
from tests.attacks.tls_terminator import terminator
from tests.servers.certificates import make_certificates

LIFE = timedelta(days=20)


@pytest.mark.parametrize("scheme", ["postgresql", "https"])
@pytest.mark.parametrize(
    ("how", "ends_in", "is_seen"),
    [("verified", LIFE, True), ("verified", -timedelta(hours=1), False), ("plain", LIFE, False)],
    ids=["valid", "ended: its clients say so", "without TLS"],
)
async def test_the_end_of_a_certificate_is_seen(
    tmp_path: Path, scheme: str, how: str, ends_in: timedelta, *, is_seen: bool
) -> None:
    made = make_certificates(tmp_path, ends_in=ends_in)
    is_database = scheme == "postgresql"
    with terminator(1, made.server if how == "verified" else None, asked=is_database) as server:
        trust = f"sslmode=verify-full&sslrootcert={made.ca_file}" if is_database else f"cafile={made.ca_file}"
        seen = await server_certificate("It", SecretStr(f"{scheme}://x:x@127.0.0.1:{server.port}/x?{trust}"))
    assert (seen is not None) is is_seen
    assert seen is None or abs(seen.ends_at - datetime.now(UTC) - ends_in) < timedelta(hours=1)


@pytest.mark.parametrize("address", ["postgresql://127.0.0.1:1/x", "http://127.0.0.1:1", "postgresql:///x?host=/tmp"])
async def test_an_address_that_checks_no_certificate_is_not_connected_to(address: str) -> None:
    assert await server_certificate("It", SecretStr(address)) is None
