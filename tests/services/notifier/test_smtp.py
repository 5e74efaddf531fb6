"""Sending over a real socket: kept connections, TLS as the account says, a login tried once, every refusal sorted."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import pytest
from pydantic import SecretStr

from deploy.demo.smtp_server import Delivery, SmtpServer, Verb
from services.notifier import smtp
from services.notifier.notification import Account, Secrets, Security
from services.notifier.rules.addresses import parse_address
from services.notifier.smtp import Rest, SmtpTransport
from services.notifier.transport import AccountTrouble, InDoubt, OutgoingMail, Postponed, Refused
from shared.portal.delivery import DeliveryReason
from tests.servers.certificates import Certificates, make_certificates
from tests.services.notifier.house import NO_REST

PASSWORD = SecretStr("geheim")


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@asynccontextmanager
async def sending_to(
    server: SmtpServer, *, rest: Rest = NO_REST, password: SecretStr | None = None, **changes: Any
) -> AsyncIterator[SmtpTransport]:
    account = Account(1, 1, "smtp", server.host, server.port, Security.NONE)
    transport = SmtpTransport(replace(account, **changes), Secrets(password), rest=rest)
    try:
        yield transport
    finally:
        await transport.close()


def mail(to: str = "piet@klant.example", content: bytes = b"Subject: hallo\r\n\r\nhallo\r\n") -> OutgoingMail:
    return OutgoingMail(parse_address("ict@example.nl"), parse_address(to), content)


async def test_the_servers_reply_is_returned_and_the_mail_arrives_as_it_was_written() -> None:
    content = b"Subject: x\r\n\r\n.punt\r\n..twee punten\r\nFrom regel\r\n" + b"x" * 900 + b"\r\n"
    async with SmtpServer() as server, sending_to(server) as transport:
        assert await transport.send(mail(content=content)) == "250 2.0.0 Ok: queued as 1"
        [delivery] = server.deliveries
        assert delivery.content == content
        assert (delivery.sender, delivery.recipients) == ("ict@example.nl", ("piet@klant.example",))


@pytest.mark.parametrize(
    ("content", "arrives"),
    [
        (b".\r\n.\r\n\r\n.", b".\r\n.\r\n\r\n.\r\n"),
        (b"a\n.\nMAIL FROM:<x@example.nl>\n", b"a\r\n.\r\nMAIL FROM:<x@example.nl>\r\n"),
        (b"a\r.\rb\r\n.\r\n\n", b"a\r\n.\r\nb\r\n.\r\n\r\n"),
        (b"", b"\r\n"),
    ],
    ids=["dots and no end", "LF", "CR and a mixture", "nothing"],
)
async def test_no_line_of_a_mail_ends_it(content: bytes, arrives: bytes) -> None:
    async with SmtpServer() as server, sending_to(server) as transport:
        await transport.send(mail(content=content))
        assert [delivery.content for delivery in server.deliveries] == [arrives]


async def test_one_connection_and_one_login_serve_many_mails() -> None:
    async with (
        SmtpServer(login=("importer", "geheim")) as server,
        sending_to(server, username="importer", password=PASSWORD) as transport,
    ):
        for _ in range(5):
            await transport.send(mail())
        assert {delivery.connection for delivery in server.deliveries} == {1}
        assert [delivery.login for delivery in server.deliveries] == ["importer"] * 5
        assert server.logins == ["importer"]


async def test_connections_are_bounded() -> None:
    async with SmtpServer() as server, sending_to(server) as transport:
        await asyncio.gather(*(transport.send(mail()) for _ in range(30)))
        assert len(server.deliveries) == 30
        assert server.connections <= 4


async def test_no_mail_waits_for_connections_for_which_another_waited_in_vain(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else a server that takes minutes for a mail would hold all that a notifier has in hand, other servers' too."""
    goes_on = asyncio.Event()

    async def answers_late(_: Delivery) -> None:
        await goes_on.wait()

    async with SmtpServer(on_delivery=answers_late) as server, sending_to(server) as transport:
        slow = [asyncio.create_task(transport.send(mail())) for _ in range(4)]
        await server.wait_for(4)
        monkeypatch.setattr(smtp, "WAIT_SECONDS", 0.1)
        with pytest.raises(AccountTrouble, match="none of its connections is free"):
            await transport.send(mail())
        monkeypatch.setattr(smtp, "WAIT_SECONDS", 3600)
        with pytest.raises(AccountTrouble, match="none of its connections is free"):
            await transport.send(mail())
        waits = asyncio.gather(*slow)
        goes_on.set()
        await waits
        await transport.send(mail())
        assert len(server.deliveries) == 5


