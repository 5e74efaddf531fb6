"""Virtual hosts for tests: each is as `deploy-topology` makes it, and most were used before, since making one is slow.

A virtual host that a test gives back rests. The next one gets it when its definitions, its users and their rights are
as they were at first, nobody is connected to it, and nothing has been in its queues since it began to rest.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic
from typing import Any, Final
from urllib.parse import quote

import aio_pika
import httpx
from pydantic import SecretStr

from deploy.local.endpoints import RabbitmqEndpoint
from shared.broker import administration
from shared.broker.administration import Management
from shared.broker.topology import WAITS, Topology, TopologyParameters, Wait, topology

_TRUST = httpx.create_ssl_context()
"""Made once: each client would read all certificates of the machine anew, for a server without TLS."""
_KINDS: Final = ("policies", "queues", "exchanges", "bindings")
_REST_SECONDS: Final = 6.0
"""More than the five after which RabbitMQ's management API knows how many messages a queue has."""


@dataclass(frozen=True, slots=True)
class EmptyVhost:
    """A fresh virtual host: its name, its AMQP URL as the administrator, and the node it is on."""

    name: str
    amqp_url: str
    server: RabbitmqEndpoint


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


@asynccontextmanager
async def fresh_empty_vhost(server: RabbitmqEndpoint) -> AsyncIterator[EmptyVhost]:
    """A fresh virtual host without any queue, on which the administrator may do all; deleted afterwards."""
    empty = await _make_empty(server)
    yield empty
    async with _client(server) as client:
        (await client.delete(f"vhosts/{empty.name}")).raise_for_status()


@dataclass(frozen=True, slots=True)
class VhostModel:
    """What `deploy-topology` makes of a virtual host, as definitions that RabbitMQ imports in one request.

    `name` is that of the virtual host it was made in, which stands in the definitions.
    """

    name: str
    passwords: dict[str, SecretStr]
    definitions: str

    @classmethod
    async def made(cls, server: RabbitmqEndpoint) -> VhostModel:
        """Made as `deploy-topology` does, then read back."""
        async with (
            fresh_empty_vhost(server) as empty,
            administration.management(SecretStr(server.management_url), empty.name) as management,
        ):
            ours = _topology_of(empty.name)
            passwords = {user.service: SecretStr(secrets.token_hex(8)) for user in ours.users}
            deployment = await administration.apply(management, ours, passwords)
            assert deployment.drift == ()
            definitions = await _definitions(management, empty.name)
            await _delete_users(management, ours)
        return cls(empty.name, passwords, definitions)

    def definitions_of(self, vhost: str) -> dict[str, Any]:
        """The definitions of another virtual host, with users of its own."""
        made: dict[str, Any] = json.loads(self.definitions.replace(self.name, vhost))
        return made


