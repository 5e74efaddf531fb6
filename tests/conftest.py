"""The servers that the tests run against: real ones, or the test fails; nothing here is skipped or faked.

`make test` starts private servers and names them in the environment; `deploy.testing.servers` tells the other ways.
"""

import json
import secrets
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import asyncpg
import httpx
import pytest
from pydantic import SecretStr

from deploy.local.dovecot import ImapEndpoint
from deploy.local.endpoints import PostgresEndpoint, RabbitmqEndpoint
from deploy.local.failure import SetUpFailed
from deploy.local.instance import Servers
from deploy.testing.servers import imap_for_tests, servers_for_tests
from shared.broker import administration
from shared.broker.administration import Management
from shared.broker.topology import WAITS, Topology, TopologyParameters, Wait, topology
from tests.databases import Database, Databases, drop_database, migrated_database


def pytest_configure() -> None:
    """Let the signals of tests reach their processes, also where a shell started us in the background.

    Such a shell ignores SIGINT and SIGQUIT, and what we start inherits that (POSIX, Shell Command Language, 2.11).
    """
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


@dataclass(frozen=True, slots=True)
class EmptyVhost:
    """A fresh virtual host: its name, its AMQP URL as the administrator, and the node it is on."""

    name: str
    amqp_url: str
    server: RabbitmqEndpoint


_TRUST = httpx.create_ssl_context()
"""Made once: each client would read all certificates of the machine anew, for a server without TLS."""


@asynccontextmanager
async def _management(server: RabbitmqEndpoint) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"{server.management_url}/api/", timeout=30, verify=_TRUST) as client:
        yield client


@asynccontextmanager
async def fresh_empty_vhost(server: RabbitmqEndpoint) -> AsyncIterator[EmptyVhost]:
    """A fresh virtual host without any queue, on which the administrator may do all; deleted afterwards."""
    name = f"test-{secrets.token_hex(6)}"
    async with _management(server) as management:
        user = quote(management.base_url.username, safe="")
        (await management.put(f"vhosts/{name}")).raise_for_status()
        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        (await management.put(f"permissions/{name}/{user}", json=everything)).raise_for_status()
        yield EmptyVhost(name, server.vhost(name), server)
        (await management.delete(f"vhosts/{name}")).raise_for_status()


@pytest.fixture
async def empty_vhost(rabbitmq_server: RabbitmqEndpoint) -> AsyncIterator[EmptyVhost]:
    """A fresh, empty virtual host for one test."""
    async with fresh_empty_vhost(rabbitmq_server) as fresh:
        yield fresh


@dataclass(frozen=True, slots=True)
class Vhost:
    """A fresh virtual host with the topology and a user for every service; its wait queues wait 0.1, 0.2 and 0.3 s."""

    empty: EmptyVhost
    topology: Topology
    passwords: dict[str, SecretStr]
    management: Management

    @property
    def name(self) -> str:
        """The virtual host's name."""
        return self.empty.name

    @property
    def admin_dsn(self) -> SecretStr:
        """The AMQP URL of the administrator, who may do all."""
        return SecretStr(self.empty.amqp_url)

    def dsn(self, service: str) -> SecretStr:
        """The AMQP URL of a service's own user."""
        user = next(user.name for user in self.topology.users if user.service == service)
        return SecretStr(self.empty.server.login(self.name, user, self.passwords[service].get_secret_value()))


@dataclass(frozen=True, slots=True)
class VhostModel:
    """What `deploy-topology` makes of a virtual host, as definitions that RabbitMQ imports in one request.

    `name` is that of the virtual host it was made in, which stands in the definitions.
    """

    name: str
    passwords: dict[str, SecretStr]
    definitions: str

    def definitions_of(self, vhost: str) -> dict[str, Any]:
        """The definitions of another virtual host, with users of its own."""
        made: dict[str, Any] = json.loads(self.definitions.replace(self.name, vhost))
        return made


def _topology_of(vhost: str) -> Topology:
    shortened = tuple(Wait(wait.name, timedelta(seconds=0.1 * n)) for n, wait in enumerate(WAITS, start=1))
    return topology(TopologyParameters(waits=shortened, user_prefix=f"{vhost}-"))


@pytest.fixture(scope="session")
async def vhost_model(rabbitmq_server: RabbitmqEndpoint) -> VhostModel:
    """The model that each virtual host of this session copies: made as `deploy-topology` does, then read back."""
    async with (
        fresh_empty_vhost(rabbitmq_server) as empty,
        administration.management(SecretStr(rabbitmq_server.management_url), empty.name) as management,
    ):
        ours = _topology_of(empty.name)
        passwords = {user.service: SecretStr(secrets.token_hex(8)) for user in ours.users}
        deployment = await administration.apply(management, ours, passwords)
        assert deployment.drift == ()
        whole = await management.get("definitions")
        names = {user.name for user in ours.users}
        made = {
            "users": [user for user in whole["users"] if user["name"] in names],
            **{
                kind: [each for each in whole[kind] if each["vhost"] == empty.name]
                for kind in ("permissions", "topic_permissions", "policies", "queues", "exchanges", "bindings")
            },
        }
        await management.send("POST", "users/bulk-delete", {"users": sorted(names)})
    return VhostModel(empty.name, passwords, json.dumps(made))


@asynccontextmanager
async def fresh_vhost(server: RabbitmqEndpoint, model: VhostModel) -> AsyncIterator[Vhost]:
    """A fresh virtual host with everything that `deploy-topology` makes; its users are deleted afterwards."""
    async with fresh_empty_vhost(server) as empty, _management(server) as client:
        management = Management(client, empty.name)
        ours = _topology_of(empty.name)
        await management.send("POST", "definitions", model.definitions_of(empty.name))
        yield Vhost(empty, ours, model.passwords, management)
        await management.send("POST", "users/bulk-delete", {"users": [user.name for user in ours.users]})


@pytest.fixture
async def vhost(rabbitmq_server: RabbitmqEndpoint, vhost_model: VhostModel) -> AsyncIterator[Vhost]:
    """A fresh virtual host with the whole topology, for one test."""
    async with fresh_vhost(rabbitmq_server, vhost_model) as fresh:
        yield fresh


@pytest.fixture(scope="module")
async def module_vhost(rabbitmq_server: RabbitmqEndpoint, vhost_model: VhostModel) -> AsyncIterator[Vhost]:
    """A virtual host with the whole topology, for tests of one module that leave it as it was."""
    async with fresh_vhost(rabbitmq_server, vhost_model) as fresh:
        yield fresh
