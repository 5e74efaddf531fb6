"""What the web console needs to know: its servers, where it listens, and under which address people know it."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from shared.configuration import DatabaseUrl, ProcessConfiguration, UsableCaFile

DEFAULT_PORT = 8025


def _origin(address: str) -> str:
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.path.strip("/") or parts.query:
        raise ValueError("it is no https://HOST or http://HOST:PORT without a path")
    return f"{parts.scheme}://{parts.netloc.lower()}"


def _issuer(address: str) -> str:
    parts = urlsplit(address)
    if parts.scheme != "https" or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ValueError("it is no https://HOST or https://HOST/PATH")
    return address


class WebConfiguration(ProcessConfiguration):
    """The web console's own. Its database role is importer_web."""

    database_url: DatabaseUrl = Field(
        description="postgresql://HOST:PORT/DATABASE; the role is importer_web with the secret database_password_web, "
        "unless the address holds credentials"
    )
    web_host: str = Field(default="127.0.0.1", description="the address on which the web console listens")
    web_port: int = Field(default=DEFAULT_PORT, ge=0, le=65535, description="its port, or 0 for a free one")
    web_url: Annotated[str, AfterValidator(_origin)] | None = Field(
        default=None,
        description="the address under which people know the web console, such as https://mail.example.org, where a "
        "proxy stands before it",
    )
    web_oidc_issuer: Annotated[str, AfterValidator(_issuer)] | None = Field(
        default=None,
        description="the issuer of an OpenID Connect provider as it writes itself, such as "
        "https://login.microsoftonline.com/TENANT/v2.0, where people log in by one",
    )
    web_oidc_client_id: str | None = Field(
        default=None, description="the id under which that provider knows the web console"
    )
    web_oidc_claim: str = Field(
        default="email",
        description="what of the provider's names a user of the web console at the first login: email, where it says "
        "that it checked it, or another such as preferred_username",
    )
    web_oidc_groups_claim: str = Field(
        default="groups", description="what of the provider's lists the groups of a person, which may give rights"
    )
    web_oidc_make_users: bool = Field(
        default=False,
        description="true, where whoever is in a group that gives rights is made a user at the first login, or false",
    )
    web_oidc_only: bool = Field(default=False, description="true, where nobody comes in by a password, or false")
    web_oidc_ca_file: UsableCaFile | None = Field(
        default=None,
        description="a PEM file with the authorities that vouch for that provider, in place of the machine's",
    )

    @property
    def database_dsn(self) -> SecretStr:
        """The URL with role and password."""
        return self.with_credentials(self.database_url, "importer_web", "database_password_web")
