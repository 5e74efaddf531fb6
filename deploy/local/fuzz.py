"""`make fuzz`: a fuzzer beside the virtual environment, since it has no wheels for every Python that we run on."""

from pathlib import Path

from deploy.local.checkout import Checkout
from deploy.local.console import step
from deploy.local.failure import CannotBeDoneThisWay
from deploy.local.packages import Packages
from deploy.local.tools import plain_environment, run
from deploy.local.virtualenv import find_pip

LOCK = "deploy/requirements-fuzz.lock"


def bring_fuzzer(checkout: Checkout) -> Path:
    """The folder with atheris, installed by its lock; raises CannotBeDoneThisWay where no wheel of it fits."""
    locked = (checkout.root / LOCK).read_text(encoding="utf-8")
    folder, stamp = checkout.run / "fuzzer", checkout.run / "fuzzer" / "made-by-make.lock"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == locked:
        return folder
    with step("installed the fuzzer"):
        installed = run(
            [
                str(checkout.python), "-m", "pip", "install", "--quiet", "--require-hashes", "--only-binary", ":all:",
                "--upgrade", "--target", str(folder), "-r", LOCK,
            ],
            environment=plain_environment(PYTHONPATH=str(find_pip(Packages(checkout.packages)))),
            folder=checkout.root,
        )  # fmt: skip
        installed.refuse_full_disk()
        if installed.code != 0:
            raise CannotBeDoneThisWay(
                f"The fuzzer cannot be installed for this Python: atheris has wheels for some versions on Linux only "
                f"(`PYTHON=python3.11 make fuzz` is one that has). pip says: {installed.errors()}"
            )
        stamp.write_text(locked, encoding="utf-8")
    return folder
