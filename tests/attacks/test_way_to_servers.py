"""An attacker stands on the way to PostgreSQL, RabbitMQ, a mail server or a mailbox, and shows what certificate he has.

Behind him is the real server, as far as one runs here: he hears nothing of what we would say to it.
"""

import ssl
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit, urlunsplit

import pytest
from pydantic import SecretStr

from deploy.demo.smtp_server import SmtpServer
from services.fetcher.mailboxes import registry
from services.fetcher.mailboxes.protocol import MailboxAccess, MailboxError
from services.fetcher.rules.problem import ProblemKind
from services.notifier.notification import Account, Secrets, Security
from services.notifier.smtp import SmtpTransport
from services.notifier.transport import AccountTrouble
from services.notifier.transports import Transports
from shared.broker.administration import management
from shared.broker.session import Session
from shared.configuration import BrokerAdministration, ServiceConfiguration
from shared.database.pool import open_pool
from shared.errors import ImporterError, Misconfigured
from shared.sealing import Keyring, new_key
from tests.attacks.tls_terminator import Terminator, terminator
from tests.databases import Database
from tests.servers.certificates import Certificates, make_certificates
from tests.servers.imap_server import ImapServer
from tests.vhosts import Vhost

SERVERS = ("postgresql", "rabbitmq", "management", "smtp", "mailbox")


@dataclass(frozen=True, slots=True)
class Shown:
    """What a server shows, and what we trust."""

    server: Certificates
    ca_file: str


def _made(folder: Path, **how: Any) -> Certificates:
    folder.mkdir()
    return make_certificates(folder, **how)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Shown]:
    folder = tmp_path_factory.mktemp("certificates")
    good = _made(folder / "good")
    others = {
        "another-host": _made(folder / "host", address="127.0.0.2"),
        "expired": _made(folder / "expired", ends_in=-timedelta(hours=1)),
    }
    found = {name: Shown(server, str(server.ca_file)) for name, server in others.items()}
    return found | {
        "good": Shown(good, str(good.ca_file)),
        "another-authority": Shown(good, str(others["expired"].ca_file)),
    }


@dataclass(slots=True)
class Way:
    """The way to one server of each kind, with whoever stands on it: `between` heard what was said there."""

    database: Database
    vhost: Vhost
    environment: pytest.MonkeyPatch
    between: Terminator = field(default_factory=Terminator)

    async def take(self, server: str, attack: str, shown: dict[str, Shown]) -> None:
        """Talk to `server` as our services do, through `attack`."""
        what = shown["good" if attack == "no-tls" else attack]
        tls = None if attack == "no-tls" else what.server.server
        self.environment.setenv("IMPORTER_REQUIRE_TLS", "always")
        self.environment.setenv("IMPORTER_SERVER_CA_FILE", what.ca_file)
        await getattr(self, f"_{server}")(what.ca_file, tls)

    async def _postgresql(self, _: str, tls: ssl.SSLContext | None) -> None:
        url = urlsplit(self.database.dsn("fetcher").get_secret_value())
        with terminator(url.port or 0, tls, asked=True) as self.between:
            dsn = self._configured(database=_through(url, self.between)).database_dsn.get_secret_value()
            pool = await open_pool(dsn, application_name="test", patience=timedelta(0))
            await pool.close()

    async def _rabbitmq(self, _: str, tls: ssl.SSLContext | None) -> None:
        url = urlsplit(self.vhost.dsn("fetcher").get_secret_value())
        with terminator(url.port or 0, tls) as self.between:
            dsn = self._configured(amqp=_through(url, self.between, scheme="amqps")).amqp_dsn
            async with await Session.open(dsn, "test") as session:
                await session.channel()

    async def _management(self, _: str, tls: ssl.SSLContext | None) -> None:
        url = urlsplit(self.vhost.empty.server.management_url)
        with terminator(url.port or 0, tls) as self.between:
            address = _through(url, self.between, scheme="https")
            self.environment.setenv("IMPORTER_RABBITMQ_MANAGEMENT_URL", address)
            self.environment.setenv("IMPORTER_AMQP_URL", "amqps://127.0.0.1/")
            async with management(BrokerAdministration.load().management_dsn, self.vhost.name) as broker:
                assert await broker.get("overview") is not None

    async def _smtp(self, ca_file: str, tls: ssl.SSLContext | None) -> None:
        async with SmtpServer() as server:
            with terminator(server.port, tls) as self.between:
                transport = SmtpTransport(
                    Account(1, 1, "smtp", "127.0.0.1", self.between.port, Security.TLS, ca_file=ca_file), Secrets()
                )
                await transport.check()

    async def _mailbox(self, ca_file: str, tls: ssl.SSLContext | None) -> None:
        async with ImapServer() as server:
            with terminator(server.port, tls) as self.between:
                access = MailboxAccess(
                    "imap",
                    f"imaps://127.0.0.1:{self.between.port}",
                    username=server.login,
                    password=SecretStr(server.password),
                    ca_file=ca_file,
                    allow_unencrypted=True,
                )
                mailbox = await registry.open_mailbox(access)
                await mailbox.close()

    def _configured(
        self, database: str = "postgresql://x:x@127.0.0.1/x", amqp: str = "amqps://x:x@127.0.0.1/"
    ) -> ServiceConfiguration:
        self.environment.setenv("IMPORTER_DATABASE_URL", database)
        self.environment.setenv("IMPORTER_AMQP_URL", amqp)
        return ServiceConfiguration.load(service="fetcher")


