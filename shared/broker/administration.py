"""Applies the topology through RabbitMQ's management API, and tells what on the broker differs from it.

RabbitMQ's own import of definitions passes over a queue whose arguments differ, so this compares first, changes what
can be changed, and compares again. Nothing is ever deleted: what cannot be changed in place (a queue's or exchange's
arguments) and what is not ours (a foreign binding or policy) is reported as drift, with what to do.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final
from urllib.parse import parse_qsl, quote, unquote, urlsplit, urlunsplit

import httpx
from pydantic import SecretStr

from shared.broker.topology import NOTHING, POLICY_PRIORITY, Topology, User
from shared.errors import ImporterError, Misconfigured, Outage
from shared.sentences import Sentence
from shared.trust import tls_context

MANAGEMENT_TIMEOUT_SECONDS: Final = 30
_SALT_BYTES: Final = 4
_LOSING: Final = frozenset({"delivery-limit", "expires", "max-length", "max-length-bytes", "message-ttl"})
"""What of an operator policy takes messages, or the queue, away."""

Settings = Mapping[str, Any]


class Kind(StrEnum):
    """What an item on the broker is. They are applied in this order, so that no queue ever lacks its policy."""

    USER = "user"
    PERMISSION = "permission of"
    TOPIC_PERMISSION = "topic permission of"
    EXCHANGE = "exchange"
    POLICY = "policy"
    QUEUE = "queue"
    BINDING = "binding"


@dataclass(frozen=True, slots=True)
class Item:
    """One thing on the broker: how it is named, what it must be, and the request that makes it so."""

    kind: Kind
    name: str
    settings: Settings
    method: str
    path: str
    body: Settings


@dataclass(frozen=True, slots=True)
class Drift:
    """A difference that `apply` leaves to a person."""

    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.what}. {self.remedy}"


@dataclass(frozen=True, slots=True)
class Deployment:
    """What was created or changed, and what still differs."""

    changed: tuple[str, ...]
    drift: tuple[Drift, ...]


class ManagementRefused(ImporterError):
    """RabbitMQ's management API refused a request; the text holds its reason."""


class Management:
    """RabbitMQ's management API for one virtual host. Raises Outage, Misconfigured and ManagementRefused."""

    def __init__(self, client: httpx.AsyncClient, vhost: str, user: str = "importer_admin") -> None:
        self._client = client
        self._user = user
        self.vhost = quote(vhost, safe="")

    async def get(self, path: str) -> Any:
        """The answer to a GET, or None when there is no such thing."""
        response = await self._request("GET", path)
        return None if response.status_code == httpx.codes.NOT_FOUND else response.json()

    async def get_dated(self, path: str) -> tuple[Any, str | None]:
        """The answer to a GET of what is always there, and when RabbitMQ's clock says that it was given (Date)."""
        response = await self._request("GET", path)
        return response.json(), response.headers.get("Date")

    async def alarms(self) -> tuple[Settings, ...]:
        """The alarms that are in force now, each with `node` and `resource` (memory or disk).

        Answered by the nodes themselves, whereas what `nodes` says of alarms is as old as its statistics.
        """
        response = await self._request("GET", "health/checks/alarms", also=httpx.codes.SERVICE_UNAVAILABLE)
        return tuple(response.json().get("alarms") or ())

    async def send(self, method: str, path: str, body: Settings | None = None) -> None:
        """A request that changes something."""
        if (await self._request(method, path, body)).status_code == httpx.codes.NOT_FOUND:
            raise ManagementRefused(Sentence("RabbitMQ knows no %(path)s: does the virtual host exist?", path=path))

    async def _request(
        self, method: str, path: str, body: Settings | None = None, *, also: int = httpx.codes.NOT_FOUND
    ) -> httpx.Response:
        """The answer: a success, or one with the status `also`."""
        try:
            response = await self._client.request(method, path, json=body)
        except httpx.HTTPError as error:
            silent = Sentence(
                "RabbitMQ's management API does not answer at %(host)s: %(why)s",
                host=self._client.base_url.host,
                why=str(error),
            )
            raise Outage(silent) from error
        if response.status_code == httpx.codes.UNAUTHORIZED:
            secret = f"amqp_password_{self._user.removeprefix('importer_')}"
            refused = Sentence(
                "RabbitMQ's management API refuses the user %(user)s: check IMPORTER_RABBITMQ_MANAGEMENT_URL and the "
                "secret %(secret)s, or run deploy-topology.",
                user=self._user,
                secret=secret,
            )
            raise Misconfigured(refused)
        if response.is_error and response.status_code != also:
            no = Sentence(
                "RabbitMQ refused %(what)s: %(answer)s",
                what=f"{method} {path}",
                answer=f"{response.status_code} {response.text}",
            )
            raise ManagementRefused(no)
        return response


