"""From the command line to a command, and from whatever goes wrong to one sentence."""

import argparse
import os
from collections.abc import Callable, Sequence
from functools import partial

from deploy.local import commands, processes
from deploy.local.checkout import here
from deploy.local.console import complain
from deploy.local.failure import CannotBeDoneThisWay, SetUpFailed, sentence
from deploy.local.foreground import ignore_interrupts, interrupt_on_signals
from deploy.local.fresh import SUITES
from deploy.local.runtime import DOCKER, asked_for
from deploy.local.set_up import refuse_foreign_platform

_INTERRUPTED = 130
_COMMANDS = "setup demo test check bench soak chaos fuzz up down status logs backup restore lock pin audit fresh clean"


def _parse(arguments: Sequence[str]) -> Callable[[], int]:
    parser = argparse.ArgumentParser(prog="python3 -m deploy.local", description="See `make help`.")
    parser.add_argument(
        "command",
        choices=_COMMANDS.split(),
    )
    parser.add_argument("--only", default="", help="with test: the file or the pytest arguments to run")
    parser.add_argument("--mailbox", default="", help="with demo: the kind of mailbox")
    parser.add_argument("--keep", action="store_true", help="with demo: go on afterwards, until Ctrl-C")
    parser.add_argument("--seed", type=int, default=1, help="with chaos: what goes wrong and when")
    parser.add_argument("--mails", type=int, default=5000, help="with chaos: how many mails")
    parser.add_argument("--from", dest="from_folder", default="", help="with restore: the folder of the back-up")
    parser.add_argument("--cluster", action="store_true", help="with chaos: several servers of each kind")
    parser.add_argument("--seconds", type=int, default=300, help="with fuzz: how long, over all targets")
    parser.add_argument("--form", choices=commands.BENCHES, default="usual", help="with bench: how much")
    parser.add_argument("--mailboxes", type=int, default=500, help="with soak: how many")
    parser.add_argument("--polls", type=int, default=120, help="with soak: how many of each mailbox")
    parser.add_argument("--upgrade", action="store_true", help="with lock: choose the newest versions allowed")
    parser.add_argument("--suite", default=" ".join(SUITES), help="with fresh: the suites of Debian to try")
    given = parser.parse_args(arguments)
    checkout = here()
    known: dict[str, Callable[[], int]] = {
        "setup": partial(commands.prepare, checkout),
        "demo": partial(commands.demo, checkout, given.mailbox or None, keep=given.keep),
        "test": partial(commands.test, checkout, given.only or None),
        "check": partial(commands.check, checkout),
        "bench": partial(commands.bench, checkout, given.form),
        "soak": partial(commands.soak, checkout, given.mailboxes, given.polls),
        "chaos": partial(commands.chaos, checkout, given.seed, given.mails, cluster=given.cluster),
        "fuzz": partial(commands.fuzz, checkout, given.seconds),
        "up": partial(commands.up, checkout),
        "down": partial(commands.down, checkout),
        "status": partial(commands.status, checkout),
        "logs": partial(commands.logs, checkout),
        "backup": partial(commands.backup, checkout),
        "restore": partial(commands.restore, checkout, given.from_folder),
        "pin": partial(commands.pin, checkout),
        "audit": partial(commands.audit, checkout),
        "lock": partial(commands.lock, checkout, upgrade=given.upgrade),
        "fresh": partial(commands.fresh, checkout, given.suite.split()),
        "clean": partial(commands.clean, checkout),
    }
    return known[given.command]


def main(arguments: Sequence[str]) -> int:
    """Carry out one command; its exit code."""
    command = _parse(arguments)
    os.umask(0o022)  # PostgreSQL's account must be able to read the programs that root unpacks
    try:
        if asked_for() != DOCKER:
            refuse_foreign_platform()
        interrupt_on_signals()
        processes.adopt_orphans()
        return command()
    except KeyboardInterrupt:
        ignore_interrupts()
        processes.end_descendants()
        complain("Interrupted: everything that was started has been stopped.")
        return _INTERRUPTED
    except CannotBeDoneThisWay as failure:
        complain(str(failure))
        return 2
    except SetUpFailed as failure:
        complain(str(failure))
        return 1
    except OSError as error:
        processes.end_descendants()
        complain(sentence(error))
        return 1
