"""`python -m tests.benchmarks.pages [TICKETS]`: the web console's pages at a million tickets.

`make bench PAGES=1` starts it, on durable servers of its own.

Reads     TEST_POSTGRES_URL, TEST_RABBITMQ_URL, TEST_RABBITMQ_MANAGEMENT_URL: servers, as their administrator; without
          them private ones are started, which are not durable (`deploy.testing.servers`)
Writes    docs/benchmarks/: pages.md and pages.json
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
from tests.benchmarks.pages import report
from tests.benchmarks.pages.measure import measure

FOLDER: Final = Path(__file__).parents[3] / ".run" / "benchmark-pages"
TICKETS: Final = 1_000_000
ROUNDS: Final = 20
EXIT_INTERRUPTED: Final = 130


def main() -> int:
    """The exit code, as the manual above says."""
    console = Console(highlight=False)
    tickets = int(sys.argv[1]) if len(sys.argv) > 1 else TICKETS
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    console.print(f"A database of {tickets:,} tickets is made.")
    try:
        with servers_for_tests() as servers:
            measured = asyncio.run(measure(servers, FOLDER, tickets, ROUNDS, console.print))
    except (ImporterError, SetUpFailed) as error:
        console.print(str(error))
        return 1
    except KeyboardInterrupt:
        console.print("Interrupted: everything is stopped.")
        return EXIT_INTERRUPTED
    report.write(measured)
    console.print(f"Written to {report.FOLDER}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
