"""`helpdesk-importer explain`: a process of the classifier reads the mails, one of ticket_writer decides on them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from services.console.texts import texts


def explain(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="mails (RFC 5322); - is standard input")],
    *,
    context: Annotated[Path | None, typer.Option(metavar="FILE", help="YAML that says what a database would")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Answer with one JSON object a line, for programs.")] = False,
) -> None:
    """Tell what mails in files become and why, without any server.

    Answers with the outcome, each reason with its remedy, and what the mail says.

    Needs no database and no configuration either. A context may name marker, numbers, number_pattern, contacts and
    employees (lists of name, address), mailbox, trusted_authserv and fed_by_rule; all are optional.

    Exit codes: 0 all were explained, 1 a file cannot be read or the context is wrong (a sentence says why).
    """
    language = ["--language", texts().language]
    read = [
        "services.classifier",
        "facts",
        *language,
        *([] if context is None else ["--context", str(context)]),
        "--",
        *files,
    ]
    decide = ["services.ticket_writer", "explain", *language, *(["--json"] if as_json else [])]
    sys.stdout.flush()
    environment = {**os.environ, "PYTHONSAFEPATH": "1"}
    with (
        subprocess.Popen(  # noqa: S603 - our own program
            _process(read), env=environment, stdout=subprocess.PIPE
        ) as reading,
        subprocess.Popen(  # noqa: S603 - our own program
            _process(decide), env=environment, stdin=reading.stdout
        ) as deciding,
    ):
        if reading.stdout is not None:
            reading.stdout.close()  # only the decider holds it now: when it ends, the reader learns of it
    raise typer.Exit(reading.returncode or deciding.returncode)


def _process(arguments: list[str]) -> list[str]:
    return [sys.executable, "-m", *arguments]


COMMANDS: Final = {"explain": explain}
