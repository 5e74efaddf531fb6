"""What a person asks of the fetcher, which alone knows mailboxes: a process of it, with its own login (DESIGN 14)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any, Final

from shared.errors import ImporterError, Misconfigured

LONGEST_SECONDS: Final = 120


class MailboxUnusable(ImporterError):
    """The mailbox cannot be used; the text says why and what to do."""


def ask_fetcher(*arguments: str) -> dict[str, Any]:
    """The answer of `python -m services.fetcher ARGUMENTS`.

    Raises Misconfigured or MailboxUnusable with what it says on standard error.
    """
    try:
        done = subprocess.run(  # noqa: S603 - our own program, with words and numbers of ours
            [sys.executable, "-m", "services.fetcher", *arguments],
            env={**os.environ, "PYTHONSAFEPATH": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LONGEST_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise MailboxUnusable(
            f"The mailbox did not answer within {LONGEST_SECONDS} seconds: check the server's name and the network."
        ) from None
    if done.stdout:
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer
    raise (Misconfigured if done.returncode == os.EX_CONFIG else MailboxUnusable)(done.stderr.strip())
