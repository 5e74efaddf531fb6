"""What the commands of the Makefile do; each is told here from its first step to its last."""

import time
from collections.abc import Sequence
from contextlib import ExitStack

from deploy.local.account import ordinary_account
from deploy.local.checkout import Checkout, exclusive
from deploy.local.checks import passes
from deploy.local.console import say
from deploy.local.foreground import attend
from deploy.local.fresh import clean_fresh, refuse_impossible, try_fresh
from deploy.local.importer import Importer
from deploy.local.instance import Instance
from deploy.local.locks import write_locks
from deploy.local.packages import Packages
from deploy.local.run_folder import make_run_folder
from deploy.local.runtime import chosen_runtime, runtime
from deploy.local.set_up import set_up
from deploy.local.temporary import temporary_servers
from deploy.local.tools import plain_environment
from deploy.local.virtualenv import VirtualEnvironment

# a worker for each processor; a file's tests stay together, since they share its fixtures
_ALL_TESTS = ("-q", "-n", "auto", "--dist", "loadfile")


def prepare(checkout: Checkout) -> int:
    """Bring all that the other commands need."""
    with set_up(checkout, "setup") as progress:
        progress.servers()
    say("Ready: `make demo` shows what it does, `make test` tries everything.")
    return 0


def demo(checkout: Checkout, mailbox: str | None) -> int:
    """A mailbox becomes tickets and notifications, before your eyes, on servers that are gone afterwards."""
    started = time.time()
    with temporary_servers(checkout, "demo") as instance:
        importer = Importer(checkout, instance)
        importer.prepare()
        extra = {"DEMO_STARTED": f"{started:.3f}"} | ({"MAILBOX": mailbox} if mailbox else {})
        command = [str(checkout.python), "-m", "deploy.demo"]
        return attend(command, environment=importer.environment() | extra, folder=checkout.root)


def test(checkout: Checkout, only: str | None) -> int:
    """All checks and all tests, or one file of tests."""
    command = [str(checkout.python), "-m", "pytest", *(only.split() if only else _ALL_TESTS)]
    if chosen_runtime() == "docker":  # the tests start containers themselves
        with set_up(checkout, "test"):
            pass
        ready = only or passes(checkout)
        return attend(command, environment=plain_environment(), folder=checkout.root) if ready else 1
    with temporary_servers(checkout, "test", vhost="/") as instance:
        if not only and not passes(checkout):
            return 1
        instance.wait_for_postgres()
        instance.wait_for_rabbitmq()
        return attend(command, environment=_test_environment(instance), folder=checkout.root)


def check(checkout: Checkout) -> int:
    """Lint, format, types, import boundaries, generated documents."""
    with set_up(checkout, "check"):
        pass
    return 0 if passes(checkout) else 1


def bench(checkout: Checkout) -> int:
    """The rate and the latency of mails on this machine, on servers that are gone afterwards."""
    with temporary_servers(checkout, "bench") as instance:
        importer = Importer(checkout, instance)
        importer.prepare()
        command = [str(checkout.python), "-m", "tests.benchmarks"]
        return attend(command, environment=importer.environment(), folder=checkout.root)


def up(checkout: Checkout) -> int:
    """The importer for real: it goes on after this command, and keeps its data."""
    return runtime(checkout).up()


def down(checkout: Checkout) -> int:
    """Stop the importer and its servers; what they know is kept."""
    return runtime(checkout).down()


def status(checkout: Checkout) -> int:
    """What of `make up` runs, and where; exit code 3 when not all of it does."""
    return runtime(checkout).status()


def clean(checkout: Checkout) -> int:
    """Stop everything and remove all that `make` has brought, data included."""
    if checkout.run.exists():
        with ExitStack() as stack:  # Busy, with its sentence, when one of them is at work
            for name in ("demo-servers", "test-servers", "bench-servers", "fresh"):
                folder = checkout.run.resolve() / name
                if folder.exists():
                    stack.enter_context(exclusive(folder, "clean"))
            for name in ("demo-servers", "test-servers", "bench-servers"):
                Instance(checkout.run.resolve() / name, Packages(checkout.packages), durable=False).stop()
            clean_fresh(checkout)
            runtime(checkout).remove()
    VirtualEnvironment(checkout).remove()
    say("Removed .run/ and .venv/.")
    return 0


def lock(checkout: Checkout, *, upgrade: bool) -> int:
    """Write the locks anew."""
    make_run_folder(checkout, ordinary_account())
    with exclusive(checkout.run, "lock"):
        write_locks(checkout, upgrade=upgrade)
    return 0


def fresh(checkout: Checkout, suites: Sequence[str]) -> int:
    """Demo and tests on clean Debian systems, as a newcomer would try them."""
    refuse_impossible(suites)
    make_run_folder(checkout, ordinary_account())
    with exclusive(checkout.run.resolve() / "fresh", "fresh"):
        return try_fresh(checkout, suites)


def _test_environment(instance: Instance) -> dict[str, str]:
    servers = instance.servers()
    return plain_environment() | {
        "TEST_POSTGRES_URL": servers.postgres.url,
        "TEST_RABBITMQ_URL": servers.rabbitmq.amqp_url,
        "TEST_RABBITMQ_MANAGEMENT_URL": servers.rabbitmq.management_url,
    }
