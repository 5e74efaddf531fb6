"""What the commands of the Makefile do; each is told here from its first step to its last."""

import os
import time
from collections.abc import Sequence
from pathlib import Path

from deploy.local.account import ordinary_account
from deploy.local.beside import beside
from deploy.local.checkout import Checkout, exclusive
from deploy.local.checks import passes
from deploy.local.console import say
from deploy.local.foreground import attend
from deploy.local.fresh import clean_fresh, try_fresh
from deploy.local.importer import Importer
from deploy.local.instance import Instance
from deploy.local.locks import write_locks
from deploy.local.packages import Packages
from deploy.local.run_folder import make_run_folder, remove_run_folder
from deploy.local.set_up import set_up
from deploy.local.temporary import temporary_servers
from deploy.local.tools import plain_environment
from deploy.local.virtualenv import VirtualEnvironment


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
        importer = _ready(checkout, instance)
        extra = {"DEMO_STARTED": f"{started:.3f}"} | ({"MAILBOX": mailbox} if mailbox else {})
        command = [str(checkout.python), "-m", "deploy.demo"]
        return attend(command, environment=importer.environment() | extra, folder=checkout.root)


def test(checkout: Checkout, only: str | None) -> int:
    """All checks and all tests, or one file of tests."""
    with temporary_servers(checkout, "test", vhost="/") as instance:
        if not only and not passes(checkout):
            return 1
        instance.wait_for_postgres()
        instance.wait_for_rabbitmq()
        command = [str(checkout.python), "-m", "pytest", *(only.split() if only else ())]
        return attend(command, environment=_test_environment(instance), folder=checkout.root)


def check(checkout: Checkout) -> int:
    """Lint, format, types, import boundaries, generated documents."""
    with set_up(checkout, "check"):
        pass
    return 0 if passes(checkout) else 1


def bench(checkout: Checkout) -> int:
    """The rate and the latency of mails on this machine, on servers that are gone afterwards."""
    with temporary_servers(checkout, "bench") as instance:
        importer = _ready(checkout, instance)
        command = [str(checkout.python), "-m", "tests.benchmarks"]
        return attend(command, environment=importer.environment(), folder=checkout.root)


def up(checkout: Checkout) -> int:
    """The importer for real: servers and services go on after this command, and keep their data."""
    with set_up(checkout, "up") as progress:
        progress.servers()
        instance = _durable(checkout)
        instance.launch()
        progress.dependencies()
        importer = _ready(checkout, instance)
        importer.start()
    _tell(checkout, importer)
    return 0


def down(checkout: Checkout) -> int:
    """Stop the importer and its servers; what they know is kept."""
    if not checkout.run.exists():
        say("Nothing is running.")
        return 0
    with exclusive(checkout.run, "down"):
        instance = _durable(checkout)
        drained = Importer(checkout, instance).stop()
        stopped = instance.stop()
    say(f"Stopped; the data is kept in {instance.folder}." if drained or stopped else "Nothing is running.")
    return 0


def status(checkout: Checkout) -> int:
    """What of `make up` runs, and where; exit code 3 when not all of it does."""
    instance = _durable(checkout)
    importer = Importer(checkout, instance)
    if not instance.is_running() or not importer.is_running():
        servers = "the servers run, the services do not" if instance.is_running() else "nothing is running"
        say(f"{servers.capitalize()}: `make up` starts it.")
        return 3
    _tell(checkout, importer)
    return 0


def clean(checkout: Checkout) -> int:
    """Stop everything and remove all that `make` has brought, data included."""
    if checkout.run.exists():
        down(checkout)
        for name in ("demo", "test", "bench"):  # Busy, with its sentence, when one of them is at work
            folder = checkout.run.resolve() / f"{name}-servers"
            if folder.exists():
                with exclusive(folder, "clean"):
                    Instance(folder, Packages(checkout.packages), durable=False).stop()
        with exclusive(checkout.run.resolve() / "fresh", "clean"), exclusive(checkout.run, "clean"):
            clean_fresh(checkout)
            remove_run_folder(checkout)
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
    make_run_folder(checkout, ordinary_account())
    with exclusive(checkout.run.resolve() / "fresh", "fresh"):
        return try_fresh(checkout, suites)


def _durable(checkout: Checkout) -> Instance:
    return Instance(checkout.run.resolve(), Packages(checkout.packages.resolve()), durable=True)


def _ready(checkout: Checkout, instance: Instance) -> Importer:
    """The importer with its schema and topology in place; PostgreSQL's part is done while RabbitMQ still starts."""
    importer = Importer(checkout, instance)
    with beside() as hands:
        topology = hands.submit(importer.deploy_topology)
        instance.wait_for_postgres()
        instance.provision()
        importer.migrate()
        instance.wait_for_rabbitmq()
        topology.result()
    return importer


def _test_environment(instance: Instance) -> dict[str, str]:
    servers = instance.servers()
    return plain_environment() | {
        "TEST_POSTGRES_URL": servers.postgres.url,
        "TEST_RABBITMQ_URL": servers.rabbitmq.amqp_url,
        "TEST_RABBITMQ_MANAGEMENT_URL": servers.rabbitmq.management_url,
    }


def _tell(checkout: Checkout, importer: Importer) -> None:
    instance = importer.instance
    settings = instance.settings()
    env, program = _shown(checkout.run / "env"), _shown(checkout.venv / "bin/helpdesk-importer")
    health = instance.first_health_port()
    say(
        f"""The importer runs. `make down` stops it and keeps the data; `make logs` follows its logs.

  settings    {env} (secrets in {settings["IMPORTER_SECRETS_DIR"]})
  command     set -a; . {env}; set +a; {program} --help
  PostgreSQL  {settings["IMPORTER_DATABASE_URL"]} as importer_owner, password in secrets/database_password_owner
  RabbitMQ    {settings["IMPORTER_RABBITMQ_MANAGEMENT_URL"]}/ as importer_admin, password in secrets/amqp_password_admin
  services    {"  ".join(f"{name} http://127.0.0.1:{health + number}" for number, name in enumerate(_SERVICES))}
              each with /health/live, /health/ready and /metrics
  logs        {instance.logs}"""
    )


# in the order in which `helpdesk-importer run` hands out health ports
_SERVICES = ("fetcher", "classifier", "ticket_writer", "notifier")


def _shown(path: Path) -> str:
    """A path as one types it from the folder one is in, when that is shorter."""
    relative = os.path.relpath(path)
    return relative if len(relative) < len(str(path)) else str(path)
