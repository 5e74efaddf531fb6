"""The PostgreSQL, the RabbitMQ and the Dovecot of a test session: named, private, or in containers; never none.

TEST_POSTGRES_URL, TEST_RABBITMQ_URL, TEST_RABBITMQ_MANAGEMENT_URL   what `make test` names: administrators' URLs
RUNTIME=docker                                                       containers, from POSTGRES_IMAGE, RABBITMQ_IMAGE
otherwise                                                            private servers, once `make setup` brought them

TEST_IMAP_PORTS, TEST_IMAP_PASSWORD, TEST_IMAP_CA_FILE               the Dovecot that `make test` names
otherwise                                                            a private one, with RUNTIME=docker too
"""

import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress

import httpx
from testcontainers.core.container import DockerContainer

from deploy.local.checkout import exclusive, here
from deploy.local.compose_folder import IMAGES
from deploy.local.dovecot import ImapEndpoint, private_dovecot
from deploy.local.endpoints import PostgresEndpoint, RabbitmqEndpoint
from deploy.local.failure import SetUpFailed
from deploy.local.instance import Instance, Servers
from deploy.local.packages import DOVECOT, SERVERS, Packages

_NAMED = ("TEST_POSTGRES_URL", "TEST_RABBITMQ_URL", "TEST_RABBITMQ_MANAGEMENT_URL")
_READY_SECONDS = 120
_USER = "importer_admin"


def servers_for_tests() -> AbstractContextManager[Servers]:
    """The servers that there are, for one session; raises SetUpFailed with a sentence when there are none."""
    if any(name in os.environ for name in _NAMED):
        return _named()
    if os.environ.get("RUNTIME") == "docker":
        return _containers()
    return _private()


@contextmanager
def _named() -> Iterator[Servers]:
    if missing := [name for name in _NAMED if not os.environ.get(name)]:
        raise SetUpFailed(f"{' and '.join(missing)} must be set too: {', '.join(_NAMED)} belong together.")
    postgres, amqp, management = (os.environ[name] for name in _NAMED)
    yield Servers(PostgresEndpoint(postgres), RabbitmqEndpoint(amqp, management))


@contextmanager
def _private() -> Iterator[Servers]:
    checkout = here()
    packages = Packages(checkout.packages.resolve())
    if not all(name in packages.versions() for name in SERVERS):
        raise SetUpFailed(
            "There is no PostgreSQL and no RabbitMQ to test with: `make test` (or `make test T=FILE`) brings them."
        )
    folder = checkout.run.resolve() / "test-servers"
    instance = Instance(folder, packages, durable=False, vhost="/")
    with exclusive(folder, "test"):
        try:
            instance.launch()
            instance.wait_for_postgres()
            instance.wait_for_rabbitmq()
            yield instance.servers()
        finally:
            instance.stop()


@contextmanager
def _containers() -> Iterator[Servers]:
    password = secrets.token_hex(16)
    postgres = DockerContainer(image("POSTGRES_IMAGE")).with_exposed_ports(5432)
    # the data is thrown away: nothing need survive a crash
    postgres.with_command(["postgres", "-c", "max_connections=300", "-c", "fsync=off", "-c", "full_page_writes=off"])
    rabbitmq = DockerContainer(image("RABBITMQ_IMAGE")).with_exposed_ports(5672, 15672)
    with (
        postgres.with_env("POSTGRES_PASSWORD", password) as database,
        rabbitmq.with_env("RABBITMQ_DEFAULT_USER", _USER).with_env("RABBITMQ_DEFAULT_PASS", password) as broker,
    ):
        on_postgres = f"{database.get_container_host_ip()}:{database.get_exposed_port(5432)}"
        on_amqp = f"{broker.get_container_host_ip()}:{broker.get_exposed_port(5672)}"
        management = f"http://{_USER}:{password}@{broker.get_container_host_ip()}:{broker.get_exposed_port(15672)}"
        _wait_until(lambda: database.exec(["pg_isready", "--host=127.0.0.1"]).exit_code == 0, "PostgreSQL")
        _wait_until(lambda: httpx.get(f"{management}/api/overview").is_success, "RabbitMQ")
        yield Servers(
            PostgresEndpoint(f"postgresql://postgres:{password}@{on_postgres}/postgres"),
            RabbitmqEndpoint(f"amqp://{_USER}:{password}@{on_amqp}/", management),
        )


@contextmanager
def imap_for_tests() -> Iterator[ImapEndpoint]:
    """A Dovecot for one session; raises SetUpFailed with a sentence when there is none."""
    if "TEST_IMAP_PORTS" in os.environ:
        yield ImapEndpoint.named(os.environ)
        return
    checkout = here()
    if not all(name in Packages(checkout.packages.resolve()).versions() for name in DOVECOT):
        raise SetUpFailed(
            "There is no Dovecot to test with: `make test` (or `make test T=FILE`) brings it, on Debian and Ubuntu."
        )
    folder = checkout.run.resolve() / "test-imap"
    with exclusive(folder, "test"), private_dovecot(checkout, folder / "dovecot") as endpoint:
        yield endpoint


def image(variable: str) -> str:
    """The image that this variable of the environment names, or else the usual one."""
    return os.environ.get(variable) or IMAGES[variable]


def _wait_until(answers: Callable[[], bool], server: str) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while True:
        with suppress(httpx.HTTPError):
            if answers():
                return
        if time.monotonic() > deadline:
            raise SetUpFailed(f"The container of {server} does not answer: `docker logs` tells why.")
        time.sleep(0.2)
