"""What every command needs first: servers unpacked, dependencies installed; both at once, each only once."""

import shutil
import sys
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

from deploy.local.account import ordinary_account
from deploy.local.beside import beside
from deploy.local.checkout import Checkout, exclusive
from deploy.local.console import say
from deploy.local.failure import SetUpFailed
from deploy.local.packages import DOVECOT, PROMETHEUS, SERVERS, Packages
from deploy.local.run_folder import make_run_folder
from deploy.local.virtualenv import VirtualEnvironment, find_pip

_FIRST_TIME_BYTES = 1_000_000_000


class SetUp:
    """A set-up in progress. Servers and dependencies arrive side by side; ask for each when it is needed."""

    def __init__(self, packages: Packages, environment: "Future[None] | None") -> None:
        self._packages = packages
        self._environment = environment

    def servers(self) -> None:
        """Return once the servers are unpacked."""
        self._packages.bring(SERVERS)

    def imap_server(self) -> None:
        """Return once Dovecot is unpacked."""
        self._packages.bring(DOVECOT)

    def prometheus(self) -> None:
        """Return once Prometheus and its Alertmanager are unpacked, with which the tests try the alert rules."""
        self._packages.bring(PROMETHEUS)

    def dependencies(self) -> None:
        """Return once the virtual environment is complete."""
        if self._environment is not None:
            self._environment.result()


@contextmanager
def set_up(checkout: Checkout, command: str) -> Iterator[SetUp]:
    """Begin the set-up, alone in this checkout; at the end of the block it is complete.

    Whatever goes wrong within, all that was started since is ended.
    """
    make_run_folder(checkout, ordinary_account())
    with exclusive(checkout.run, command), beside() as hands:
        packages = Packages(checkout.packages)
        environment = VirtualEnvironment(checkout)
        pending: Future[None] | None = None
        if not environment.is_current():
            if not checkout.venv.exists():
                say("First set-up of this checkout, most of it downloads (some 300 MB): each step says how far it is.")
            _refuse_full_disk(checkout.root)
            pip = find_pip(packages)  # here, since it may have to be unpacked as the servers are
            pending = hands.submit(environment.bring_up_to_date, pip)
        progress = SetUp(packages, pending)
        yield progress
        progress.dependencies()


def _refuse_full_disk(folder: Path) -> None:
    if shutil.disk_usage(folder).free < _FIRST_TIME_BYTES:
        raise SetUpFailed(f"The disk is nearly full ({folder}): the first set-up needs about 1 GB; make room first.")


def refuse_foreign_platform() -> None:
    """Raise SetUpFailed on a system whose processes we cannot look after."""
    if sys.platform != "linux":
        raise SetUpFailed("The private servers run on Linux (Debian, Ubuntu) only: add RUNTIME=docker to the command.")
