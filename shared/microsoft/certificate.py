"""The certificate of an app registration, and the assertion that its private key signs in place of a secret.

A JWT by PS256 (RFC 7523; Microsoft, «Certificate credentials»), whose `x5t#S256` names the certificate and whose
audience is the token URL. Few apps have one: `credentials` loads this when it meets the first.
"""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Self

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from pydantic import SecretStr

from shared.microsoft.errors import SignInRefused

ASSERTION_LIFE: Final = timedelta(minutes=10)
CLOCK_SKEW: Final = timedelta(minutes=2)
"""How far our clock may be ahead of Microsoft's."""


@dataclass(frozen=True, slots=True, repr=False)
class Certificate:
    """A certificate and its private key, which is never shown."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey

    @classmethod
    def from_pem(cls, pem: SecretStr) -> Self:
        """From a PEM with both; SignInRefused, saying what is wrong with it."""
        data = pem.get_secret_value().encode()
        try:
            key = serialization.load_pem_private_key(data, password=None)
        except TypeError:
            raise SignInRefused(
                "De private sleutel van het certificaat heeft een wachtwoord: haal dat eraf "
                "(openssl pkey -in … -out …)."
            ) from None
        except (ValueError, UnsupportedAlgorithm):
            raise SignInRefused(
                "Het PEM-bestand van het certificaat heeft geen leesbare private sleutel: het moet de private sleutel "
                "en het certificaat bevatten."
            ) from None
        if not isinstance(key, rsa.RSAPrivateKey):
            raise SignInRefused("Microsoft Entra neemt alleen certificaten met een RSA-sleutel: maak er zo een aan.")
        try:
            certificates = x509.load_pem_x509_certificates(data)
        except ValueError:
            certificates = []
        ours = [each for each in certificates if each.public_key() == key.public_key()]
        if not ours:
            raise SignInRefused(
                "Het PEM-bestand heeft geen certificaat dat bij zijn private sleutel hoort: voeg dat toe."
            )
        return cls(ours[0], key)

    @property
    def expires_at(self) -> datetime:
        """When the certificate ends, in UTC."""
        return self.certificate.not_valid_after_utc

    def assertion(self, client_id: str, audience: str) -> str:
        """A signed JWT that says: I am this app. SignInRefused when the certificate has ended."""
        now = datetime.now(UTC)
        if now >= self.expires_at:
            raise SignInRefused(
                f"Het certificaat is verlopen op {self.expires_at:%d-%m-%Y}: maak een nieuw certificaat, voeg het toe "
                "aan de app-registratie en stel het hier in."
            )
        thumbprint = self.certificate.fingerprint(hashes.SHA256())
        header = {"alg": "PS256", "typ": "JWT", "x5t#S256": _base64url(thumbprint)}
        claims = {
            "aud": audience,
            "iss": client_id,
            "sub": client_id,
            "jti": str(uuid.uuid4()),
            "nbf": int((now - CLOCK_SKEW).timestamp()),
            "iat": int((now - CLOCK_SKEW).timestamp()),
            "exp": int((now + ASSERTION_LIFE).timestamp()),
        }
        signed = f"{_segment(header)}.{_segment(claims)}"
        pss = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=hashes.SHA256.digest_size)
        return f"{signed}.{_base64url(self.key.sign(signed.encode(), pss, hashes.SHA256()))}"


def _segment(content: Mapping[str, object]) -> str:
    return _base64url(json.dumps(content, separators=(",", ":")).encode())


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
