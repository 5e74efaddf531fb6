"""Where alarms go. Nothing of it is in the database, and none of it is an account that helpdesks send by."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, Field, SecretStr

from services.console.status_configuration import StatusConfiguration
from shared.errors import Misconfigured

_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_PORTS: Final = {"smtp": 587, "smtps": 465}


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where alarms are handed over as mail: by STARTTLS, or with TLS at once; on this machine also without."""

    host: str
    port: int
    tls_at_once: bool
    user: str | None
    password: SecretStr | None
    sender: str
    ca_file: str | None

    @property
    def is_here(self) -> bool:
        """Whether it is on this machine."""
        return self.host in _LOOPBACK


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where alarms are posted, and what signs them."""

    url: str
    secret: SecretStr
    ca_file: str | None


def _mail_server(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname or parts.password:
        raise ValueError("smtp://USER@HOST:PORT (STARTTLS) or smtps://USER@HOST:PORT, without a password")
    return url


def _webhook(url: str) -> str:
    parts = urlsplit(url)
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)):
        raise ValueError("https://HOST/PATH; http only on this machine")
    return url


class AlarmConfiguration(StatusConfiguration):
    """What the watch is told besides where the servers are."""

    alarm_smtp_url: Annotated[str, AfterValidator(_mail_server)] | None = Field(
        default=None,
        description="smtp://USER@HOST:PORT (STARTTLS) or smtps://USER@HOST:PORT of a mail server for alarms alone; the "
        "password is the secret alarm_smtp_password",
    )
    alarm_smtp_ca_file: Path | None = Field(default=None, description="a PEM file that vouches for that mail server")
    alarm_from: str = Field(default="", description="the address that alarms come from")
    alarm_to: str = Field(default="", description="addresses of operators, who are told of everything, with commas")
    alarm_webhook_url: Annotated[str, AfterValidator(_webhook)] | None = Field(
        default=None,
        description="https://HOST/PATH that gets each alarm as JSON, signed with the secret alarm_webhook_secret",
    )
    alarm_webhook_ca_file: Path | None = Field(default=None, description="a PEM file that vouches for that host")
    language: Literal["en", "nl"] = Field(default="nl", description="en or nl: what alarms and digests are written in")
    digest_hour: int = Field(default=7, ge=0, le=23, description="the hour of a helpdesk's day after which it is told")
    watch_seconds: float = Field(default=30, ge=0.1, le=300, description="seconds between two looks, at most 300")
    alarm_after_seconds: float = Field(
        default=180,
        ge=0,
        le=600,
        description="seconds that something lasts, or is gone, before it is told; at most 600",
    )
    health_host: str = Field(default="127.0.0.1", description="the address on which /health and /metrics listen")
    health_port: int = Field(default=0, ge=0, le=65535, description="a port, or 0 for a free one (it is logged)")

    @property
    def operators(self) -> tuple[str, ...]:
        """Who is told of everything."""
        return tuple(filter(None, (address.strip() for address in self.alarm_to.split(","))))

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels that are set up: `mail`, `webhook`. Misconfigured when one is half set up."""
        if self.alarm_smtp_url is not None and not self.alarm_from:
            raise Misconfigured("IMPORTER_ALARM_FROM is not set. Set it to: the address that alarms come from.")
        mail = ("mail",) if self.alarm_smtp_url is not None else ()
        return (*mail, *(("webhook",) if self.alarm_webhook_url is not None else ()))

    def mail_server(self) -> MailServer:
        """The mail server, with its password. Misconfigured when its secret is missing."""
        parts = urlsplit(self.alarm_smtp_url or "")
        user = unquote(parts.username) if parts.username else None
        return MailServer(
            host=parts.hostname or "",
            port=parts.port or _PORTS[parts.scheme],
            tls_at_once=parts.scheme == "smtps",
            user=user,
            password=self.secret("alarm_smtp_password") if user is not None else None,
            sender=self.alarm_from,
            ca_file=None if self.alarm_smtp_ca_file is None else str(self.alarm_smtp_ca_file),
        )

    def webhook(self) -> Webhook:
        """The webhook with its secret. Misconfigured when that is missing."""
        ca_file = None if self.alarm_webhook_ca_file is None else str(self.alarm_webhook_ca_file)
        return Webhook(self.alarm_webhook_url or "", self.secret("alarm_webhook_secret"), ca_file)
