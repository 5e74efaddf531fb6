"""The virtual environment `.venv`: the locked dependencies, hashes checked, and this checkout itself, editable.

No pip is installed in it. Bare Debian's Python has none to install; the pip that ensurepip carries, or else the one
of the package python3-pip-whl, runs from its wheel.
"""

import hashlib
import importlib.util
import json
import shutil
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

from deploy.local.checkout import Checkout
from deploy.local.console import Step, step
from deploy.local.failure import SetUpFailed
from deploy.local.packages import PIP, Packages
from deploy.local.tools import Ended, plain_environment, run

_LOCKS = ("deploy/requirements-dev.lock", "deploy/requirements-build.lock")


def bundled_pip() -> Path | None:
    """The pip that comes with this Python, when ensurepip is there (on Debian that is the package python3-venv)."""
    ensurepip = importlib.util.find_spec("ensurepip")
    if ensurepip is None or ensurepip.origin is None:
        return None
    return next((Path(ensurepip.origin).parent / "_bundled").glob("pip-*.whl"), None)


def find_pip(packages: Packages) -> Path:
    """A wheel of pip; python3-pip-whl is downloaded and unpacked when this Python has none."""
    if wheel := bundled_pip():
        return wheel
    packages.bring(PIP)
    return packages.one("usr/share/python-wheels/pip-*.whl")


class VirtualEnvironment:
    """`.venv` of a checkout: made anew when locks or Python change, brought up to date when the project does."""

    def __init__(self, checkout: Checkout) -> None:
        self._checkout = checkout
        self._stamp = checkout.venv / "made-by-make.json"

    def is_current(self) -> bool:
        """Whether everything is installed as the locks and the project's description say."""
        return self._installed() == {**self._dependencies(), **self._project()}

    def bring_up_to_date(self, pip: Path) -> None:
        """Install what is missing with this wheel of pip; raises SetUpFailed with what pip says."""
        if not self._dependencies().items() <= self._installed().items():
            with step("installed the locked dependencies into .venv") as taken:
                self._make(pip, taken)
        self._pip(pip, "--no-deps", "--no-build-isolation", "--no-index", "--editable", str(self._checkout.root))
        self._write({**self._dependencies(), **self._project()})

    def _make(self, pip: Path, taken: Step) -> None:
        self.remove()
        self._checkout.venv.mkdir()
        self._write({})  # ours, but of no use yet: an interrupted installation is made anew
        made = run([sys.executable, "-m", "venv", "--without-pip", str(self._checkout.venv)])
        if made.code != 0:
            raise SetUpFailed(f"The virtual environment cannot be made: {made.errors()}")
        locked = sum(self._path(lock).read_text(encoding="utf-8").count("==") for lock in _LOCKS)
        seen = 0

        def heard(line: str) -> None:
            nonlocal seen
            if line.startswith("Collecting "):
                seen += 1
                taken.so_far(f"package {seen} of {locked} is being downloaded")
            elif line.startswith("Installing "):
                taken.so_far(f"{locked} packages are being installed")

        locks = (part for lock in _LOCKS for part in ("-r", str(self._path(lock))))
        self._pip(pip, "--require-hashes", *locks, heard=heard)
        self._write(self._dependencies())

    def remove(self) -> None:
        """Remove it, if it is there; raises SetUpFailed when it was not made by us."""
        venv = self._checkout.venv
        if (venv.exists() or venv.is_symlink()) and not self._stamp.exists():
            raise SetUpFailed(f"{venv} was not made by `make`: move it away (`make` brings its own) and try again.")
        if venv.exists():
            for path in venv.iterdir():
                if path == self._stamp:  # the last to go: while anything is left, it is known as ours
                    continue
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                else:
                    path.unlink()
            self._stamp.unlink()
            venv.rmdir()

    def _pip(self, wheel: Path, *arguments: str, heard: Callable[[str], None] | None = None) -> None:
        environment = plain_environment(PYTHONPATH=str(wheel), PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_NO_INPUT="1")
        for unwanted in ("PIP_TARGET", "PIP_PREFIX", "PIP_USER", "PIP_REQUIRE_VIRTUALENV", "VIRTUAL_ENV"):
            environment.pop(unwanted, None)
        installed = run(
            # bytecode is written when a module is first imported: compiling all would double the time
            [str(self._checkout.python), "-m", "pip", "install", "--progress-bar", "off", "--no-compile", *arguments],
            environment=environment,
            folder=self._checkout.root,
            heard=heard,
        )
        installed.refuse_full_disk()
        if installed.code != 0:
            raise SetUpFailed(
                f"The dependencies could not be installed: is this machine connected? pip says: {_blame(installed)}"
            )

    def _installed(self) -> dict[str, str]:
        try:
            stamp: dict[str, str] = json.loads(self._stamp.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError, ValueError):
            return {}
        return stamp

    def _write(self, stamp: dict[str, str]) -> None:
        self._stamp.write_text(json.dumps(stamp), encoding="utf-8")

    def _dependencies(self) -> dict[str, str]:
        digest = hashlib.sha256()
        for lock in _LOCKS:
            digest.update(self._path(lock).read_bytes())
        return {"python": sys.version, "root": str(self._checkout.root), "locks": digest.hexdigest()}

    def _project(self) -> dict[str, str]:
        # only what an editable installation is made of: the settings of linters are in the same file
        described = tomllib.loads(self._path("pyproject.toml").read_text(encoding="utf-8"))
        relevant = [described.get("project"), described.get("build-system"), described.get("tool", {}).get("hatch")]
        return {"project": hashlib.sha256(json.dumps(relevant, sort_keys=True).encode()).hexdigest()}

    def _path(self, name: str) -> Path:
        return self._checkout.root / name


def _blame(installed: Ended) -> str:
    # behind "Could not find a version" pip hides what it warned of first: that it reached no index
    for line in installed.output.splitlines():
        if "NewConnectionError" in line or "ConnectTimeoutError" in line:
            return line.strip()
    return installed.errors()
