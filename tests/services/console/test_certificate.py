"""The certificate of an app registration: what is taken, and why something else is not."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from services.console.certificate import app_certificate
from services.console.fields import BadValue
from tests.servers.certificates import app_pem, certificate_pem, key_pem

NOW = datetime.now(UTC)
KEY = rsa.generate_private_key(65537, 2048)
OTHER = rsa.generate_private_key(65537, 2048)


@pytest.mark.parametrize(
    "given",
    [
        key_pem(KEY) + certificate_pem(KEY),
        certificate_pem(KEY) + key_pem(KEY),
        f"Bag Attributes\r\n  friendlyName: app\r\n{certificate_pem(OTHER)}{certificate_pem(KEY)}\n{key_pem(KEY)}",
    ],
    ids=["key first", "certificate first", "as openssl writes a chain"],
)
def test_key_and_certificate_are_found_in_any_order(given: str) -> None:
    certificate = app_certificate(given.encode(), NOW)
    pem = certificate.pem.get_secret_value().encode()
    own, *_ = x509.load_pem_x509_certificates(pem)
    key = serialization.load_pem_private_key(pem, None)
    assert own.public_key() == key.public_key() == KEY.public_key()
    assert certificate.expires_at == own.not_valid_after_utc
    assert "PRIVATE" not in repr(certificate)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("", "0 private keys and 0 certificates"),
        (key_pem(KEY), "1 private keys and 0 certificates"),
        (certificate_pem(KEY), "0 private keys and 1 certificates"),
        (app_pem() + key_pem(KEY), "2 private keys"),
        (key_pem(KEY) + certificate_pem(OTHER), "does not belong to the certificate"),
        (key_pem(KEY, b"wachtwoord") + certificate_pem(KEY), "passphrase"),
        (app_pem(bits=1024), "2048 bits"),
        (app_pem(key=ec.generate_private_key(ec.SECP256R1())), "must be an RSA key"),
        (key_pem(KEY).replace("M", "N") + certificate_pem(KEY), "key cannot be read"),
        (key_pem(KEY) + certificate_pem(KEY).replace("M", "N"), "certificate cannot be read"),
    ],
    ids=["nothing", "key", "certificate", "two", "of another", "locked", "small", "EC", "broken key", "broken"],
)
def test_what_would_not_log_in_is_refused_and_shows_no_key(given: str, says: str) -> None:
    with pytest.raises(BadValue, match=says) as refused:
        app_certificate(given.encode(), NOW)
    assert "BEGIN" not in str(refused.value)


def test_a_certificate_that_ended_is_refused() -> None:
    with pytest.raises(BadValue, match="ended on"):
        app_certificate(app_pem().encode(), NOW + timedelta(days=2))
