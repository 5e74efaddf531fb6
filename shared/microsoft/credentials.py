"""An app registration of Microsoft Entra that logs in by itself: with a secret, or with a certificate.

With a certificate the private key never leaves this machine: it signs a short-lived assertion (`certificate`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final, Self

from pydantic import SecretStr

from shared.microsoft.clouds import Cloud, cloud_named
from shared.microsoft.errors import SignInRefused

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
            from shared.microsoft.certificate import Certificate  # noqa: PLC0415 - X.509 is loaded where it is used

            signed = Certificate.from_pem(self.certificate).assertion(self.client_id, self.token_url)
            return form | {"client_assertion_type": ASSERTION_TYPE, "client_assertion": signed}
        if self.secret is not None:
            return form | {"client_secret": self.secret.get_secret_value()}
        raise SignInRefused("Geef de app-registratie een clientgeheim of een certificaat.")


@dataclass(frozen=True, slots=True)
class Token:
    """What a login gets; times by the monotonic clock, in seconds."""

    value: SecretStr = field(repr=False)
    renew_at: float
    ends_at: float
