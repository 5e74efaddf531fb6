"""`make lock`: the exact dependencies of what pyproject.toml allows, with their hashes, and the bill of materials."""

import json
import sys
import tomllib
from pathlib import Path

from deploy.local.checkout import Checkout
from deploy.local.console import say, step
from deploy.local.failure import SetUpFailed
from deploy.local.packages import Packages
from deploy.local.sbom import tidied
from deploy.local.tools import plain_environment, run
from deploy.local.virtualenv import find_pip

_RUNTIME = "deploy/requirements.lock"
_DEVELOPMENT = "deploy/requirements-dev.lock"
_BUILD = "deploy/requirements-build.lock"
_FUZZ = "deploy/requirements-fuzz.lock"
_PEER = "deploy/requirements-peer.lock"
_SBOM = "deploy/sbom.cdx.json"
_TOOLS = ("uv", "cyclonedx-bom", "pip-audit")


def write_locks(checkout: Checkout, *, upgrade: bool) -> None:
    """Lock what the services need, what development adds, what builds the wheel, the fuzzer, the benchmark's peer.

    Versions that are locked already stay, unless `upgrade`. The locks hold for every system and for Python from 3.11.
    """
    project = tomllib.loads((checkout.root / "pyproject.toml").read_text(encoding="utf-8"))
    build = "\n".join(project["build-system"]["requires"])
    tools = bring_tools(checkout)
    uv = tools / "uv"
    for lock, sources, given in (
        (_RUNTIME, ("pyproject.toml",), None),
        (_DEVELOPMENT, ("pyproject.toml", "--group", "dev", "--constraint", _RUNTIME), None),
        (_BUILD, ("-", "--constraint", _DEVELOPMENT), build),
        (_FUZZ, ("-",), "\n".join(project["dependency-groups"]["fuzz"])),
        (_PEER, ("-",), "\n".join(project["dependency-groups"]["peer"])),
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
    with step(_SBOM):
        _write_sbom(checkout, tools)
    say("Locked. The next `make` command installs it.")


def _write_sbom(checkout: Checkout, tools: Path) -> None:
    """What the services consist of, in CycloneDX: the same for the same locks, wherever it is made."""
    raw = checkout.run / "sbom.json"
    made = run(
        [
            *(str(tools / "cyclonedx-py"), "requirements", _RUNTIME, "--pyproject", "pyproject.toml"),
            *("--output-reproducible", "--output-format", "JSON", "--spec-version", "1.6", "--output-file", str(raw)),
        ],
        environment=plain_environment(),
        folder=checkout.root,
    )
    if made.code != 0:
        raise SetUpFailed(f"The bill of materials cannot be made, cyclonedx-py says:\n{made.errors()}")
    content = json.dumps(tidied(json.loads(raw.read_text(encoding="utf-8"))), indent=1, ensure_ascii=False)
    (checkout.root / _SBOM).write_text(f"{content}\n", encoding="utf-8")
    raw.unlink()


def bring_tools(checkout: Checkout) -> Path:
    """Where uv, cyclonedx-py and pip-audit are, in an environment of their own: nothing else needs them."""
    folder = checkout.run / "tools"
    if not (folder / "bin/pip-audit").exists():
        with step(f"installed {', '.join(_TOOLS)}"):
            wheel = find_pip(Packages(checkout.packages))
            made = run([sys.executable, "-m", "venv", "--without-pip", str(folder)])
            if made.code == 0:
                made = run(
                    [str(folder / "bin/python"), "-m", "pip", "install", "--quiet", *_TOOLS],
                    environment=plain_environment(PYTHONPATH=str(wheel)),
                )
            if made.code != 0:
                raise SetUpFailed(f"{', '.join(_TOOLS)} cannot be installed: {made.errors()}")
    return folder / "bin"