@asynccontextmanager
async def management(management_dsn: SecretStr, vhost: str) -> AsyncIterator[Management]:
    """The management API as the user named in `management_dsn`, whose `cafile` is trusted; else the machine's."""
    parts = urlsplit(management_dsn.get_secret_value())
    address = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query=""))
    ca_file = dict(parse_qsl(parts.query)).get("cafile")
    tls = tls_context(ca_file, "https") if parts.scheme == "https" else False
    login = httpx.BasicAuth(unquote(parts.username or ""), unquote(parts.password or ""))
    async with httpx.AsyncClient(
        base_url=f"{address.rstrip('/')}/api/",
        auth=login,
        timeout=MANAGEMENT_TIMEOUT_SECONDS,
        trust_env=False,
        verify=tls,
    ) as client:
        yield Management(client, vhost, unquote(parts.username or ""))


def vhost_of(amqp_url: SecretStr) -> str:
    """The virtual host in an AMQP URL; none means `/`."""
    return unquote(urlsplit(amqp_url.get_secret_value()).path[1:]) or "/"


def _items(topology: Topology, vhost: str) -> Iterator[Item]:
    for user in topology.users:
        rights = {"configure": NOTHING, "write": user.write, "read": user.read}
        yield Item(Kind.PERMISSION, user.name, rights, "PUT", f"permissions/{vhost}/{user.name}", rights)
        for exchange_name, write in user.topics.items():
            topic = {"exchange": exchange_name, "write": write, "read": NOTHING}
            yield Item(
                Kind.TOPIC_PERMISSION,
                f"{user.name} on {exchange_name}",
                topic,
                "PUT",
                f"topic-permissions/{vhost}/{user.name}",
                topic,
            )
    for exchange in topology.exchanges:
        body: Settings = {
            "type": exchange.kind,
            "durable": True,
            "auto_delete": False,
            "internal": False,
            "arguments": {},
        }
        yield Item(Kind.EXCHANGE, exchange.name, body, "PUT", f"exchanges/{vhost}/{exchange.name}", body)
    for policy in topology.policies:
        body = {
            "pattern": policy.pattern,
            "definition": dict(policy.definition),
            "priority": POLICY_PRIORITY,
            "apply-to": "queues",
        }
        yield Item(Kind.POLICY, policy.name, body, "PUT", f"policies/{vhost}/{policy.name}", body)
    for queue in topology.queues:
        body = {"durable": True, "auto_delete": False, "arguments": {"x-queue-type": "quorum"}}
        yield Item(Kind.QUEUE, queue, body, "PUT", f"queues/{vhost}/{queue}", body)
    for binding in topology.bindings:
        yield Item(
            Kind.BINDING,
            _binding_name(binding.exchange, binding.routing_key, binding.queue),
            {},
            "POST",
            f"bindings/{vhost}/e/{binding.exchange}/q/{binding.queue}",
            {"routing_key": binding.routing_key, "arguments": {}},
        )


