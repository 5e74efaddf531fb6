"""What `deploy/compose.yaml` is given: a folder with secrets, settings, ports and a place for Maildirs.

secrets/       one file each, readable by the containers' users, in a folder that only its owner can enter
certificates/  those of PostgreSQL and RabbitMQ, which the job `certificates` makes
compose.env    settings of the Compose file; what the environment of `make up` names is kept for the next time,
               and an empty value is the default again
ports.json     where the servers answer on 127.0.0.1
mail/          mounted as /mail: Maildirs, unless IMPORTER_MAIL_DIRECTORY names another folder
"""

import hmac
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.local import credentials, ports, settings_file
from deploy.local.endpoints import RABBITMQ_ADMINISTRATOR
from deploy.local.failure import SetUpFailed

# Images; what the containers run as, how many there are, and what they may take: see deploy/compose.yaml.
CHOICES = (
    *("POSTGRES_IMAGE", "RABBITMQ_IMAGE", "BASE_IMAGE", "IMPORTER_IMAGE"),
    *("IMPORTER_MAIL_DIRECTORY", "IMPORTER_USER", "IMPORTER_LOG_LEVEL", "OTEL_EXPORTER_OTLP_ENDPOINT"),
    *("FETCHERS", "CLASSIFIERS", "TICKET_WRITERS", "NOTIFIERS", "READERS"),
    *("CLASSIFIER_MEMORY", "POSTGRES_MEMORY", "RABBITMQ_MEMORY", "POSTGRES_ADDRESS"),
    *("IMPORTER_CA_DIRECTORY", "IMPORTER_CLAMD_DIRECTORY"),
    *("IMPORTER_TICKET_NUMBER_PATTERN", "IMPORTER_CLAMD_URL", "IMPORTER_REQUIRE_TLS", "IMPORTER_SERVER_NAMES"),
    *("IMPORTER_ALARM_SMTP_URL", "IMPORTER_ALARM_SMTP_CA_FILE", "IMPORTER_ALARM_FROM", "IMPORTER_ALARM_TO"),
    *("IMPORTER_ALARM_WEBHOOK_URL", "IMPORTER_ALARM_WEBHOOK_CA_FILE", "IMPORTER_LANGUAGE", "IMPORTER_DIGEST_HOUR"),
    *("IMPORTER_MICROSOFT_LOGIN_URL", "IMPORTER_MICROSOFT_GRAPH_URL"),
    *("IMPORTER_WEB_URL", "IMPORTER_WEB_OIDC_ISSUER", "IMPORTER_WEB_OIDC_CLIENT_ID", "IMPORTER_WEB_OIDC_CLAIM"),
    *("IMPORTER_WEB_OIDC_GROUPS_CLAIM", "IMPORTER_WEB_OIDC_MAKE_USERS"),
    *("IMPORTER_WEB_OIDC_ONLY", "IMPORTER_WEB_OIDC_CA_FILE"),
)
IMAGES = {
    "POSTGRES_IMAGE": "postgres:17",
    "RABBITMQ_IMAGE": "rabbitmq:4.0-management",
    "BASE_IMAGE": "debian:trixie-slim",
}
_PORTS = {"POSTGRES_PORT": 1, "AMQP_PORT": 1, "RABBITMQ_CONSOLE_PORT": 1, "WEB_PORT": 1}
# the user that the image has; root's own number would be root in the containers
_USER_OF_IMAGE = 10001
_OF_CERTIFICATES = ("authority", "public", "postgres", "rabbitmq")
_MADE_WITH = "_MADE_WITH"
_CHOSEN_PORTS = "CHOSEN_PORTS"
_PORTS_END = 65536


