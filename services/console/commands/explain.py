"""`helpdesk-importer explain`: passed on to a process of the classifier, which alone reads mail."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Final, NoReturn

import typer


def explain(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="mails (RFC 5322); - is standard input")],
    *,
    context: Annotated[Path | None, typer.Option(metavar="FILE", help="YAML that tells what a database would")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Answer with one JSON object a line, for programs.")] = False,
) -> NoReturn:
    """Tell what mails in files become and why, without any server.

    Answers with the outcome, each reason with its remedy, and all that was found in the mail.

    Needs no database and no configuration either. A context may name marker, numbers, number_pattern, contacts and
    employees (lists of name, address), mailbox and trusted_authserv; all are optional.

    Exit codes: 0 all were explained, 1 a file cannot be read or the context is wrong (a sentence says why).
    """
    program = [sys.executable, "-m", "services.classifier", "explain"]
    options = (["--json"] if as_json else []) + ([] if context is None else ["--context", str(context)])
    sys.stdout.flush()
    os.environ["PYTHONSAFEPATH"] = "1"
    os.execv(sys.executable, [*program, *options, "--", *files])  # noqa: S606 - our own program, in our place


COMMANDS: Final = {"explain": explain}
