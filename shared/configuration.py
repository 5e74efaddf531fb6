"""The configuration of one process: environment variables `IMPORTER_…` and secret files.

    fetcher = ServiceConfiguration.load(service="fetcher")
    fetcher.database_dsn, fetcher.amqp_dsn      # SecretStr, credentials filled in

A field NAME is the variable IMPORTER_NAME; one that is empty counts as not set.

A service with variables of its own subclasses `ServiceConfiguration`. Bad configuration raises `Misconfigured` with one
line for each variable: its name, what is wrong and what belongs there, never the value, which may be a secret.

A secret NAME is, in this order: `IMPORTER_NAME` itself, the file that `IMPORTER_NAME_FILE` names, or the file NAME in
`IMPORTER_SECRETS_DIR`. Used here: `database_password_<service>`, `amqp_password_<service>`, `encryption_keys`,
`installation_id`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import quote, urlsplit, urlunsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PrivateAttr, SecretStr, ValidationError

from shared.errors import Misconfigured
from shared.secure_addresses import RequireTls, WithoutTls, secured
from shared.sentences import Sentence, one_below_another, said_by
from shared.trust import UnusableCaFile, tls_context

ServiceName = Literal["fetcher", "classifier", "ticket_writer", "notifier", "console", "web"]


def variable_of(name: str) -> str:
    """The environment variable of a field or a secret."""
    return f"IMPORTER_{name.upper()}"


def _url(*schemes: str) -> AfterValidator:
    def check(url: SecretStr) -> SecretStr:
        parts = urlsplit(url.get_secret_value())
        if parts.scheme not in schemes:
            raise ValueError(f"the address must start with {' or '.join(f'{scheme}://' for scheme in schemes)}")
        if not parts.hostname and "host=" not in parts.query:
            raise ValueError("the address names no host")
        try:
            _ = parts.port
        except ValueError:
            raise ValueError("the port in the address is not a number between 0 and 65535") from None
        return url

    return AfterValidator(check)


def _usable(ca_file: Path) -> Path:
    try:
        tls_context(str(ca_file), "servers")
    except UnusableCaFile as error:
        raise ValueError(str(error)) from None
    return ca_file


DatabaseUrl = Annotated[SecretStr, _url("postgresql", "postgres")]
AmqpUrl = Annotated[SecretStr, _url("amqp", "amqps")]
HttpUrl = Annotated[SecretStr, _url("http", "https")]
UsableCaFile = Annotated[Path, AfterValidator(_usable)]


class Configuration(BaseModel):
    """The configuration of every process of ours: where its secrets lie and how it logs."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True, validate_default=True)

    secrets_dir: Path = Field(default=Path("/run/secrets"), description="the folder of the secret files")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="DEBUG, INFO, WARNING or ERROR"
    )
    log_format: Literal["json", "console"] = Field(
        default="json", description="json (one object a line) or console (for people)"
    )

    require_tls: RequireTls = Field(
        default=RequireTls.ELSEWHERE,
        description="elsewhere (PostgreSQL and RabbitMQ on other machines), always (those on this machine too, and "
        "mail servers whatever their settings allow) or never (as the addresses say)",
    )
    server_ca_file: UsableCaFile | None = Field(
        default=None,
        description="a PEM file with the authorities that vouch for PostgreSQL and RabbitMQ, in place of the machine's",
    )

    @classmethod
    def load(cls, **given: Any) -> Self:
        """The configuration from the environment, with what the program itself gives; Misconfigured when it is bad."""
        set_outside = {name: os.environ.get(variable_of(name)) for name in cls.model_fields}
        try:
            return cls(**{name: value for name, value in set_outside.items() if value} | given)
        except ValidationError as invalid:
            raise Misconfigured(one_below_another([cls._sentence(error) for error in invalid.errors()])) from None

    @classmethod
    def _sentence(cls, error: Any) -> Sentence:
        name = str(error["loc"][0]) if error["loc"] else ""
        field = cls.model_fields.get(name)
        described = field.description if field is not None else None
        expected = Sentence(described) if described else Sentence("see the manual of the service")
        if error["type"] == "missing":
            return Sentence("%(name)s is not set. Set it to: %(expected)s.", name=variable_of(name), expected=expected)
        return Sentence(
            "%(name)s is wrong (%(why)s). Set it to: %(expected)s.",
            name=variable_of(name),
            why=error["msg"].removeprefix("Value error, "),
            expected=expected,
        )

    def secret(self, name: str) -> SecretStr:
        """The secret `name`; Misconfigured, naming the places where it was looked for, when it is nowhere."""
        variable = variable_of(name)
        if value := os.environ.get(variable):
            return SecretStr(value)
        path = self.secret_file(name)
        try:
            value = path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            unreadable = Sentence(
                "The secret %(name)s cannot be read from %(path)s (%(why)s). Put it there, or name another file in "
                "%(variable)s_FILE.",
                name=name,
                path=path,
                why=error.strerror if isinstance(error, OSError) else Sentence("it is not text"),
                variable=variable,
            )
            raise Misconfigured(unreadable) from None
        if not value:
            empty = Sentence(
                "The secret %(name)s in %(path)s is empty. Put the secret in that file.", name=name, path=path
            )
            raise Misconfigured(empty)
        return SecretStr(value)

    def gives(self, name: str) -> bool:
        """Whether the secret of this name is given here, readable or not."""
        variable = variable_of(name)
        return (
            bool(os.environ.get(variable) or os.environ.get(f"{variable}_FILE")) or (self.secrets_dir / name).exists()
        )

    def secret_if_given(self, name: str) -> SecretStr | None:
        """The secret `name`, None when it is not given here; Misconfigured when it is and cannot be read."""
        return self.secret(name) if self.gives(name) else None

    def secret_file(self, name: str) -> Path:
        """The file of the secret `name`, which `IMPORTER_NAME` itself overrules."""
        named = os.environ.get(f"{variable_of(name)}_FILE")
        return Path(named) if named else self.secrets_dir / name

    def with_credentials(self, url: SecretStr, user: str, secret: str) -> SecretStr:
        """`url` with this user and the named secret as password, and with TLS as it is required.

        Credentials that stand in the URL win. Misconfigured when it leads elsewhere without TLS.
        """
        ca_file = None if self.server_ca_file is None else str(self.server_ca_file)
        try:
            parts = urlsplit(secured(url.get_secret_value(), self.require_tls, ca_file))
        except WithoutTls as error:
            raise Misconfigured(said_by(error)) from None
        if parts.username:
            return SecretStr(urlunsplit(parts))
        password = self.secret(secret).get_secret_value()
        credentials = f"{quote(user, safe='')}:{quote(password, safe='')}"
        return SecretStr(urlunsplit(parts._replace(netloc=f"{credentials}@{parts.netloc}")))


