"""An app registration of Microsoft Entra that logs in by itself: with a secret, or with a certificate.

With a certificate the private key never leaves this machine: it signs a short-lived assertion (RFC 7523; Microsoft,
«Certificate credentials»): a JWT by PS256, whose `x5t#S256` names the certificate and whose audience is the token URL.
"""

from __future__ import annotations

import base64
import json
import re
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

from shared.microsoft.clouds import Cloud, cloud_named
from shared.microsoft.errors import SignInRefused

ASSERTION_LIFE: Final = timedelta(minutes=10)
CLOCK_SKEW: Final = timedelta(minutes=2)
"""How far our clock may be ahead of Microsoft's."""
ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

_TENANT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*")
_CLIENT_ID: Final = re.compile(r"[A-Za-z0-9-]+")


@dataclass(frozen=True, slots=True)
class AppLogin:
    """An app of a tenant, with `secret` or `certificate` (PEM: private key and certificate). Equal ones share tokens.

    `ca_file` is trusted in place of the system's certificates; None: the system's.
    """

    cloud: Cloud
    tenant: str
    client_id: str
    secret: SecretStr | None = None
    certificate: SecretStr | None = None
    ca_file: str | None = None

    @classmethod
    def of(
        cls,
        cloud: str,
        *,
        tenant: str | None,
        client_id: str | None,
        secret: SecretStr | None = None,
        certificate: SecretStr | None = None,
        ca_file: str | None = None,
    ) -> Self:
        """A login from settings; SignInRefused, saying what is to be filled in, when it cannot be one."""
        if not tenant or not _TENANT.fullmatch(tenant):
            raise SignInRefused("Vul bij «Tenant» de map-id (tenant) of het domein uit Microsoft Entra in.")
        if not client_id or not _CLIENT_ID.fullmatch(client_id):
            raise SignInRefused("Vul als gebruikersnaam de toepassings-id (client) van de app-registratie in.")
        if secret is None and certificate is None:
            raise SignInRefused("Geef de app-registratie een clientgeheim of een certificaat.")
        return cls(cloud_named(cloud), tenant, client_id, secret, certificate, ca_file)

    @property
    def token_url(self) -> str:
        """Where tokens are asked for; the audience of an assertion."""
        return f"{self.cloud.login_url}/{self.tenant}/oauth2/v2.0/token"

    def form(self, scope: str) -> dict[str, str]:
        """What is sent to the token URL (RFC 6749 §4.4.2), with the secret or an assertion. Takes a millisecond."""
        form = {"grant_type": "client_credentials", "client_id": self.client_id, "scope": scope}
        if self.certificate is not None:
            signed = Certificate.from_pem(self.certificate).assertion(self.client_id, self.token_url)
            return form | {"client_assertion_type": ASSERTION_TYPE, "client_assertion": signed}
        if self.secret is not None:
            return form | {"client_secret": self.secret.get_secret_value()}
        raise SignInRefused("Geef de app-registratie een clientgeheim of een certificaat.")


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
