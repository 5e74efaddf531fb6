"""SMTP with a token of Microsoft Entra in place of a password: SASL XOAUTH2 by client credentials."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog
from pydantic import SecretStr

from services.notifier.notification import Account, Secrets, Security
from services.notifier.rules.addresses import parse_address
from services.notifier.smtp import Rest, SmtpTransport
from services.notifier.transport import AccountTrouble, OutgoingMail, Refused
from shared.portal.delivery import DeliveryReason
from tests.servers.certificates import Certificates, make_certificates
from tests.servers.graph_apps import app_certificate
from tests.servers.graph_entra import CLIENT_ID, SECRET, TENANT
from tests.servers.graph_faults import status
from tests.servers.graph_server import GraphServer
from tests.servers.smtp_xoauth2 import XOAuth2Server
from tests.services.notifier.house import NO_REST

MAILBOX = "ict@example.nl"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def microsoft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GraphServer]:
    with GraphServer(tmp_path) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield server


@asynccontextmanager
async def exchange(microsoft: GraphServer, certificates: Certificates, **changes: Any) -> AsyncIterator[XOAuth2Server]:
    known: dict[str, Any] = {"entra": microsoft.entra, "mailboxes": {MAILBOX}, "tls": certificates.server}
    async with XOAuth2Server(**(known | changes)) as server:
        yield server


@asynccontextmanager
async def sending(
    server: XOAuth2Server, trusting: Path, secrets: Secrets | None = None, *, rest: Rest = NO_REST, **changes: Any
) -> AsyncIterator[SmtpTransport]:
    known: dict[str, Any] = {
        "security": Security.STARTTLS,
        "ca_file": str(trusting),
        "username": CLIENT_ID,
        "tenant": TENANT,
        "mailbox_address": MAILBOX,
    }
    account = Account(1, 1, "smtp", server.host, server.port, **(known | changes))
    transport = SmtpTransport(account, secrets or Secrets(SecretStr(SECRET)), rest=rest)
    try:
        yield transport
    finally:
        await transport.close()


@pytest.fixture
def trusted(microsoft: GraphServer, certificates: Certificates, tmp_path: Path) -> Path:
    """Both authorities: of the mail server and of Entra."""
    both = tmp_path / "both.pem"
    both.write_bytes(certificates.ca_file.read_bytes() + microsoft.ca_file.read_bytes())
    return both


def mail(sender: str = MAILBOX) -> OutgoingMail:
    return OutgoingMail(parse_address(sender), parse_address("piet@klant.example"), b"Subject: hallo\r\n\r\nhallo\r\n")


async def test_a_token_opens_the_mailbox_and_one_login_serves_many_mails(
    microsoft: GraphServer, certificates: Certificates, trusted: Path
) -> None:
    async with exchange(microsoft, certificates) as server, sending(server, trusted) as transport:
        for _ in range(3):
            await transport.send(mail())
        assert [delivery.login for delivery in server.deliveries] == [MAILBOX] * 3
        assert server.logins == [MAILBOX]
        assert all(delivery.tls for delivery in server.deliveries)
    assert microsoft.token_requests == 1


async def test_a_certificate_does_as_well_as_a_secret(
    microsoft: GraphServer, certificates: Certificates, trusted: Path
) -> None:
    pem, certificate = app_certificate()
    microsoft.entra.apps[CLIENT_ID].certificates.append(certificate)
    async with (
        exchange(microsoft, certificates) as server,
        sending(server, trusted, Secrets(certificate=pem)) as transport,
    ):
        await transport.send(mail())
        assert len(server.deliveries) == 1


@pytest.mark.parametrize("challenges", [False, True], ids=["535 at once", "334 with the reason first"])
async def test_a_refused_token_is_trouble_with_what_to_do(
    microsoft: GraphServer, certificates: Certificates, trusted: Path, *, challenges: bool
) -> None:
    async with (
        exchange(microsoft, certificates, mailboxes=set(), challenges=challenges) as server,
        sending(server, trusted, rest=Rest()) as transport,
    ):
        for _ in range(4):
            with pytest.raises(AccountTrouble, match=r": 535 5\.7\.3 .*SMTP\.SendAsApp.*Add-MailboxPermission") as said:
                await transport.send(mail())
            assert said.value.reason is DeliveryReason.LOGIN_REFUSED
        assert server.logins == [MAILBOX]


async def test_a_token_that_was_withdrawn_is_replaced_at_the_next_try(
    microsoft: GraphServer, certificates: Certificates, trusted: Path
) -> None:
    async with exchange(microsoft, certificates) as server, sending(server, trusted) as transport:
        await transport.send(mail())
        server.drop_connections()
        microsoft.entra.end_tokens()
        with pytest.raises(AccountTrouble):
            await transport.send(mail())
        await transport.send(mail())
        assert len(server.deliveries) == 2


async def test_smtp_that_is_switched_off_says_which_switch(
    microsoft: GraphServer, certificates: Certificates, trusted: Path
) -> None:
    off = "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant."
    async with (
        exchange(microsoft, certificates, mailboxes=set(), refusal=off) as server,
        sending(server, trusted) as transport,
    ):
        with pytest.raises(AccountTrouble, match=r"SmtpClientAuthenticationDisabled \$false"):
            await transport.send(mail())


async def test_sending_in_anothers_name_is_refused(
    microsoft: GraphServer, certificates: Certificates, trusted: Path
) -> None:
    async with exchange(microsoft, certificates) as server, sending(server, trusted) as transport:
        with pytest.raises(Refused, match=r"5\.7\.60"):
            await transport.send(mail("directie@example.nl"))


async def test_a_refused_app_and_an_absent_entra_are_told_apart(
    microsoft: GraphServer, certificates: Certificates, trusted: Path
) -> None:
    async with exchange(microsoft, certificates) as server:
        async with sending(server, trusted, Secrets(SecretStr("wrong"))) as transport:
            with pytest.raises(AccountTrouble, match="7000215") as refused:
                await transport.send(mail())
        assert refused.value.reason is DeliveryReason.LOGIN_REFUSED
        microsoft.fault(r"POST .*/token", status(503))
        async with sending(server, trusted) as transport:
            with pytest.raises(AccountTrouble) as away:
                await transport.send(mail())
            assert away.value.reason is DeliveryReason.SERVER_AWAY
            await transport.send(mail())
        assert server.logins == [MAILBOX]


async def test_a_server_without_xoauth2_gets_no_token(
    microsoft: GraphServer, certificates: Certificates, trusted: Path
) -> None:
    from deploy.demo.smtp_server import SmtpServer  # noqa: PLC0415 - the only test with a server without it

    async with SmtpServer(tls=certificates.server, login=("u", "p")) as server:
        plain = XOAuth2Server(host=server.host, port=server.port, entra=microsoft.entra)
        async with sending(plain, trusted) as transport:
            with pytest.raises(AccountTrouble, match="XOAUTH2"):
                await transport.send(mail())
        assert server.logins == []


async def test_neither_secret_nor_token_is_shown(
    microsoft: GraphServer, certificates: Certificates, trusted: Path
) -> None:
    with structlog.testing.capture_logs() as logged:
        async with (
            exchange(microsoft, certificates, mailboxes=set(), challenges=True) as server,
            sending(server, trusted) as transport,
        ):
            with pytest.raises(AccountTrouble) as trouble:
                await transport.send(mail())
    shown = f"{transport.__dict__!r} {trouble.value!r} {trouble.value.__cause__!r} {logged!r}"
    for secret in (SECRET, *microsoft.entra.given):
        assert secret not in shown
