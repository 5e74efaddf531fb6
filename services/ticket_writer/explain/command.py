"""Decides what mails become whose facts the classifier found in files, and says why.

    python -m services.classifier facts FILE… | python -m services.ticket_writer explain [--json] [--language nl]

Reads    standard input: a `shared.explaining.MailInFile` a line
Decides  by the rules of the pipeline itself; the mails are taken in one after the other
Writes   to standard output: sentences in English or Dutch, or with --json one object a line
Exit     0 all that came was explained, 1 nobody reads the answers any more, 2 the command was typed wrongly
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from rich.console import Console

from services.ticket_writer.explain.deciding import Decider
from services.ticket_writer.explain.output import LANGUAGES, as_json, show
from shared.explaining import MailInFile


def main(arguments: Sequence[str]) -> int:
    """Run the command; its exit code."""
    parser = argparse.ArgumentParser(
        prog="services.ticket_writer explain", description="Decide what mails become, on the classifier's facts."
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--language", choices=LANGUAGES, default=LANGUAGES[0], help="of the sentences")
    typed = parser.parse_args(arguments)
    decider, console = Decider(), Console()
    try:
        for line in sys.stdin.buffer:
            explained = decider.explain(MailInFile.model_validate_json(line))
            if typed.json:
                sys.stdout.write(as_json(explained) + "\n")
                sys.stdout.flush()
            else:
                show(explained, console, typed.language)
    except BrokenPipeError:
        # whoever read our answers has seen enough; Python would complain when it closes standard output
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0
