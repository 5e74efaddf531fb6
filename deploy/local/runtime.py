"""Where servers and importer run: what the commands mean with RUNTIME=private (or nothing) and with RUNTIME=docker."""

import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from deploy.local.checkout import Checkout
from deploy.local.command_line import CommandLine
from deploy.local.docker_runtime import DockerRuntime
from deploy.local.dovecot import ImapEndpoint
from deploy.local.failure import CannotBeDoneThisWay, SetUpFailed
from deploy.local.private_runtime import PrivateRuntime

PRIVATE = "private"
DOCKER = "docker"


class Runtime(Protocol):
    """A way to run servers for the length of a command, and the importer for real, which goes on and keeps its data."""

    def refuse_impossible(self) -> None:
        """Raise SetUpFailed when this machine has not what it takes."""

    def bring(self) -> None:
        """Bring all that the other commands need."""

    def temporary_importer(self, name: str) -> AbstractContextManager[CommandLine]:
        """Empty servers with schema and topology for the length of a block; `name` is that of the command."""

    def imap_server(self, name: str) -> AbstractContextManager[ImapEndpoint]:
        """An empty IMAP server for the length of a block; raises CannotBeDoneThisWay where there is none."""

    def servers_for_tests(self, name: str) -> AbstractContextManager[Callable[[], dict[str, str]]]:
        """Empty servers for the length of a block: what is yielded waits for them and is the environment of it.

        `name` is that of the command: `test`, or `bench`, whose servers are durable; CannotBeDoneThisWay where they
        cannot be.
        """

    def up(self) -> None:
        """Start what does not run yet; say where everything is."""

    def down(self) -> None:
        """Stop all of it; keep the data."""

    def status(self) -> bool:
        """Say what runs, and where; whether all of it does."""

    def backup(self) -> None:
        """Write a back-up of what `up` keeps; raises CannotBeDoneThisWay where there is no such command."""

    def restore(self, backup: Path) -> None:
        """Bring a back-up back; raises CannotBeDoneThisWay where there is no such command."""

    def logs(self) -> None:
        """Become a program that follows the logs."""

    def remove(self) -> None:
        """Stop all of it, what killed commands left too, and remove the data."""


_RUNTIMES: Mapping[str, Callable[[Checkout], Runtime]] = {DOCKER: DockerRuntime, PRIVATE: PrivateRuntime}


def asked_for() -> str | None:
    """The word in RUNTIME, if there is one."""
    name = os.environ.get("RUNTIME") or None
    if name not in (None, *_RUNTIMES):
        raise CannotBeDoneThisWay(f"There is no RUNTIME={name}: it is `private` (or nothing) or `docker`.")
    return name


def chosen(checkout: Checkout) -> Runtime:
    """The one that RUNTIME asks for."""
    return _RUNTIMES[asked_for() or PRIVATE](checkout)


def current(checkout: Checkout) -> Runtime:
    """The one that RUNTIME asks for, else the one in which the importer was started."""
    return _RUNTIMES[asked_for() or _started(checkout) or PRIVATE](checkout)


def every(checkout: Checkout) -> list[Runtime]:
    """All of them, the one that owns `.run` itself last."""
    return [make(checkout) for make in _RUNTIMES.values()]


def note_start(checkout: Checkout) -> None:
    """Write down in which one the importer is started; SetUpFailed while it runs in another, or cannot run in it."""
    name, other = asked_for() or PRIVATE, _started(checkout)
    if other not in (None, name):
        raise SetUpFailed(
            f"The importer of this checkout is up with RUNTIME={other}: `make down` first. Each keeps data of its own."
        )
    _RUNTIMES[name](checkout).refuse_impossible()
    (checkout.run / "runtime").write_text(f"{name}\n", encoding="ascii")


def note_stop(checkout: Checkout) -> None:
    """Forget in which one it runs, once that is stopped."""
    if asked_for() in (None, _started(checkout)):
        (checkout.run / "runtime").unlink(missing_ok=True)


def _started(checkout: Checkout) -> str | None:
    try:
        name = (checkout.run / "runtime").read_text(encoding="ascii").strip()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return name if name in _RUNTIMES else None
