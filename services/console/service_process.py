"""What a person asks of a service, which alone knows mailboxes or accounts: a process of it, with its own login."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from typing import Any, Final

from shared import acting
from shared.errors import ImporterError, Misconfigured
from shared.sentences import Sentence

LONGEST_SECONDS: Final = 120


class Unusable(ImporterError):
    """The mailbox or account cannot be used; the text says why and what to do."""


async def ask(service: str, *arguments: str, within: float = LONGEST_SECONDS) -> dict[str, Any]:
    """The answer of `python -m services.SERVICE ARGUMENTS` (`shared.asking`), within so many seconds.

    Raises Misconfigured or Unusable with what it says on standard error.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", f"services.{service}", *arguments),
        env={**os.environ, "PYTHONSAFEPATH": "1", **acting.environment()},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(within):
            answered, complaint = await process.communicate()
    except TimeoutError:
        raise Unusable(
            Sentence(
                "There was no answer within %(seconds)s seconds: check the server's name and the network.",
                seconds=round(within),
            )
        ) from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if answered:
        answer: dict[str, Any] = json.loads(answered)
        return answer
    raise (Misconfigured if process.returncode == os.EX_CONFIG else Unusable)(complaint.decode().strip())
