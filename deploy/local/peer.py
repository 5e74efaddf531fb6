"""`make bench`: the peer that it measures beside us, in an environment of its own beside `.venv`."""

import shutil
import sys
from pathlib import Path

from deploy.local.checkout import Checkout, exclusive
from deploy.local.console import step
from deploy.local.failure import SetUpFailed
from deploy.local.packages import Packages
from deploy.local.tools import plain_environment, run
from deploy.local.virtualenv import find_pip

LOCK = "deploy/requirements-peer.lock"


def bring_peer(checkout: Checkout) -> Path:
    """The Python that has django-helpdesk, installed by its lock; raises SetUpFailed with what pip says."""
    locked = f"{sys.version}\n{(checkout.root / LOCK).read_text(encoding='utf-8')}"
    folder = checkout.run.resolve() / "peer"
    python, stamp = folder / "bin/python", folder / "made-by-make.lock"
    with exclusive(folder, "bench"):
        if not stamp.exists() or stamp.read_text(encoding="utf-8") != locked:
            with step("installed django-helpdesk, to measure beside"):
                _make(checkout, folder, python)
            stamp.write_text(locked, encoding="utf-8")
    return python


def _make(checkout: Checkout, folder: Path, python: Path) -> None:
    for part in ("bin", "include", "lib"):
        shutil.rmtree(folder / part, ignore_errors=True)
    made = run([sys.executable, "-m", "venv", "--without-pip", str(folder)])
    if made.code == 0:
        made = run(
            [str(python), "-m", "pip", "install", "--quiet", "--no-compile", "--require-hashes", "-r", LOCK],
            environment=plain_environment(PYTHONPATH=str(find_pip(Packages(checkout.packages)))),
            folder=checkout.root,
        )
    made.refuse_full_disk()
    if made.code != 0:
        raise SetUpFailed(f"django-helpdesk cannot be installed: is this machine connected? pip says: {made.errors()}")
