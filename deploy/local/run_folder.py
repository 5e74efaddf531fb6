"""The folder `.run`: made where the servers can reach it.

Root's own checkout often lies where nobody else may look (`/root`), yet PostgreSQL, which refuses to run as root, must
reach its programs and its data. `.run` is then a link to a folder under /var/lib; `make clean` removes both.
"""

import hashlib
import shutil
from pathlib import Path

from deploy.local.account import Account
from deploy.local.checkout import Checkout
from deploy.local.console import say
from deploy.local.failure import SetUpFailed

_ELSEWHERE = Path("/var/lib/helpdesk-importer")


def make_run_folder(checkout: Checkout, account: Account, elsewhere: Path = _ELSEWHERE) -> None:
    """Make `.run`, or its link, if it is not there; raises SetUpFailed when no place can be reached by `account`."""
    run = checkout.run
    run.mkdir(exist_ok=True) if not run.is_symlink() else run.resolve().mkdir(parents=True, exist_ok=True)
    # to itself an ordinary user's own folder is always open; root's must let PostgreSQL's account pass through
    run.chmod(0o755 if account.switch else 0o700)
    if account.reaches(run.resolve()):
        return
    if run.is_symlink():
        raise SetUpFailed(
            f"{run} leads to {run.resolve()}, which PostgreSQL's user cannot reach: open it to all users."
        )
    if any(run.iterdir()):
        raise SetUpFailed(
            f"PostgreSQL refuses to run as root, and its user cannot reach {run}: `make clean` and try again, "
            "clone the project outside a private home, or run this as an ordinary user."
        )
    refuge = elsewhere / hashlib.sha256(str(checkout.root).encode()).hexdigest()[:12]
    refuge.mkdir(parents=True, exist_ok=True)
    refuge.chmod(0o755)
    if not account.reaches(refuge):
        raise SetUpFailed(
            f"PostgreSQL refuses to run as root, and its user can reach neither {run} nor {refuge}: "
            "clone the project outside a private home, or run this as an ordinary user."
        )
    run.rmdir()
    run.symlink_to(refuge, target_is_directory=True)
    say(f"PostgreSQL does not run as root and its user cannot reach {checkout.root}: servers and data are in {refuge}.")


def remove_run_folder(checkout: Checkout) -> None:
    """Remove `.run` and, when it is a link, what it leads to."""
    target = checkout.run.resolve()
    if checkout.run.is_symlink():
        checkout.run.unlink()
    if target.is_dir():
        shutil.rmtree(target)
