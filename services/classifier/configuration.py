"""What the classifier is told at its start, beside what every service is told."""

from __future__ import annotations

from pydantic import Field

from shared.configuration import ServiceConfiguration


class ClassifierConfiguration(ServiceConfiguration):
    """The limits of one mail's reading, and how many are read at once."""

    readers: int = Field(default=2, ge=1, le=64, description="how many processes read mails, 1 to 64: one a core")
    reading_seconds: float = Field(
        default=30, ge=1, le=600, description="seconds that reading one mail may take, 1 to 600"
    )
    reading_memory_mb: int = Field(
        default=1536, ge=512, le=65536, description="MiB of memory that reading one mail may take, 512 to 65536"
    )