def _through(url: SplitResult, between: Terminator, scheme: str | None = None) -> str:
    login = url.netloc.rpartition("@")[0]
    return urlunsplit(url._replace(scheme=scheme or url.scheme, netloc=f"{login}@127.0.0.1:{between.port}"))


@pytest.fixture
def way(database: Database, vhost: Vhost, monkeypatch: pytest.MonkeyPatch) -> Way:
    return Way(database, vhost, monkeypatch)


@pytest.mark.parametrize("server", SERVERS)
async def test_a_certificate_that_holds_opens_the_way(way: Way, shown: dict[str, Shown], server: str) -> None:
    await way.take(server, "good", shown)
    assert way.between.heard > 0


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize(
    ("attack", "why"),
    [
        ("another-authority", "unable to get local issuer certificate|self-signed certificate"),
        ("another-host", "mismatch"),
        ("expired", "expired"),
        ("no-tls", "(?i)TLS|SSL|wrong.version"),
    ],
)
async def test_nothing_is_said_to_who_shows_no_certificate_that_holds(
    way: Way, shown: dict[str, Shown], server: str, attack: str, why: str
) -> None:
    with pytest.raises(ImporterError, match=why):
        await way.take(server, attack, shown)
    assert attack == "no-tls" or way.between.heard == 0


def test_an_address_without_tls_elsewhere_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMPORTER_DATABASE_URL", "postgresql://db.example/helpdesk")
    monkeypatch.setenv("IMPORTER_AMQP_URL", "amqp://mq.example/helpdesk")
    monkeypatch.setenv("IMPORTER_DATABASE_PASSWORD_FETCHER", "x")
    monkeypatch.setenv("IMPORTER_AMQP_PASSWORD_FETCHER", "x")
    with pytest.raises(Misconfigured, match=r"IMPORTER_AMQP_URL leads to mq\.example without TLS"):
        ServiceConfiguration.load(service="fetcher")


async def test_where_tls_is_required_everywhere_no_setting_of_a_helpdesk_goes_without(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("IMPORTER_REQUIRE_TLS", "always")
    async with ImapServer() as server, SmtpServer() as smtp:
        access = MailboxAccess(
            "imap",
            f"imap://127.0.0.1:{server.port}",
            username=server.login,
            password=SecretStr(server.password),
            allow_unencrypted=True,
        )
        with pytest.raises(MailboxError) as refused:
            await registry.open_mailbox(access)
        assert refused.value.kind is ProblemKind.NOT_SECURE
        assert server.logins == 0
        async with Transports(Keyring.from_secret(new_key())) as transports:
            with pytest.raises(AccountTrouble, match="IMPORTER_REQUIRE_TLS"):
                transports.of(Account(1, 1, "smtp", smtp.host, smtp.port, Security.NONE))
