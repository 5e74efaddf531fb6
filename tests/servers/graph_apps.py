"""Certificates that an app logs in with, and logins of the tests' app."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from shared.microsoft.credentials import AppLogin
from tests.servers.graph_entra import CLIENT_ID, SECRET, TENANT


def app_certificate(*, ended: bool = False) -> tuple[SecretStr, x509.Certificate]:
    """A self-signed certificate: the PEM with its key, and what is uploaded to the app registration."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "helpdesk-importer")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=30))
        .not_valid_after(now + timedelta(days=-1 if ended else 30))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return SecretStr((private + certificate.public_bytes(serialization.Encoding.PEM)).decode()), certificate


def app_login(ca_file: Path, **changes: Any) -> AppLogin:
    """The login of the tests' app, by its secret unless `changes` says otherwise."""
    known: dict[str, Any] = {"tenant": TENANT, "client_id": CLIENT_ID, "secret": SecretStr(SECRET)}
    if "certificate" in changes:
        known["secret"] = None
    return AppLogin.of("global", ca_file=str(ca_file), **(known | changes))
