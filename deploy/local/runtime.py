"""Where the importer runs for real: what `make up`, `make down` and `make status` mean on this machine."""

import os
from typing import Protocol

from deploy.local.checkout import Checkout
from deploy.local.failure import CannotBeDoneThisWay
from deploy.local.private_runtime import PrivateRuntime


class Runtime(Protocol):
    """A way to run the importer that goes on after the command, and keeps its data. Each returns an exit code."""

    def up(self) -> int:
        """Start what does not run yet; say where everything is."""

    def down(self) -> int:
        """Stop all of it; keep the data."""

    def status(self) -> int:
        """Say what runs, and where; 3 when not all of it does."""

    def remove(self) -> None:
        """Stop all of it and remove the data."""


def chosen_runtime() -> str:
    """The word in RUNTIME: `private` (the default) or `docker`."""
    name = os.environ.get("RUNTIME") or "private"
    if name not in {"private", "docker"}:
        raise CannotBeDoneThisWay(f"There is no RUNTIME={name}: it is `private` (or nothing) or `docker`.")
    return name


def runtime(checkout: Checkout) -> Runtime:
    """The way that RUNTIME asks for."""
    match chosen_runtime():
        case "private":
            return PrivateRuntime(checkout)
        case name:
            raise CannotBeDoneThisWay(f"This command does not know RUNTIME={name} yet: leave it out.")
