"""The servers that the tests run against: real ones, or the test fails; nothing here is skipped or faked.

`make test` starts private servers and names them in the environment; `deploy.testing.servers` tells the other ways.
"""

import secrets
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack

import asyncpg
import pytest
from hypothesis import HealthCheck, settings

import shared.lean_start  # noqa: F401 - first, as in the services: rich would draw each logged error, for a second
from deploy.local.dovecot import ImapEndpoint
from deploy.local.endpoints import PostgresEndpoint, RabbitmqEndpoint
from deploy.local.failure import SetUpFailed
from deploy.local.instance import Servers
from deploy.testing.servers import imap_for_tests, servers_for_tests
from tests.databases import Database, Databases, drop_database, migrated_database
from tests.vhosts import EmptyVhost, Vhost, VhostModel, Vhosts, fresh_empty_vhost


def pytest_configure() -> None:
    """Let the signals of tests reach their processes, also where a shell started us in the background.

    Such a shell ignores SIGINT and SIGQUIT, and what we start inherits that (POSIX, Shell Command Language, 2.11).
    No example of Hypothesis has a deadline: on a busy machine it would be the machine that fails.
    """
    settings.register_profile("ours", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("ours")
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)


@pytest.fixture(autouse=True)
def signals_as_before() -> Iterator[None]:
    """Give back what a test called in-process did to the signals: processes of later tests would inherit it."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """Both servers of this session, as `deploy.testing.servers` finds them."""
    with ExitStack() as stack:
        try:
            found = stack.enter_context(servers_for_tests())
        except SetUpFailed as failure:
            pytest.fail(str(failure), pytrace=False)
        yield found


@pytest.fixture(scope="session")
def imap_server() -> Iterator[ImapEndpoint]:
    """A real IMAP server, where any name logs in and has a mailbox of its own."""
    with ExitStack() as stack:
        try:
            found = stack.enter_context(imap_for_tests())
        except SetUpFailed as failure:
            pytest.fail(str(failure), pytrace=False)
        yield found


@pytest.fixture(scope="session")
def postgres_server(servers: Servers) -> PostgresEndpoint:
    """A real PostgreSQL, as its superuser."""
    return servers.postgres


@pytest.fixture(scope="session")
def rabbitmq_server(servers: Servers) -> RabbitmqEndpoint:
    """A real RabbitMQ with its management API, as an administrator."""
    return servers.rabbitmq


@pytest.fixture
async def empty_database(postgres_server: PostgresEndpoint) -> AsyncIterator[str]:
    """The superuser's URL of a fresh, empty database; dropped afterwards, whoever is still connected."""
    name = f"test_{secrets.token_hex(6)}"
    connection = await asyncpg.connect(postgres_server.url)
    try:
        await connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
    finally:
        await connection.close()
    yield postgres_server.database(name)
    await drop_database(postgres_server, name)


@pytest.fixture(scope="session")
async def databases(postgres_server: PostgresEndpoint) -> AsyncIterator[Databases]:
    """Databases with the whole schema for whoever asks, in this session."""
    async with migrated_database(postgres_server) as template:
        databases = Databases(postgres_server, template)
        yield databases
        await databases.drop()


@pytest.fixture
async def database(databases: Databases) -> AsyncIterator[Database]:
    """A fresh database for one test."""
    async with databases.fresh() as fresh:
        yield fresh


@pytest.fixture
async def empty_vhost(rabbitmq_server: RabbitmqEndpoint) -> AsyncIterator[EmptyVhost]:
    """A fresh, empty virtual host for one test."""
    async with fresh_empty_vhost(rabbitmq_server) as fresh:
        yield fresh


@pytest.fixture(scope="session")
async def vhosts(rabbitmq_server: RabbitmqEndpoint) -> AsyncIterator[Vhosts]:
    """Virtual hosts with the whole topology for whoever asks, in this session."""
    vhosts = Vhosts(rabbitmq_server, await VhostModel.made(rabbitmq_server))
    yield vhosts
    await vhosts.delete()


@pytest.fixture
async def vhost(vhosts: Vhosts) -> AsyncIterator[Vhost]:
    """A fresh virtual host with the whole topology, for one test."""
    async with vhosts.fresh() as fresh:
        yield fresh


@pytest.fixture(scope="module")
async def module_vhost(vhosts: Vhosts) -> AsyncIterator[Vhost]:
    """A virtual host with the whole topology, for tests of one module that leave it as it was."""
    async with vhosts.fresh() as fresh:
        yield fresh
