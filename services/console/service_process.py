"""What a person asks of a service, which alone knows mailboxes or accounts: a process of it, with its own login."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any, Final

from shared.errors import ImporterError, Misconfigured

LONGEST_SECONDS: Final = 120


class Unusable(ImporterError):
    """The mailbox or account cannot be used; the text says why and what to do."""


def ask(service: str, *arguments: str) -> dict[str, Any]:
    """The answer of `python -m services.SERVICE ARGUMENTS` (`shared.asking`).

    Raises Misconfigured or Unusable with what it says on standard error.
    """
    try:
        done = subprocess.run(  # noqa: S603 - our own program, with words and numbers of ours
            [sys.executable, "-m", f"services.{service}", *arguments],
            env={**os.environ, "PYTHONSAFEPATH": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LONGEST_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Unusable(
            f"There was no answer within {LONGEST_SECONDS} seconds: check the server's name and the network."
        ) from None
    if done.stdout:
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer
    raise (Misconfigured if done.returncode == os.EX_CONFIG else Unusable)(done.stderr.strip())