@dataclass(frozen=True, slots=True)
class ComposeFolder:
    """The folder of one Compose project."""

    folder: Path
    project: str

    @property
    def secrets(self) -> Path:
        return self.folder / "secrets"

    @property
    def certificates(self) -> Path:
        return self.folder / "certificates"

    @property
    def env_file(self) -> Path:
        return self.folder / "compose.env"

    def is_new(self) -> bool:
        """Whether its passwords are still to be made, so that no data can have been made with them."""
        return not (self.secrets / "database_password_superuser").exists()

    def write(self, environment: Mapping[str, str], *, keep_ports: bool) -> None:
        """Make or update all of it; `keep_ports` when its own containers hold them now."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._write_secrets()
        self._make_room_for_certificates()
        chosen = self._chosen_ports(environment)
        settled = ports.settle(self._ports_file, _PORTS, _PORTS if keep_ports else (), chosen=chosen)
        settings = self._settings(environment, settled) | {_CHOSEN_PORTS: " ".join(chosen)}
        settings_file.write(self.env_file, settings, settings_file.for_compose)

    def settings(self) -> dict[str, str]:
        """The settings of the Compose file as they were written; none before."""
        return settings_file.read(self.env_file)

    def importer_settings(self) -> dict[str, str]:
        """What a process on this machine is told to reach the servers in the containers."""
        settled = ports.kept(self._ports_file)
        return {
            "IMPORTER_DATABASE_URL": f"postgresql://127.0.0.1:{settled['POSTGRES_PORT']}/helpdesk?sslmode=verify-full",
            "IMPORTER_AMQP_URL": f"amqps://127.0.0.1:{settled['AMQP_PORT']}/helpdesk",
            "IMPORTER_RABBITMQ_MANAGEMENT_URL": f"https://127.0.0.1:{settled['RABBITMQ_CONSOLE_PORT']}",
            "IMPORTER_SERVER_CA_FILE": str(self.ca_file),
            "IMPORTER_SECRETS_DIR": str(self.secrets),
        }

    def web_address(self) -> str:
        """Where the web console answers on this machine."""
        return f"http://127.0.0.1:{ports.kept(self._ports_file)['WEB_PORT']}"

    @property
    def ca_file(self) -> Path:
        """Whom clients of PostgreSQL and RabbitMQ trust."""
        return self.certificates / "public/ca.pem"

    def note_what_they_are_made_with(self, files: Mapping[str, Iterable[Path]]) -> None:
        """Write down, for each service, whether its files are still those that it was started with.

        A fingerprint with a key of our own, in a label of the container: another one makes Compose start another
        container. It tells nothing of a password to who may look at labels.
        """
        key = credentials.keep(self.folder / "fingerprint_key").encode()
        made_with = {
            f"{service.upper()}{_MADE_WITH}": hmac.digest(
                key, b"\0".join(file.read_bytes() for file in sorted(theirs)), "sha256"
            ).hex()[:16]
            for service, theirs in files.items()
        }
        settings_file.write(self.env_file, self.settings() | made_with, settings_file.for_compose)

    @property
    def _ports_file(self) -> Path:
        return self.folder / "ports.json"

    def _chosen_ports(self, environment: Mapping[str, str]) -> dict[str, int]:
        """The ports that somebody has chosen, now or earlier, and that must not move; SetUpFailed when one is none."""
        earlier = ports.kept(self._ports_file)
        chosen = {name: earlier[name] for name in self.settings().get(_CHOSEN_PORTS, "").split() if name in earlier}
        for name in _PORTS:
            if port := environment.get(name):
                if not port.isdecimal() or not 0 < int(port) < _PORTS_END:
                    raise SetUpFailed(f"{name}={port} is no port: a number from 1 to {_PORTS_END - 1}, or nothing.")
                chosen[name] = int(port)
            elif port is not None:
                chosen.pop(name, None)
        return chosen

    def _settings(self, environment: Mapping[str, str], settled: Mapping[str, int]) -> dict[str, str]:
        earlier = self.settings()
        chosen = {name: environment.get(name, earlier.get(name)) for name in CHOICES}
        return {
            "COMPOSE_PROJECT_NAME": self.project,
            "IMPORTER_SECRETS": str(self.secrets),
            "IMPORTER_CERTIFICATES": str(self.certificates),
            "IMPORTER_CERTIFICATES_USER": "{}:{}".format(*_unprivileged()),
            **IMAGES,
            "IMPORTER_IMAGE": self.project,
            **self._mail(chosen),
            **{name: value for name, value in chosen.items() if value},
            **{name: str(port) for name, port in settled.items()},
            **{name: value for name, value in earlier.items() if name.endswith(_MADE_WITH)},
        }

    def _mail(self, chosen: Mapping[str, str | None]) -> dict[str, str]:
        """Maildirs in this folder, as a user that can write there, and whose files we can write too."""
        uid, gid = _unprivileged()
        mail = self.folder / "mail"
        if not chosen["IMPORTER_MAIL_DIRECTORY"] and not mail.exists():
            mail.mkdir(mode=0o700)
            os.chown(mail, uid, gid)
        return {"IMPORTER_MAIL_DIRECTORY": str(mail), "IMPORTER_USER": f"{uid}:{gid}"}

    def _make_room_for_certificates(self) -> None:
        """The folders that are mounted: Docker would make them as root's, where the job may not write."""
        for folder in (self.certificates, *(self.certificates / name for name in _OF_CERTIFICATES)):
            if not folder.exists():
                folder.mkdir(mode=0o755 if folder.name == "public" else 0o700)
                os.chown(folder, *_unprivileged())

    def _write_secrets(self) -> None:
        credentials.ensure(self.secrets)
        credentials.keep(self.secrets / "database_password_superuser")
        password = credentials.keep(self.secrets / "amqp_password_admin")
        credentials.keep(
            self.secrets / "rabbitmq_administrator.conf",
            lambda: f"default_user = {RABBITMQ_ADMINISTRATOR}\ndefault_pass = {password}",
        )
        for file in self.secrets.iterdir():
            # mounted one by one into containers whose users have numbers of their own
            file.chmod(0o444)


def _unprivileged() -> tuple[int, int]:
    """The user and group that files of the containers belong to: ours, or for root the image's."""
    return (os.geteuid(), os.getegid()) if os.geteuid() != 0 else (_USER_OF_IMAGE, _USER_OF_IMAGE)
