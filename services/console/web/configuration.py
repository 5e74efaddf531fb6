"""What the web console needs to know: its servers, where it listens, and under which address people know it."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from shared.configuration import DatabaseUrl, ProcessConfiguration

DEFAULT_PORT = 8025


def _origin(address: str) -> str:
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.path.strip("/") or parts.query:
        raise ValueError("it is no https://HOST or http://HOST:PORT without a path")
    return f"{parts.scheme}://{parts.netloc.lower()}"


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

    @property
    def database_dsn(self) -> SecretStr:
        """The URL with role and password."""
        return self.with_credentials(self.database_url, "importer_web", "database_password_web")
