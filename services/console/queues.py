"""Where RabbitMQ is for the command line's own user."""

from __future__ import annotations

from pydantic import Field, SecretStr

from services.console.texts import N_
from shared.configuration import AmqpUrl, Configuration, HttpUrl

USER = "importer_console"
PASSWORD = "amqp_password_console"  # noqa: S105 - the name of the secret


class BrokerConfiguration(Configuration):
    """Where RabbitMQ is. The user is importer_console."""

    amqp_url: AmqpUrl = Field(
        description=N_(
            "amqp://HOST:PORT/VHOST or amqps://…; the user is importer_console with the secret "
            "amqp_password_console, unless the address holds credentials"
        )
    )

    @property
    def amqp_dsn(self) -> SecretStr:
        """The URL with user and password."""
        return self.with_credentials(self.amqp_url, USER, PASSWORD)


class MonitoringConfiguration(BrokerConfiguration):
    """Where RabbitMQ and its management API are."""

    rabbitmq_management_url: HttpUrl = Field(
        description=N_(
            "http://HOST:PORT of RabbitMQ's management API; the user is importer_console with the secret "
            "amqp_password_console, unless the address holds credentials"
        )
    )

    @property
    def management_dsn(self) -> SecretStr:
        """The URL of the management API with user and password."""
        return self.with_credentials(self.rabbitmq_management_url, USER, PASSWORD)
