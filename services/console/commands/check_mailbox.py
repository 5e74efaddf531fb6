"""`helpdesk-importer check-mailbox`: tries a mailbox by a process of the fetcher, which alone knows mailboxes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Annotated, Any, Final

import typer

from services.console.output import Json, show_one
from services.console.repository import find
from services.console.resources import HELPDESKS
from services.console.session import answer_from_database
from shared.errors import ImporterError, Misconfigured

LONGEST_SECONDS: Final = 120


class MailboxUnusable(ImporterError):
    """The mailbox cannot be used; the text says why and what to do."""


def check_mailbox(
    helpdesk: Annotated[str, typer.Argument(help="the helpdesk's name or id")],
    *,
    again: Annotated[
        bool, typer.Option("--again", help="Try a login too that was refused, although that might lock the account.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Try a helpdesk's mailbox without changing anything in it.

    Logs in with the saved settings, whether the importer is on or off, counts the unread mails (the junk folder's
    too), and tells the kind, the login and the server that was found. A login that was refused is not tried while it
    rests. Runs as a process of the fetcher, with the secrets database_password_fetcher and encryption_keys.

    Exit codes: 0 the mailbox can be used, 1 it cannot (a sentence says why and what to do), 78 bad configuration.
    """
    helpdesk_id = answer_from_database(lambda connection: find(connection, HELPDESKS, helpdesk))
    answer = _ask(helpdesk_id, again=again)
    if answer["ok"] or as_json:
        show_one({"helpdesk": helpdesk, **answer}, as_json=as_json)
    if not answer["ok"]:
        raise MailboxUnusable(answer["problem"])


def _ask(helpdesk_id: int, *, again: bool) -> dict[str, Any]:
    """The fetcher's answer. Raises Misconfigured or MailboxUnusable with what it says on standard error."""
    try:
        done = subprocess.run(  # noqa: S603 - our own program, with a number of ours
            [sys.executable, "-m", "services.fetcher", "check", str(helpdesk_id), *(["again"] if again else [])],
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


COMMANDS: Final = {"check-mailbox": check_mailbox}
