"""What the commands of the Makefile do; each is told here from its first step to its last."""

import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from deploy.local import runtime
from deploy.local.account import ordinary_account
from deploy.local.audit import audit as look_for_weaknesses
from deploy.local.checkout import Checkout, exclusive
from deploy.local.checks import passes
from deploy.local.console import say
from deploy.local.failure import CannotBeDoneThisWay
from deploy.local.foreground import attend
from deploy.local.fresh import clean_fresh, refuse_impossible, try_fresh
from deploy.local.fuzz import bring_fuzzer
from deploy.local.locks import write_locks
from deploy.local.peer import bring_peer
from deploy.local.pin import pin as name_by_digest
from deploy.local.run_folder import make_run_folder
from deploy.local.set_up import set_up
from deploy.local.temporary import TEMPORARY
from deploy.local.tools import plain_environment, run
from deploy.local.virtualenv import VirtualEnvironment

OTHER_BENCHES = {"mailboxes": "tests.benchmarks.many_mailboxes", "pages": "tests.benchmarks.pages"}
BENCHES = ("quick", "usual", "full", *OTHER_BENCHES)
"""How much is measured: a mail's way beside a peer and a ceiling; the fetcher with many mailboxes; the web console."""
_NOT_RUNNING = 3
# A worker for each processor; a file's tests stay together, since they share its fixtures. In the order of the folders:
# those that start whole processes come first, while by their number of tests they would be last, one worker idle.
_ALL_TESTS = ("-q", "-n", "auto", "--dist", "loadfile", "--no-loadscope-reorder")


def prepare(checkout: Checkout) -> int:
    """Bring all that the other commands need."""
    runtime.chosen(checkout).bring()
    bring_peer(checkout)  # the tests have a short form of the benchmark
    say("Ready: `make demo` shows what it does, `make test` tries everything.")
    return 0


def demo(checkout: Checkout, mailbox: str | None, *, keep: bool) -> int:
    """A mailbox becomes tickets and notifications, before your eyes, on servers that are gone afterwards.

    With `keep` all of it goes on, with the web console, until Ctrl-C.
    """
    started = time.time()
    chosen = runtime.chosen(checkout)
    with chosen.temporary_importer("demo") as command_line, ExitStack() as stack:
        extra = (
            {"DEMO_STARTED": f"{started:.3f}"}
            | ({"MAILBOX": mailbox} if mailbox else {})
            | ({"DEMO_KEEP": "1"} if keep else {})
        )
        if mailbox == "imap":
            extra |= stack.enter_context(chosen.imap_server("demo")).environment()
        command = [str(checkout.python), "-m", "deploy.demo"]
        return attend(command, environment=command_line.environment() | extra, folder=checkout.root)


def test(checkout: Checkout, only: str | None) -> int:
    """All checks and all tests, or one file of tests."""
    with runtime.chosen(checkout).servers_for_tests("test") as environment:
        if not only and not passes(checkout):
            return 1
        command = [str(checkout.python), "-m", "pytest", *(only.split() if only else _ALL_TESTS)]
        return attend(command, environment=environment(), folder=checkout.root)


def check(checkout: Checkout) -> int:
    """Lint, format, types, import boundaries, generated documents."""
    with set_up(checkout, "check"):
        pass
    return 0 if passes(checkout) else 1


def bench(checkout: Checkout, form: str) -> int:
    """What the importer does on this machine, on servers that are gone afterwards: `form` is one of BENCHES."""
    with runtime.chosen(checkout).servers_for_tests("bench") as environment:
        if form in OTHER_BENCHES:
            arguments = [OTHER_BENCHES[form]]
        else:
            bring_peer(checkout)
            arguments = ["tests.benchmarks", form]
        command = [str(checkout.python), "-m", *arguments]
        return attend(command, environment=environment(), folder=checkout.root)


def soak(checkout: Checkout, mailboxes: int, polls: int) -> int:
    """A fetcher and so many mailboxes, each polled so often, on servers that are gone afterwards."""
    with runtime.chosen(checkout).servers_for_tests("soak") as environment:
        command = [str(checkout.python), "-m", "tests.benchmarks.soak", str(mailboxes), str(polls)]
        return attend(command, environment=environment(), folder=checkout.root)


