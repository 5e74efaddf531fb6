"""Where the doctor looks: what `status` and the watch are told, and as much of the other secrets as is at hand."""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic import SecretStr

from services.console.alarms.configuration import AlarmConfiguration
from shared.errors import Misconfigured


class DoctorConfiguration(AlarmConfiguration):
    """The settings of the watch, which it examines too."""

    def refuse_missing_logins(self) -> None:
        """Raise Misconfigured where the command line's own secrets are missing, without which nothing is seen."""
        _ = self.database_dsn, self.amqp_dsn, self.management_dsn

    def secret_at_hand(self, name: str) -> SecretStr | None:
        """The secret `name`; None where this process has none: in containers each has no more than its own."""
        try:
            return self.secret(name)
        except Misconfigured:
            return None

    def login_to_database(self, role: str, secret: str) -> SecretStr | None:
        """The database's address with the login of another role, if its secret is at hand."""
        return self._login(self.database_url, role, secret)

    def login_to_broker(self, user: str, secret: str) -> SecretStr | None:
        """RabbitMQ's address with the login of another user, if its secret is at hand."""
        return self._login(self.amqp_url, user, secret)

    def administration_of_broker(self) -> SecretStr | None:
        """The management API as the administrator, if that secret is at hand."""
        return self._login(self.rabbitmq_management_url, "importer_admin", "amqp_password_admin")

    def _login(self, url: SecretStr, user: str, secret: str) -> SecretStr | None:
        """None too where the address itself holds a login, which then is everybody's."""
        if urlsplit(url.get_secret_value()).username is not None or self.secret_at_hand(secret) is None:
            return None
        return self.with_credentials(url, user, secret)
