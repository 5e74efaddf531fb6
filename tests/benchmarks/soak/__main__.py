"""`python -m tests.benchmarks.soak [MAILBOXES [POLLS]]`: whether a fetcher grows over an hour's worth of polls.

`make soak` starts it, on servers of its own. MAILBOXES is 500 if not given, POLLS (of each mailbox) 120: an hour of the
usual interval, made quick by a short one.

Reads     TEST_POSTGRES_URL, TEST_RABBITMQ_URL, TEST_RABBITMQ_MANAGEMENT_URL, as `tests.benchmarks.many_mailboxes` does
Writes    docs/benchmarks/: soak.md, soak.svg and soak.json
Exit      0 memory, threads, files and sockets are flat; 1 one of them grows, or something did not work; 130 interrupted
"""

from __future__ import annotations

import asyncio
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.console import Console

from deploy.local.failure import SetUpFailed
from deploy.testing.servers import servers_for_tests
from shared.errors import ImporterError
from tests.benchmarks.soak import report
from tests.benchmarks.soak.run import Amount, run

FOLDER: Final = Path(__file__).parents[3] / ".run" / "soak"
SAMPLES: Final = 24
DEFAULTS: Final = ("500", "120")
EXIT_INTERRUPTED: Final = 130


def main() -> int:
    """The exit code, as the manual above says."""
    console = Console(width=None if sys.stdout.isatty() else 160)
    mailboxes, polls = (int(given) for given in [*sys.argv[1:], *DEFAULTS[len(sys.argv) - 1 :]])
    amount = Amount(mailboxes, polls, SAMPLES)
    shutil.rmtree(FOLDER, ignore_errors=True)
    try:
        with servers_for_tests() as servers:
            samples = asyncio.run(run(servers, FOLDER, amount, console))
    except (ImporterError, SetUpFailed, TimeoutError) as error:
        console.print(f"{error}: see {FOLDER / 'fetcher.log'}", highlight=False)
        return 1
    except KeyboardInterrupt:
        console.print("Interrupted: everything is stopped.")
        return EXIT_INTERRUPTED
    grown = report.write(amount, samples, f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC")
    for each in grown:
        console.print(f"{each.name}: {each.grown:+.1f} ({'flat' if each.is_flat else 'grows'})", highlight=False)
    return 0 if all(each.is_flat for each in grown) else 1


if __name__ == "__main__":
    sys.exit(main())
