"""How much is measured: the forms of the bench with many mailboxes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Form:
    """One form; times are in seconds."""

    name: str
    mailboxes: int
    interval: int
    """Between two checks of a mailbox: the setting, whose default is 30."""
    quiet_seconds: float
    arrivals: int
    """Mails that come one by one."""
    pace: float
    """How many of them a second."""
    rush_mails: int
    """Mails for each mailbox, all at once."""
    rush_bytes: int
    dying: tuple[str, ...]
    """The servers that hang, one after the other."""
    death_seconds: float
    lease_seconds: int
    """How long a fetcher that died keeps its mailboxes: the setting, whose default is 15."""
    deadline: float
    """After which a mail counts as lost."""


FORMS: Final[Mapping[str, Form]] = {
    form.name: form
    for form in (
        Form("shortest", 10, 1, 1.0, 5, 5.0, 2, 20_000, ("imap-1",), 1.0, 5, 120.0),
        Form("usual", 500, 30, 60.0, 300, 5.0, 20, 20_000, ("imap-1", "ews", "graph"), 90.0, 15, 600.0),
    )
}
"""The shortest is a test's, and its figures mean nothing."""