async def test_a_kept_connection_that_the_server_ended_is_replaced() -> None:
    async with SmtpServer() as server, sending_to(server) as transport:
        await transport.send(mail())
        server.drop_connections()
        await transport.send(mail())
        server.answers["MAIL"] = ["421 4.4.2 idle for too long"]
        await transport.send(mail())
        assert [delivery.connection for delivery in server.deliveries] == [1, 2, 3]


async def test_a_mail_whose_reply_never_came_is_postponed_not_sent_again_at_once() -> None:
    async with SmtpServer(break_after_data=1) as server, sending_to(server) as transport:
        with pytest.raises(InDoubt, match="may have taken the mail") as trouble:
            await transport.send(mail())
        assert trouble.value.reason is DeliveryReason.SERVER_AWAY
        assert len(server.deliveries) == 1


class Scripted:
    """A server that answers each command by `said`, a mail by «.», all else with 250; b"" ends the connection."""

    def __init__(self, **said: bytes) -> None:
        self.said = {b"DATA": b"354 go on\r\n", b".": b"250 taken\r\n"} | {
            verb.encode(): answer for verb, answer in said.items()
        }
        self.got: list[bytes] = []
        """What came of each mail, whole or not."""
        self.host, self.port = "127.0.0.1", 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, self.host, 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answer, verb = b"220 hello\r\n", b""
        while answer:
            writer.write(answer)
            if verb == b"DATA" and answer.startswith(b"354"):
                self.got.append(await reader.readuntil(b"\r\n.\r\n"))
                verb = b"."
            elif line := await reader.readline():
                verb = line.split()[0]
            else:
                break
            answer = self.said.get(verb, b"250 ok\r\n")
        writer.close()


@asynccontextmanager
async def sending_to_scripted(**said: bytes) -> AsyncIterator[tuple[Scripted, SmtpTransport]]:
    async with Scripted(**said) as server:
        transport = SmtpTransport(
            Account(1, 1, "smtp", server.host, server.port, Security.NONE), Secrets(), rest=NO_REST
        )
        try:
            yield server, transport
        finally:
            await transport.close()


@pytest.mark.parametrize("reply", [b"251 2.1.5 passed on\r\n", b"200 fine\r\n", b"250\r\n", b"250-a\n250 \xe9\x00\n"])
async def test_a_reply_that_begins_with_a_2_means_that_the_mail_was_taken(reply: bytes) -> None:
    async with sending_to_scripted(RCPT=b"252 shall try\r\n", **{".": reply}) as (server, transport):
        assert (await transport.send(mail())).startswith(reply[:3].decode())
        assert (await transport.send(mail())).isprintable()
        assert len(server.got) == 2


@pytest.mark.parametrize(
    "reply",
    [
        b"354 more?\r\n",
        b"999 what\r\n",
        b"fine, thanks\r\n",
        b"x" * 5000 + b"\r\n",
        b"\r\n250 ok\r\n",
        b"250-a line\r\n" * 50_000 + b"250 ok\r\n",
        b"",
    ],
    ids=[
        "354",
        "999",
        "no code",
        "no code and long",
        "an empty line first",
        "a reply beyond bounds",
        "the connection ends",
    ],
)
async def test_a_mail_for_which_nothing_clear_was_said_is_in_doubt(reply: bytes) -> None:
    """Else it would come again with each try of three days, where the server took it."""
    async with sending_to_scripted(**{".": reply}) as (server, transport):
        with pytest.raises(InDoubt, match="may have taken the mail"):
            await transport.send(mail())
        assert len(server.got) == 1


