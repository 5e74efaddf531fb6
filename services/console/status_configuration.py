"""Where the servers are that `status` and the watch look at, and how long they may take."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from services.console.database import ConsoleConfiguration
from services.console.queues import MonitoringConfiguration
from shared.broker.administration import vhost_of
from shared.standing.look import Where


class StatusConfiguration(MonitoringConfiguration, ConsoleConfiguration):
    """Where database and RabbitMQ are, and how long they may take."""

    status_seconds: float = Field(
        default=1.5, gt=0, le=60, description="seconds in which database and RabbitMQ must answer, at most 60"
    )

    def where(self) -> Where:
        """What `look` looks at."""
        return Where(
            self.database_dsn,
            self.amqp_dsn,
            self.management_dsn,
            vhost_of(self.amqp_url),
            within=timedelta(seconds=self.status_seconds),
        )
