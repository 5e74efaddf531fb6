"""`python -m tests.benchmarks [shortest|quick|usual|full]`: the judge. `make bench` starts it, on durable servers.

Reads     TEST_POSTGRES_URL, TEST_RABBITMQ_URL, TEST_RABBITMQ_MANAGEMENT_URL: servers, as their administrator; without
          them private ones are started, which are not durable (`deploy.testing.servers`)
          .run/peer, where `make bench` or `make setup` put django-helpdesk
Measures  the importer, django-helpdesk and two ceilings in turns; then latency, starts, memory, what the database is
          asked, replicas, growth, a backlog: `run`, in the amounts of `forms`. The page that it writes tells what each
          figure means
Writes    docs/benchmarks/ (page, plots, results.json) and the three lines of the README; .run/benchmark.json, with
          every figure of every round
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
from tests.benchmarks import report
from tests.benchmarks.contender import NotDone
from tests.benchmarks.forms import FORMS
from tests.benchmarks.measured import to_json
from tests.benchmarks.readme import three_lines
from tests.benchmarks.results import results_of
from tests.benchmarks.run import run

FOLDER: Final = Path(__file__).parents[2] / ".run" / "benchmark"
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
    except TimeoutError:
        console.print(f"Mail was still waiting at the deadline: see the logs in {FOLDER}.")
        return 1
    except (ImporterError, SetUpFailed, NotDone) as error:
        console.print(str(error), highlight=False)
        return 1
    except KeyboardInterrupt:
        console.print("Interrupted: everything is stopped.")
        return EXIT_INTERRUPTED
    report.EVERYTHING.write_bytes(to_json(measured))
    report.write(measured)
    console.print(f"\n{three_lines(results_of(measured))}\nWritten to {report.FOLDER}.", highlight=False, markup=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
