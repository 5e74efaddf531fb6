"""A whole installation for tests: database, virtual host, roles, users and secrets, as production has them."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from pydantic import SecretStr

from deploy.local.instance import Servers
from shared.broker import administration
from shared.broker.administration import Management
from shared.broker.topology import WAITS, Topology, TopologyParameters, Wait, topology
from shared.database.roles import ROLES
from shared.database.sealing_keys import publish
from shared.sealing import Keyring, new_key
from tests.databases import DATABASE_PASSWORD, Database, Databases
from tests.vhosts import fresh_empty_vhost

BROKER_PASSWORD = "test"
"""Of every user of ours on a test broker: users are of the whole node, which several sessions may share."""


@dataclass(frozen=True, slots=True)
class Installation:
    """Everything the services stand on. `environment` is what they are started with."""

    database: Database
    management: Management
    topology: Topology
    admin_amqp_url: str
    environment: dict[str, str]


@asynccontextmanager
async def fresh_installation(servers: Servers, databases: Databases, folder: Path) -> AsyncIterator[Installation]:
    """A migrated database and a virtual host with the topology, both dropped afterwards; secrets lie in `folder`.

    Its wait queues wait 0.1, 0.2 and 0.3 seconds, so that a test of a retry ends in time.
    """
    shortened = tuple(Wait(wait.name, timedelta(seconds=0.1 * n)) for n, wait in enumerate(WAITS, start=1))
    ours = topology(TopologyParameters(waits=shortened))
    passwords = {user.service: SecretStr(BROKER_PASSWORD) for user in ours.users}
    async with databases.fresh() as database, fresh_empty_vhost(servers.rabbitmq) as vhost:
        dsn = SecretStr(servers.rabbitmq.management_url)
        async with administration.management(dsn, vhost.name) as management:
            deployment = await administration.apply(management, ours, passwords)
            assert deployment.drift == ()
            environment = {
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(Path(__file__).parents[2]),
                "IMPORTER_DATABASE_URL": _without_login(database.dsn("owner").get_secret_value()),
                "IMPORTER_AMQP_URL": _without_login(vhost.amqp_url),
                "IMPORTER_RABBITMQ_MANAGEMENT_URL": _without_login(servers.rabbitmq.management_url),
                "IMPORTER_SUSPECTS_AFTER_SECONDS": "0",
                "IMPORTER_SECRETS_DIR": str(_secrets(folder, ours)),
                "IMPORTER_STATUS_SECONDS": "30",  # on a machine that does much else, servers that are well answer late
                "IMPORTER_READERS": "1",  # a second child costs as much as a service, and tests send few mails
            }
            async with database.connect("owner") as owner:
                await publish(owner, Keyring.from_secret(SecretStr((folder / "encryption_keys").read_text())).public)
            yield Installation(database, management, ours, vhost.amqp_url, environment)


def _without_login(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{parts.hostname}:{parts.port}"))


def _secrets(folder: Path, ours: Topology) -> Path:
    secrets = {
        **{
            f"database_password_{name}": DATABASE_PASSWORD
            for name in ("owner", *(role.removeprefix("importer_").removeprefix("helpdesk_") for role in ROLES))
        },
        **{f"amqp_password_{user.service}": BROKER_PASSWORD for user in ours.users},
        "encryption_keys": new_key().get_secret_value(),
        "message_id_key": "00" * 32,
    }
    for name, secret in secrets.items():
        (folder / name).write_text(secret)
    return folder
