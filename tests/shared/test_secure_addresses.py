"""Where TLS is required on the way to our own servers, and what their addresses say then."""

import pytest

from shared.secure_addresses import RequireTls, WithoutTls, secured

ELSEWHERE, ALWAYS, NEVER = RequireTls.ELSEWHERE, RequireTls.ALWAYS, RequireTls.NEVER
CA = "/tls/ca.pem"
CHECKED = f"sslmode=verify-full&sslrootcert={CA}"


@pytest.mark.parametrize(
    ("url", "require", "made"),
    [
        pytest.param("postgresql://db/x", ELSEWHERE, f"postgresql://db/x?{CHECKED}", id="elsewhere"),
        pytest.param("postgresql://db/x?sslmode=require", ELSEWHERE, f"postgresql://db/x?{CHECKED}", id="unchecked"),
        pytest.param(
            "postgresql://db/x?sslrootcert=/own", ELSEWHERE,
            "postgresql://db/x?sslrootcert=/own&sslmode=verify-full", id="authority-in-the-address",
        ),
        pytest.param(
            "postgresql:///x?host=db,/pg", ELSEWHERE, f"postgresql:///x?host=db,/pg&{CHECKED}", id="one-of-two",
        ),
        pytest.param("postgresql://127.0.0.1/x", ELSEWHERE, "postgresql://127.0.0.1/x", id="here"),
        pytest.param("postgresql://localhost/x", ELSEWHERE, "postgresql://localhost/x", id="here-by-name"),
        pytest.param("postgresql://[::1]/x", ELSEWHERE, "postgresql://[::1]/x", id="here-by-ipv6"),
        pytest.param("postgresql:///x?host=/run/pg", ELSEWHERE, "postgresql:///x?host=/run/pg", id="socket"),
        pytest.param("postgresql:///x?host=/run/pg", ALWAYS, "postgresql:///x?host=/run/pg", id="socket-always"),
        pytest.param("postgresql://localhost/x", ALWAYS, f"postgresql://localhost/x?{CHECKED}", id="here-always"),
        pytest.param("postgresql://db/x?sslmode=disable", NEVER, "postgresql://db/x?sslmode=disable", id="never"),
        pytest.param("postgresql://db/x?sslmode=verify-full", NEVER, f"postgresql://db/x?{CHECKED}", id="chosen"),
        pytest.param("amqps://mq/v", ELSEWHERE, f"amqps://mq/v?cafile={CA}", id="broker"),
        pytest.param("amqps://mq/v?cafile=/own", ELSEWHERE, "amqps://mq/v?cafile=/own", id="broker-with-its-own"),
        pytest.param("amqp://127.0.0.1/v", ELSEWHERE, "amqp://127.0.0.1/v", id="broker-here"),
        pytest.param("amqp://mq/v", NEVER, "amqp://mq/v", id="broker-never"),
        pytest.param("https://mq:15671", ELSEWHERE, f"https://mq:15671?cafile={CA}", id="management"),
    ],
)  # fmt: skip
def test_an_address_gets_what_makes_its_client_check(url: str, require: RequireTls, made: str) -> None:
    assert secured(url, require, CA) == made


@pytest.mark.parametrize(
    ("url", "require"),
    [
        ("postgresql://db/x?sslmode=disable", ELSEWHERE),
        ("postgresql://localhost/x?sslmode=disable", ALWAYS),
        ("amqp://mq/v", ELSEWHERE),
        ("amqp://127.0.0.1/v", ALWAYS),
        ("amqp://127.0.0.1.example/v", ELSEWHERE),
        ("amqps://mq/v?no_verify_ssl=1", ELSEWHERE),
        ("amqps://mq/v?no_verify_ssl=1&no_verify_ssl=0", ELSEWHERE),
        ("http://mq:15672", ELSEWHERE),
        ("postgresql:///x?host=db&sslmode=disable", ELSEWHERE),
    ],
)
def test_an_address_that_would_go_without_is_refused(url: str, require: RequireTls) -> None:
    with pytest.raises(WithoutTls, match="IMPORTER_REQUIRE_TLS"):
        secured(url, require, CA)
