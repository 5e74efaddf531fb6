"""How long we wait for Microsoft."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: to connect, between two pieces of an answer, for a whole answer, and for a whole download."""

    connect: float = 15
    silence: float = 30
    answer: float = 60
    download: float = 300
