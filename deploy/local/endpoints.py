"""Where a PostgreSQL and a RabbitMQ answer, and as whom: what a runtime hands to whoever uses its servers."""

from dataclasses import dataclass
from urllib.parse import quote, urlsplit, urlunsplit

RABBITMQ_ADMINISTRATOR = "importer_admin"
"""As whom `helpdesk-importer deploy-topology` works."""


def _with_path(url: str, path: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=path))


def _with_login(url: str, user: str, password: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(
        parts._replace(netloc=f"{quote(user, safe='')}:{quote(password, safe='')}@{parts.hostname}:{parts.port}")
    )


@dataclass(frozen=True, slots=True)
class PostgresEndpoint:
    """A PostgreSQL server, as its superuser."""

    url: str
    """`postgresql://user:password@host:port/postgres`"""

    def database(self, name: str) -> str:
        """The URL of another database on this server, as the superuser."""
        return _with_path(self.url, f"/{name}")

    def login(self, database: str, role: str, password: str) -> str:
        """The URL of a database on this server, as another role."""
        return _with_login(self.database(database), role, password)


@dataclass(frozen=True, slots=True)
class RabbitmqEndpoint:
    """A RabbitMQ node with its management API, as an administrator."""

    amqp_url: str
    """`amqp://user:password@host:port/`"""
    management_url: str
    """`http://user:password@host:port`"""

    def vhost(self, name: str) -> str:
        """The AMQP URL of another virtual host on this node, as the administrator."""
        return _with_path(self.amqp_url, f"/{quote(name, safe='')}")

    def login(self, vhost: str, user: str, password: str) -> str:
        """The AMQP URL of a virtual host on this node, as another user."""
        return _with_login(self.vhost(vhost), user, password)
