"""Where Maildirs may lie: beneath the folder that the operator names, whatever settings and links say."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import Field

from services.fetcher.mailboxes.protocol import MailboxMissing
from shared.configuration import Configuration


class MaildirConfiguration(Configuration):
    """What the operator allows."""

    maildir_root: Path | None = Field(
        default=None,
        description="the folder beneath which all Maildirs lie, an absolute path; without it they may lie anywhere",
    )


def confine(directory: Path, within: Path) -> None:
    """Raise MailboxMissing when the directory, all links followed, lies outside of `within`; it need not be there."""
    real, bounds = (Path(os.path.realpath(path)) for path in (directory, within))
    if real != bounds and bounds not in real.parents:
        raise MailboxMissing(
            f"«{_shown(directory)}» ligt buiten «{_shown(within)}», waarbinnen de importer moet blijven: kies een "
            "Maildir daarbinnen, of laat de beheerder links verwijderen of IMPORTER_MAILDIR_ROOT wijzigen."
        )


def _shown(path: Path) -> str:
    return os.fsencode(path).decode("utf-8", "backslashreplace")