@pytest.mark.parametrize("answer", [b"", b"250 ok\r\n", b"no idea\r\n"])
async def test_a_server_that_wants_no_mail_at_DATA_has_taken_none(answer: bytes) -> None:
    async with sending_to_scripted(DATA=answer) as (server, transport):
        with pytest.raises(AccountTrouble) as trouble:
            await transport.send(mail())
        assert trouble.value.reason is DeliveryReason.SERVER_AWAY
        assert server.got == []


@pytest.mark.parametrize(
    ("verb", "answer", "kind", "reason"),
    [
        pytest.param("EHLO", "554 5.3.2 closed", AccountTrouble, DeliveryReason.SERVER_AWAY, id="greeting refused"),
        pytest.param("MAIL", "550 5.7.60 no", Refused, DeliveryReason.REFUSED, id="sender refused"),
        pytest.param("MAIL", "530 5.7.57 log in", AccountTrouble, DeliveryReason.LOGIN_REFUSED, id="login demanded"),
        pytest.param("RCPT", "450 4.7.1 greylisted", Postponed, DeliveryReason.REFUSED_FOR_NOW, id="greylist"),
        pytest.param("RCPT", "550 5.1.1 unknown", Refused, DeliveryReason.UNKNOWN_RECIPIENT, id="unknown recipient"),
        pytest.param("RCPT", "421 4.3.2 bye", AccountTrouble, DeliveryReason.SERVER_AWAY, id="closing"),
        pytest.param("DATA", "451 4.3.0 later", Postponed, DeliveryReason.REFUSED_FOR_NOW, id="content not now"),
        pytest.param("DATA", "554 5.7.1 spam", Refused, DeliveryReason.REFUSED, id="content refused"),
    ],
)
async def test_refusals_are_sorted_and_the_next_mail_goes(
    verb: Verb, answer: str, kind: type[Postponed | Refused], reason: DeliveryReason
) -> None:
    async with SmtpServer() as server, sending_to(server) as transport:
        server.answers[verb] = [answer]
        with pytest.raises(kind) as refusal:
            await transport.send(mail())
        assert type(refusal.value) is kind
        assert refusal.value.reason is reason
        assert refusal.value.reply == answer
        assert server.deliveries == []
        await transport.send(mail())
        assert len(server.deliveries) == 1


@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
async def test_tls_with_a_ca_file(security: Security, certificates: Certificates) -> None:
    async with (
        SmtpServer(
            tls=certificates.server, tls_from_the_start=security is Security.TLS, login=("u", "geheim")
        ) as server,
        sending_to(
            server, security=security, ca_file=str(certificates.ca_file), username="u", password=PASSWORD
        ) as transport,
    ):
        await transport.send(mail())
        [delivery] = server.deliveries
        assert delivery.tls
        assert delivery.login == "u"


@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
async def test_a_certificate_that_does_not_hold_is_trouble(security: Security, certificates: Certificates) -> None:
    async with (
        SmtpServer(tls=certificates.server, tls_from_the_start=security is Security.TLS) as server,
        sending_to(server, security=security) as transport,
    ):
        with pytest.raises(AccountTrouble, match="certificate") as trouble:
            await transport.send(mail())
        assert trouble.value.reason is DeliveryReason.NOT_SECURE
        assert server.deliveries == []


async def test_starttls_that_is_not_offered_is_no_reason_to_go_without() -> None:
    async with SmtpServer(login=("u", "geheim")) as server:
        async with sending_to(server, security=Security.STARTTLS, username="u", password=PASSWORD) as transport:
            with pytest.raises(AccountTrouble, match="STARTTLS") as trouble:
                await transport.send(mail())
        assert trouble.value.reason is DeliveryReason.NOT_SECURE
        assert server.logins == []


