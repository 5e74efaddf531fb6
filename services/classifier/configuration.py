"""What the classifier is told at its start, beside what every service is told."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from services.classifier.rules.number_pattern import checked
from shared.configuration import ServiceConfiguration


def _clamd_url(url: str | None) -> str | None:
    if not url:
        return None
    address = urlsplit(url)
    is_tcp = address.scheme == "tcp" and bool(address.hostname) and address.port is not None
    if not is_tcp and not (address.scheme == "unix" and address.path.startswith("/") and not address.netloc):
        raise ValueError("the address of clamd is tcp://host:port or unix:///path/to/clamd.ctl")
    return url


class ClassifierConfiguration(ServiceConfiguration):
    """What a ticket number looks like, the limits of one mail's reading, and how many are read at once."""

    ticket_number_pattern: Annotated[str, AfterValidator(checked)] = Field(
        default="[1-9][0-9]{6,9}",
        max_length=200,
        description="a regular expression (RE2, as the database reads it too) for the ticket numbers in subjects, "
        "one per installation",
    )
    clamd_url: Annotated[str | None, AfterValidator(_clamd_url)] = Field(
        default=None,
        max_length=500,
        description="the virus scanner that looks at images before they are stored: tcp://host:port or unix:///path",
    )
    readers: int = Field(default=2, ge=1, le=64, description="how many processes read mails, 1 to 64: one a core")
    reading_seconds: float = Field(
        default=30, ge=1, le=600, description="seconds of processor time for a mail that is read alone, 1 to 600"
    )
    reading_memory_mb: int = Field(
        default=1536, ge=512, le=65536, description="MiB of memory that reading one mail may take, 512 to 65536"
    )
