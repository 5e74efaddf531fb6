"""`make lock`: the exact dependencies, with their hashes, from what pyproject.toml allows."""

import sys
import tomllib
from pathlib import Path

from deploy.local.checkout import Checkout
from deploy.local.console import say, step
from deploy.local.failure import SetUpFailed
from deploy.local.packages import Packages
from deploy.local.tools import plain_environment, run
from deploy.local.virtualenv import find_pip

_RUNTIME = "deploy/requirements.lock"
_DEVELOPMENT = "deploy/requirements-dev.lock"
_BUILD = "deploy/requirements-build.lock"
_FUZZ = "deploy/requirements-fuzz.lock"


def write_locks(checkout: Checkout, *, upgrade: bool) -> None:
    """Lock what the services need, what development adds to it, what builds the wheel, and the fuzzer.

    Versions that are locked already stay, unless `upgrade`. The locks hold for every system and for Python from 3.11.
    """
    project = tomllib.loads((checkout.root / "pyproject.toml").read_text(encoding="utf-8"))
    build = "\n".join(project["build-system"]["requires"])
    uv = _bring_uv(checkout)
    for lock, sources, given in (
        (_RUNTIME, ("pyproject.toml",), None),
        (_DEVELOPMENT, ("pyproject.toml", "--group", "dev", "--constraint", _RUNTIME), None),
        (_BUILD, ("-", "--constraint", _DEVELOPMENT), build),
        (_FUZZ, ("-",), "\n".join(project["dependency-groups"]["fuzz"])),
    ):
        options = ("--universal", "--python-version", "3.11", "--generate-hashes", "--no-emit-index-url")
        quiet = ("--no-annotate", "--no-header", "--quiet", *(("--upgrade",) if upgrade else ()))
        with step(lock):
            locked = run(
                [str(uv), "pip", "compile", *options, *quiet, *sources, "--output-file", lock],
                environment=plain_environment(),
                folder=checkout.root,
                given=given,
            )
            if locked.code != 0:
                raise SetUpFailed(f"The dependencies cannot be locked, uv says:\n{locked.output.strip()}")
    say("Locked. The next `make` command installs it.")


def _bring_uv(checkout: Checkout) -> Path:
    # in an environment of its own: nothing else needs it, and every set-up would have to download it
    folder = checkout.run / "uv"
    if not (folder / "bin/uv").exists():
        with step("installed uv"):
            wheel = find_pip(Packages(checkout.packages))
            made = run([sys.executable, "-m", "venv", "--without-pip", str(folder)])
            if made.code == 0:
                made = run(
                    [str(folder / "bin/python"), "-m", "pip", "install", "--quiet", "uv"],
                    environment=plain_environment(PYTHONPATH=str(wheel)),
                )
            if made.code != 0:
                raise SetUpFailed(f"uv cannot be installed: {made.errors()}")
    return folder / "bin/uv"
