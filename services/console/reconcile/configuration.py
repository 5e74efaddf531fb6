"""What `reconcile` needs to know: both servers, as a role and a user of its own that may look and little else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

from pydantic import Field, SecretStr

from services.console.queues import MonitoringConfiguration
from services.console.reconcile.queues import Queues
from shared.broker.administration import vhost_of
from shared.configuration import DatabaseUrl
from shared.database.pool import Pool, open_pool

USER: Final = "importer_reconciler"
_AMQP_PASSWORD: Final = "amqp_password_reconciler"  # noqa: S105 - the name of the secret
_PATIENCE: Final = timedelta(seconds=5)


class ReconcilerConfiguration(MonitoringConfiguration):
    """Where PostgreSQL, RabbitMQ and its management API are. Role and user are importer_reconciler."""

    database_url: DatabaseUrl = Field(
        description="postgresql://HOST:PORT/DATABASE; the role is importer_reconciler with the secret "
        "database_password_reconciler, unless the address holds credentials"
    )

    @property
    def database_dsn(self) -> SecretStr:
        """The URL with role and password."""
        return self.with_credentials(self.database_url, USER, "database_password_reconciler")

    @property
    def amqp_dsn(self) -> SecretStr:
        """The URL with user and password."""
        return self.with_credentials(self.amqp_url, USER, _AMQP_PASSWORD)

    @property
    def management_dsn(self) -> SecretStr:
        """The URL of the management API with user and password."""
        return self.with_credentials(self.rabbitmq_management_url, USER, _AMQP_PASSWORD)

    def queues(self) -> Queues:
        """The queues, for who compares them."""
        return Queues(self.amqp_dsn, self.management_dsn, vhost_of(self.amqp_url))


@asynccontextmanager
async def open_as_reconciler(configuration: ReconcilerConfiguration) -> AsyncIterator[Pool]:
    """A pool as importer_reconciler, closed at the end. Raises Misconfigured, or Outage after five seconds."""
    pool = await open_pool(
        configuration.database_dsn.get_secret_value(),
        application_name="helpdesk-importer reconcile",
        max_size=2,
        patience=_PATIENCE,
    )
    try:
        yield pool
    finally:
        await pool.close()
