"""How much is measured: the forms of the benchmark."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Form:
    """One form; counts are mails unless their name says otherwise."""

    name: str
    rounds: int
    """How often each contender takes its turn."""
    round_mails: int
    warm_up: int
    latency_seconds: float
    """How long mails come at each pace."""
    starts: int
    """How often the services are started to see what that costs; the first of several is not counted."""
    growth: tuple[int, ...]
    """Numbers of tickets, and of contacts."""
    backlog: int
    replicas: tuple[int, ...]
    idle_seconds: float
    """After which services that have nothing to do are idle, and for how long it is seen what else the machine does."""
    reading_and_mailboxes: bool
    """Whether `tests.benchmarks.classifier` and `tests.benchmarks.mailboxes` are part of it."""


FORMS: Final[Mapping[str, Form]] = {
    form.name: form
    for form in (
        Form("shortest", 1, 6, 4, 1.0, 1, (2_000,), 8, (2,), 0.2, reading_and_mailboxes=False),
        Form("quick", 3, 150, 40, 8.0, 3, (1_000, 10**5), 500, (1, 2), 3.0, reading_and_mailboxes=False),
        Form("usual", 5, 200, 60, 12.0, 4, (1_000, 10**6), 5_000, (1, 2, 4), 3.0, reading_and_mailboxes=True),
        Form("full", 5, 600, 60, 30.0, 4, (1_000, 10**6, 10**7), 50_000, (1, 2, 4), 3.0, reading_and_mailboxes=True),
    )
}
"""The shortest is a test's, and its figures mean nothing; the usual one takes about ten minutes on a quiet machine."""
PACES: Final = (5.0, 20.0)
"""Mails a second at which latency is measured, besides half of what was reached."""