async def test_a_ca_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    async with (
        SmtpServer() as server,
        sending_to(server, security=Security.TLS, ca_file=str(tmp_path / "none.pem")) as transport,
    ):
        with pytest.raises(AccountTrouble, match=r"none\.pem") as trouble:
            await transport.send(mail())
        assert trouble.value.reason is DeliveryReason.NOT_SECURE


async def test_a_refused_login_is_tried_once_and_then_left_alone() -> None:
    async with (
        SmtpServer(login=("u", "anders")) as server,
        sending_to(server, rest=Rest(), username="u", password=PASSWORD) as transport,
    ):
        for _ in range(5):
            with pytest.raises(AccountTrouble, match=r"5\.7\.8") as trouble:
                await transport.send(mail())
            assert trouble.value.reason is DeliveryReason.LOGIN_REFUSED
            assert "geheim" not in str(trouble.value)
        assert server.logins == ["u"]


async def test_a_server_that_is_not_there_is_asked_once_in_a_while() -> None:
    async with SmtpServer() as server:
        host, port = server.host, server.port
    async with sending_to(SmtpServer(host, port), rest=Rest()) as transport:
        with pytest.raises(AccountTrouble) as trouble:
            await transport.send(mail())
        assert trouble.value.reason is DeliveryReason.SERVER_AWAY
        assert f"{host}:{port}" in trouble.value.reply
        async with SmtpServer(host, port) as server:
            with pytest.raises(AccountTrouble):
                await transport.send(mail())
            assert server.connections == 0


@pytest.mark.parametrize(
    "address", ["o'brien+a=b@klant.example", '"a b"@klant.example', '"a\\"b@c"@klant.example', "piet@bücher.example"]
)
async def test_odd_addresses_arrive_as_they_are(address: str) -> None:
    async with SmtpServer() as server, sending_to(server) as transport:
        await transport.send(mail(to=address))
        assert server.deliveries[0].recipients == (str(parse_address(address)),)


async def test_an_international_local_part_needs_smtputf8() -> None:
    async with SmtpServer() as server, sending_to(server) as transport:
        await transport.send(mail(to="jörg@klant.example", content="To: jörg@klant.example\r\n\r\n".encode()))
        assert server.deliveries[0].recipients == ("jörg@klant.example",)
    async with SmtpServer(smtputf8=False) as server, sending_to(server) as transport:
        with pytest.raises(Refused, match="SMTPUTF8"):
            await transport.send(mail(to="jörg@klant.example"))
        await transport.send(mail())
        assert len(server.deliveries) == 1


async def test_a_try_that_is_cancelled_leaves_no_half_used_connection() -> None:
    async with SmtpServer() as server, sending_to(server) as transport:
        answering = asyncio.Event()

        async def hold(_: Delivery) -> None:
            await answering.wait()

        server.on_delivery = hold
        sending = asyncio.create_task(transport.send(mail()))
        await server.wait_for(1)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        answering.set()
        assert await transport.send(mail()) == "250 2.0.0 Ok: queued as 2"
        assert [delivery.connection for delivery in server.deliveries] == [1, 2]


async def test_closing_ends_every_connection() -> None:
    async with SmtpServer() as server:
        async with sending_to(server) as transport:
            await asyncio.gather(transport.send(mail()), transport.send(mail()))
            assert server.open_connections == 2
        async with asyncio.timeout(10):
            while server.open_connections:
                await asyncio.sleep(0.01)


async def test_nothing_connects_where_a_cloud_hands_out_credentials() -> None:
    account = Account(1, 1, "smtp", "169.254.169.254", 25, Security.NONE)
    with pytest.raises(AccountTrouble, match=r"169\.254\.169\.254 is a link-local address") as refused:
        await SmtpTransport(account, Secrets()).send(mail())
    assert refused.value.reason is DeliveryReason.NOT_SECURE