class ProcessConfiguration(Configuration):
    """The configuration of a process that runs until it is told to stop, and says how it is."""

    service: ServiceName
    health_host: str = Field(default="127.0.0.1", description="the address on which /health and /metrics listen")
    health_port: int = Field(default=0, ge=0, le=65535, description="a port, or 0 for a free one (it is logged)")
    drain_seconds: float = Field(
        default=20, gt=0, le=600, description="seconds in which work in hand may end after SIGTERM, at most 600"
    )


class ServiceConfiguration(ProcessConfiguration):
    """The configuration of one service. `database_dsn` and `amqp_dsn` are its own role and user, password included."""

    database_url: DatabaseUrl = Field(
        description="postgresql://HOST:PORT/DATABASE; the role is importer_SERVICE with the secret "
        "database_password_SERVICE, unless the address holds credentials"
    )
    amqp_url: AmqpUrl = Field(
        description="amqp://HOST:PORT/VHOST or amqps://…; the user is importer_SERVICE with the secret "
        "amqp_password_SERVICE, unless the address holds credentials"
    )
    workers: int = Field(default=32, ge=1, le=200, description="how many messages are handled at once, 1 to 200")
    suspects_after_seconds: float = Field(
        default=20,
        ge=0,
        le=3600,
        description="seconds after the start before messages are taken up that earlier processes may have died of",
    )
    _database_dsn: SecretStr = PrivateAttr()
    _amqp_dsn: SecretStr = PrivateAttr()

    def model_post_init(self, context: Any, /) -> None:
        """Read the passwords now: a missing one stops the start, not the first mail."""
        super().model_post_init(context)
        user = f"importer_{self.service}"
        self._database_dsn = self.with_credentials(self.database_url, user, f"database_password_{self.service}")
        self._amqp_dsn = self.with_credentials(self.amqp_url, user, f"amqp_password_{self.service}")

    @property
    def database_dsn(self) -> SecretStr:
        """The URL of the database with this service's own role and password."""
        return self._database_dsn

    @property
    def amqp_dsn(self) -> SecretStr:
        """The URL of the broker with this service's own user and password."""
        return self._amqp_dsn


class BrokerAdministration(Configuration):
    """The configuration of the jobs that own the topology: the management API of RabbitMQ, and the virtual host."""

    rabbitmq_management_url: HttpUrl = Field(
        description="http://HOST:PORT of RabbitMQ's management API; the user is importer_admin with the secret "
        "amqp_password_admin, unless the address holds credentials"
    )
    amqp_url: AmqpUrl = Field(description="amqp://HOST:PORT/VHOST: its virtual host gets the topology")

    @property
    def management_dsn(self) -> SecretStr:
        """The URL of the management API with the administrator's user and password."""
        return self.with_credentials(self.rabbitmq_management_url, "importer_admin", "amqp_password_admin")