def _binding_name(exchange: str, routing_key: str, queue: str) -> str:
    return f"{exchange} --{routing_key}--> {queue}"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the broker has now, named as `Item` names it."""

    existing: Mapping[tuple[Kind, str], Settings]
    policies: tuple[Settings, ...]
    operator_policies: tuple[Settings, ...]
    bindings: tuple[Settings, ...]


async def _snapshot(broker: Management) -> Snapshot:
    vhost = broker.vhost
    policies = tuple(await broker.get(f"policies/{vhost}") or ())
    operator_policies = tuple(await broker.get(f"operator-policies/{vhost}") or ())
    bindings = tuple(await broker.get(f"bindings/{vhost}") or ())
    existing: dict[tuple[Kind, str], Settings] = {}
    for kind, path in (
        (Kind.EXCHANGE, f"exchanges/{vhost}"),
        (Kind.QUEUE, f"queues/{vhost}"),
    ):
        existing |= {(kind, thing["name"]): thing for thing in await broker.get(path) or ()}
    existing |= {(Kind.POLICY, policy["name"]): policy for policy in policies}
    for right in await broker.get(f"vhosts/{vhost}/permissions") or ():
        existing[Kind.PERMISSION, right["user"]] = right
    for right in await broker.get(f"vhosts/{vhost}/topic-permissions") or ():
        existing[Kind.TOPIC_PERMISSION, f"{right['user']} on {right['exchange']}"] = right
    for binding in bindings:
        name = _binding_name(binding["source"], binding["routing_key"], binding["destination"])
        existing[Kind.BINDING, name] = binding
    return Snapshot(existing, policies, operator_policies, bindings)


def _differs(settings: Settings, existing: Settings) -> bool:
    return any(existing.get(name) != value for name, value in settings.items())


def _immutable_drift(item: Item, existing: Settings) -> Drift:
    different = ", ".join(
        f"{name} is {existing.get(name)!r}, not {value!r}"
        for name, value in item.settings.items()
        if existing.get(name) != value
    )
    return Drift(
        f"The {item.kind} {item.name} differs ({different}), and RabbitMQ cannot change it in place",
        f"Stop what publishes to it, let it run empty, delete the {item.kind} in RabbitMQ and deploy again",
    )


def _foreign_bindings(topology: Topology, snapshot: Snapshot) -> Iterator[Drift]:
    ours = {(binding.exchange, binding.routing_key, binding.queue) for binding in topology.bindings}
    for binding in snapshot.bindings:
        existing = (binding["source"], binding["routing_key"], binding["destination"])
        if binding["source"] and binding["destination"] in topology.queues and existing not in ours:
            yield Drift(
                f"A binding {_binding_name(*existing)} that is not ours leads into our queue",
                "Remove it in RabbitMQ: it may deliver messages twice or to the wrong service",
            )


def _overruling_policies(topology: Topology, snapshot: Snapshot) -> Iterator[Drift]:
    for queue in topology.queues:
        expected = topology.policy_of(queue).name
        for policy in snapshot.policies:
            applies = policy["apply-to"] != "exchanges" and re.search(policy["pattern"], queue)
            if applies and policy["name"] != expected and policy["priority"] >= POLICY_PRIORITY:
                yield Drift(
                    f"The policy {policy['name']} overrules ours ({expected}) on the queue {queue}",
                    f"Give it a priority below {POLICY_PRIORITY} or a narrower pattern: mail may be lost under it",
                )


def _operators_limits(topology: Topology, snapshot: Snapshot) -> Iterator[Drift]:
    """Operator policies, which hold beside whatever policy a queue has, and of which the lower limit counts."""
    for policy in snapshot.operator_policies:
        queues = [queue for queue in topology.queues if re.search(policy["pattern"], queue)]
        limits = sorted(_LOSING.intersection(policy["definition"]))
        if queues and limits and policy["apply-to"] != "exchanges":
            yield Drift(
                f"The operator policy {policy['name']} limits {len(queues)} of our queues ({', '.join(limits)})",
                "Give it a pattern that matches none of them: mail may be set aside or lost under it",
            )


async def _set_user(broker: Management, user: User, password: SecretStr) -> bool:
    existing = await broker.get(f"users/{user.name}")
    if existing is not None and sorted(existing["tags"]) == sorted(user.tags) and _is_password(existing, password):
        return False
    body = {"password": password.get_secret_value(), "tags": ",".join(user.tags)}
    await broker.send("PUT", f"users/{user.name}", body)
    return True


def _is_password(user: Settings, password: SecretStr) -> bool:
    if user.get("hashing_algorithm") != "rabbit_password_hashing_sha256":
        return False
    stored = base64.b64decode(user["password_hash"])
    salt, digest = stored[:_SALT_BYTES], stored[_SALT_BYTES:]
    expected = hashlib.sha256(salt + password.get_secret_value().encode()).digest()
    return hmac.compare_digest(digest, expected)


async def find_drift(broker: Management, topology: Topology) -> tuple[Drift, ...]:
    """Everything on the broker that differs from `topology`; users' passwords are not compared."""
    snapshot = await _snapshot(broker)
    drift: list[Drift] = []
    for item in _items(topology, broker.vhost):
        existing = snapshot.existing.get((item.kind, item.name))
        if existing is None:
            drift.append(Drift(f"The {item.kind} {item.name} is missing", "Run helpdesk-importer deploy-topology"))
        elif not _differs(item.settings, existing):
            continue
        elif item.kind in {Kind.QUEUE, Kind.EXCHANGE}:
            drift.append(_immutable_drift(item, existing))
        else:
            drift.append(Drift(f"The {item.kind} {item.name} differs", "Run helpdesk-importer deploy-topology"))
    for found in (_foreign_bindings, _overruling_policies, _operators_limits):
        drift += found(topology, snapshot)
    return tuple(drift)


async def apply(broker: Management, topology: Topology, passwords: Mapping[str, SecretStr]) -> Deployment:
    """Make the broker what `topology` says, as far as that loses nothing; `passwords` by service. Safe to repeat."""
    changed: list[str] = []
    if await broker.get(f"vhosts/{broker.vhost}") is None:
        await broker.send("PUT", f"vhosts/{broker.vhost}", {})
        changed.append(f"virtual host {unquote(broker.vhost)}")
    changed += [
        f"{Kind.USER} {user.name}" for user in topology.users if await _set_user(broker, user, passwords[user.service])
    ]
    snapshot = await _snapshot(broker)
    for item in _items(topology, broker.vhost):
        existing = snapshot.existing.get((item.kind, item.name))
        unchangeable = existing is not None and item.kind in {Kind.QUEUE, Kind.EXCHANGE}
        if not unchangeable and (existing is None or _differs(item.settings, existing)):
            await broker.send(item.method, item.path, item.body)
            changed.append(f"{item.kind} {item.name}")
    return Deployment(tuple(changed), await find_drift(broker, topology))