@dataclass
class Vhosts:
    """Virtual hosts that are as the model is, one for each who asks; all of one session, on one server."""

    server: RabbitmqEndpoint
    model: VhostModel
    _resting: list[tuple[EmptyVhost, float]] = field(default_factory=list)
    """With the time from which each is rested, in seconds of the monotonic clock; the first is the first to be."""

    @asynccontextmanager
    async def fresh(self) -> AsyncIterator[Vhost]:
        """A virtual host with everything that `deploy-topology` makes, and nothing in its queues."""
        async with _client(self.server) as client:
            empty = await self._rested(client) or await self._new(client)
            management = Management(client, empty.name)
            try:
                yield Vhost(empty, _topology_of(empty.name), self.model.passwords, management)
            finally:
                await self._lay_to_rest(empty, client)

    async def delete(self) -> None:
        """Delete all that were given back, with their users."""
        async with _client(self.server) as client:
            await asyncio.gather(*(self._delete(client, empty) for empty, _ in self._resting))
        self._resting.clear()

    async def _new(self, client: httpx.AsyncClient) -> EmptyVhost:
        empty = await _make_empty(self.server)
        await Management(client, empty.name).send("POST", "definitions", self.model.definitions_of(empty.name))
        return empty

    async def _lay_to_rest(self, empty: EmptyVhost, client: httpx.AsyncClient) -> None:
        management = Management(client, empty.name)
        for connection in await management.get(f"vhosts/{empty.name}/connections"):
            closed = await client.delete(f"connections/{quote(connection['name'], safe='')}")
            if closed.status_code != httpx.codes.NOT_FOUND:  # it went by itself
                closed.raise_for_status()
        if await self._is_as_made(empty, management):
            await _purge(empty, management)
            self._resting.append((empty, monotonic() + _REST_SECONDS))
        else:
            await self._delete(client, empty)

    async def _rested(self, client: httpx.AsyncClient) -> EmptyVhost | None:
        while self._resting and self._resting[0][1] <= monotonic():
            empty, _ = self._resting.pop(0)
            if await _purge(empty, Management(client, empty.name)) == 0:
                return empty
            self._resting.append((empty, monotonic() + _REST_SECONDS))
        return None

    async def _is_as_made(self, empty: EmptyVhost, management: Management) -> bool:
        now: dict[str, Any] = json.loads(await _definitions(management, empty.name))
        return now == self.model.definitions_of(empty.name)

    async def _delete(self, client: httpx.AsyncClient, empty: EmptyVhost) -> None:
        (await client.delete(f"vhosts/{empty.name}")).raise_for_status()
        await _delete_users(Management(client, empty.name), _topology_of(empty.name))


async def _make_empty(server: RabbitmqEndpoint) -> EmptyVhost:
    name = f"test-{secrets.token_hex(6)}"
    async with _client(server) as client:
        user = quote(client.base_url.username, safe="")
        (await client.put(f"vhosts/{name}")).raise_for_status()
        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        (await client.put(f"permissions/{name}/{user}", json=everything)).raise_for_status()
    return EmptyVhost(name, server.vhost(name), server)


def _topology_of(vhost: str) -> Topology:
    shortened = tuple(Wait(wait.name, timedelta(seconds=0.1 * n)) for n, wait in enumerate(WAITS, start=1))
    return topology(TopologyParameters(waits=shortened, user_prefix=f"{vhost}-"))


async def _definitions(management: Management, vhost: str) -> str:
    """Those of a virtual host and of the users that are its own, as JSON in an order of its own.

    Asked part by part: RabbitMQ's definitions of all are those of every virtual host that rests.
    """
    own = {user.name for user in _topology_of(vhost).users}
    within: Mapping[str, list[Mapping[str, Any]]] = await management.get(f"definitions/{vhost}")
    made = {
        "users": [user for user in await management.get("users") if user["name"] in own],
        "permissions": await management.get(f"vhosts/{vhost}/permissions"),
        "topic_permissions": await management.get(f"vhosts/{vhost}/topic-permissions"),
        **{kind: [{**each, "vhost": vhost} for each in within[kind]] for kind in _KINDS},
    }
    return json.dumps({kind: sorted(each, key=json.dumps) for kind, each in made.items()})


async def _delete_users(management: Management, ours: Topology) -> None:
    await management.send("POST", "users/bulk-delete", {"users": [user.name for user in ours.users]})


async def _purge(empty: EmptyVhost, management: Management) -> int:
    """Empty all queues, and say how many messages were in them; what waited may have moved on, so look again."""
    names = [queue["name"] for queue in await management.get(f"queues/{empty.name}?columns=name")]
    purged = 0
    async with await aio_pika.connect(empty.amqp_url) as connection:
        channel = await connection.channel()
        queues = [await channel.get_queue(name, ensure=False) for name in names]
        while sum(counts := [(await queue.purge()).message_count or 0 for queue in queues]):
            purged += sum(counts)
    return purged


@asynccontextmanager
async def _client(server: RabbitmqEndpoint) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"{server.management_url}/api/", timeout=30, verify=_TRUST) as client:
        yield client