def chaos(checkout: Checkout, seed: int, mails: int, *, cluster: bool) -> int:
    """Mails while everything fails, on servers that are gone afterwards; as root, disks are full too."""
    with set_up(checkout, "chaos") as progress:
        progress.servers()
        progress.dependencies()
    apart = ("unshare", "--mount")
    with_disks = run([*apart, "true"]).code == 0
    command = [str(checkout.python), "-m", "tests.chaos", str(seed), str(mails), *(["--cluster"] * cluster)]
    if with_disks:
        command = [*apart, *command, "--disks"]
    return attend(command, environment=plain_environment(), folder=checkout.root)


def fuzz(checkout: Checkout, seconds: int) -> int:
    """Any bytes at all into the rules that read mail, for so many seconds in all."""
    with set_up(checkout, "fuzz") as progress:
        progress.dependencies()
        fuzzer = bring_fuzzer(checkout)
    command = [str(checkout.python), "-m", "tests.fuzz", str(seconds)]
    return attend(command, environment=plain_environment(PYTHONPATH=str(fuzzer)), folder=checkout.root)


def up(checkout: Checkout) -> int:
    """The importer for real: it goes on after this command, and keeps its data."""
    make_run_folder(checkout, ordinary_account())
    runtime.note_start(checkout)
    runtime.chosen(checkout).up()
    return 0


def down(checkout: Checkout) -> int:
    """Stop the importer and its servers; what they know is kept."""
    runtime.current(checkout).down()
    runtime.note_stop(checkout)
    return 0


def status(checkout: Checkout) -> int:
    """What of `make up` runs, and where; exit code 3 when not all of it does."""
    return 0 if runtime.current(checkout).status() else _NOT_RUNNING


def backup(checkout: Checkout) -> int:
    """A back-up of what `make up` keeps, in a new folder."""
    runtime.current(checkout).backup()
    return 0


def restore(checkout: Checkout, folder: str) -> int:
    """A back-up in the place of what there is."""
    if not folder:
        raise CannotBeDoneThisWay("Name the back-up: make restore FROM=.run/backups/20261128T140200")
    runtime.current(checkout).restore(Path(folder).resolve())
    return 0


def logs(checkout: Checkout) -> int:
    """Follow the logs until Ctrl-C."""
    runtime.current(checkout).logs()
    return 0


def clean(checkout: Checkout) -> int:
    """Stop everything and remove all that `make` has brought, data included."""
    if checkout.run.exists():
        with ExitStack() as stack:  # Busy, with its sentence, when one of them is at work
            for name in (*(f"{name}-servers" for name in TEMPORARY), "fresh"):
                folder = checkout.run.resolve() / name
                if folder.exists():
                    stack.enter_context(exclusive(folder, "clean"))
            clean_fresh(checkout)
            for each in runtime.every(checkout):
                each.remove()
    VirtualEnvironment(checkout).remove()
    say("Removed .run/ and .venv/.")
    return 0


def lock(checkout: Checkout, *, upgrade: bool) -> int:
    """Write the locks anew."""
    make_run_folder(checkout, ordinary_account())
    with exclusive(checkout.run, "lock"):
        write_locks(checkout, upgrade=upgrade)
    return 0


def pin(checkout: Checkout) -> int:
    """Name base images by digest."""
    name_by_digest(checkout.root)
    return 0


def audit(checkout: Checkout) -> int:
    """Look for known weaknesses of what is locked, and for images without a digest."""
    make_run_folder(checkout, ordinary_account())
    with exclusive(checkout.run, "audit"):
        return 0 if look_for_weaknesses(checkout) else 1


def fresh(checkout: Checkout, suites: Sequence[str]) -> int:
    """Demo and tests on clean Debian systems, as a newcomer would try them."""
    refuse_impossible(suites)
    make_run_folder(checkout, ordinary_account())
    with exclusive(checkout.run.resolve() / "fresh", "fresh"):
        return try_fresh(checkout, suites)
