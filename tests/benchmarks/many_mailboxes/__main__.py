"""`python -m tests.benchmarks.many_mailboxes [shortest|usual]`: one fetcher with 500 mailboxes at five servers.

`make bench MAILBOXES=1` starts it, on durable servers of its own.

Reads     TEST_POSTGRES_URL, TEST_RABBITMQ_URL, TEST_RABBITMQ_MANAGEMENT_URL: servers, as their administrator; without
          them private ones are started, which are not durable (`deploy.testing.servers`)
Measures  requests a poll, mails a second, memory, the delay from arrival to `mail.raw`; the same while one server hangs
          and when it comes back; two fetchers, of which one is killed
Writes    docs/benchmarks/: mailboxes.md, its plots and mailboxes.json
Exit      0 measured (no figure is too bad to pass); 1 something did not work, and nothing was written; 130 interrupted
"""

from __future__ import annotations

import asyncio
import shutil
import sys
from pathlib import Path
from typing import Final

from rich.console import Console

from deploy.local.failure import SetUpFailed
from deploy.testing.servers import servers_for_tests
from shared.errors import ImporterError
from tests.benchmarks.many_mailboxes import report
from tests.benchmarks.many_mailboxes.forms import FORMS
from tests.benchmarks.many_mailboxes.run import run

FOLDER: Final = Path(__file__).parents[3] / ".run" / "benchmark-mailboxes"
"""Mailboxes, logs and secrets of the last run."""
EXIT_INTERRUPTED: Final = 130


def main() -> int:
    """The exit code, as the manual above says."""
    console = Console(width=None if sys.stdout.isatty() else 160)
    form = FORMS[sys.argv[1] if len(sys.argv) > 1 else "usual"]
    shutil.rmtree(FOLDER, ignore_errors=True)
    try:
        with servers_for_tests() as servers:
            measured = asyncio.run(run(servers, FOLDER, form, console))
    except TimeoutError as late:
        console.print(f"Not done at the deadline: see the logs in {FOLDER}. {late}")
        return 1
    except (ImporterError, SetUpFailed) as error:
        console.print(str(error), highlight=False)
        return 1
    except KeyboardInterrupt:
        console.print("Interrupted: everything is stopped.")
        return EXIT_INTERRUPTED
    report.write(measured)
    console.print(f"Written to {report.FOLDER}.", highlight=False, markup=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
