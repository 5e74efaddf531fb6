"""People are told of what needs them: once, and again when it is over; by mail and webhook, whoever else watches."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import socket
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from email import message_from_bytes
from email.policy import default
from typing import Any, Protocol

import pytest
from aiohttp import web
from pydantic import SecretStr

from deploy.demo.smtp_server import SmtpServer
from services.console.alarms.configuration import AlarmConfiguration, MailServer, Webhook
from services.console.alarms.messages import Alarm, Digest, Event, Told, alarm_message, digest_message
from services.console.alarms.sending import SIGNATURE, MailChannel, NotTold, WebhookChannel, mail_of
from services.console.alarms.watch import Watch
from shared.errors import Misconfigured
from tests.databases import Database
from tests.services.notifier.house import House
from tests.vhosts import Vhost

NOW = datetime(2026, 11, 28, 14, 2, tzinfo=UTC)
ALARM = Alarm(1, "mailbox", "unreachable mail.desk.example", ("ICT",), "It is away.", "Hij is weg.", NOW)


class CommandLine(Protocol):
    """The fixture `importer`."""

    environment: dict[str, str]
    monkeypatch: pytest.MonkeyPatch

    async def says(self, *arguments: str, code: int = 0) -> str: ...

    async def answers(self, *arguments: str, code: int = 0) -> Any: ...


@dataclass
class Heard:
    """A channel that keeps what it is told, unless it is `broken`."""

    messages: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    broken: bool = False

    async def tell(self, message: Told, recipients: Sequence[str]) -> None:
        if self.broken:
            raise NotTold("broken")
        self.messages.append((message.subject, tuple(recipients)))

    def about(self, words: str) -> list[tuple[str, tuple[str, ...]]]:
        return [message for message in self.messages if words in message[0]]


@pytest.fixture
async def house(database: Database) -> AsyncIterator[House]:
    async with House.of(database) as house:
        yield house


@pytest.fixture
def configuration(importer: CommandLine, vhost: Vhost) -> AlarmConfiguration:
    """A watch that tells at once, on a RabbitMQ whose queues nobody reads."""
    user = next(user.name for user in vhost.topology.users if user.service == "console")
    login = f"{user}:{vhost.passwords['console'].get_secret_value()}"
    url = vhost.empty.server.management_url
    importer.environment.update(
        {
            "IMPORTER_AMQP_URL": vhost.dsn("console").get_secret_value(),
            "IMPORTER_RABBITMQ_MANAGEMENT_URL": url.replace(url.partition("//")[2].partition("@")[0], login),
            "IMPORTER_STATUS_SECONDS": "30",
            "IMPORTER_ALARM_AFTER_SECONDS": "0",
            "IMPORTER_ALARM_TO": "nacht@desk.example",
            "IMPORTER_DIGEST_HOUR": "0",
        }
    )
    for name, value in importer.environment.items():
        importer.monkeypatch.setenv(name, value)
    return AlarmConfiguration.load()


async def quarantined(house: House, message_id: str) -> uuid.UUID:
    mail = await house.mail(message_id)
    await house.owner.execute(
        """UPDATE imported_mails SET outcome = 'quarantine', outcome_at = now(), reasons = '[{"id": "no-sender"}]'
           WHERE mail_id = $1""",
        mail,
    )
    return mail


async def decide(house: House, mail: uuid.UUID) -> None:
    await house.owner.execute(
        """UPDATE imported_mails SET reasons = '[{"id": "discarded-by-person"}]' WHERE mail_id = $1""", mail
    )


async def test_an_alarm_is_told_once_by_each_channel_and_again_when_it_is_over(
    configuration: AlarmConfiguration, house: House
) -> None:
    mail, webhook = Heard(), Heard()
    watches = [Watch(configuration, {"mail": mail, "webhook": webhook}) for _ in range(2)]
    waiting = await quarantined(house, "a@klant.example")
    for _ in range(2):
        await asyncio.gather(*(watch.look() for watch in watches))
    for channel in (mail, webhook):
        assert len(channel.messages) == 1, channel.messages  # with the queues that nobody reads in it
        assert "heeft iemand nodig" in channel.messages[0][0]
    await decide(house, waiting)
    for _ in range(2):
        await asyncio.gather(*(watch.look() for watch in watches))
    assert [subject for subject, _ in mail.messages[1:]] == ["Helpdesk-importer: quarantine ICT is voorbij [ICT]"]
    assert len(webhook.messages) == 2


async def test_a_channel_that_fails_is_tried_again_and_the_other_is_told_no_second_time(
    configuration: AlarmConfiguration, house: House
) -> None:
    mail, webhook = Heard(broken=True), Heard()
    await quarantined(house, "a@klant.example")
    await Watch(configuration, {"mail": mail, "webhook": webhook}).look()
    mail.broken = False
    await Watch(configuration, {"mail": mail, "webhook": webhook}).look()  # as after a restart
    assert (len(mail.messages), len(webhook.messages)) == (1, 1)


async def test_all_administrators_are_told_of_their_helpdesk_and_of_nothing_else(
    configuration: AlarmConfiguration, importer: CommandLine, house: House
) -> None:
    await house.owner.execute("""
        INSERT INTO employee_addresses (employee_id, address)
            VALUES (1, 'sanne@desk.example'), (2, 'karim@desk.example')""")
    for employee in ("Sanne de Wit", "Karim Bouzid"):
        await importer.says("alarms", "add-administrator", "ICT", employee)
    await quarantined(house, "a@klant.example")
    mail = Heard()
    await Watch(configuration, {"mail": mail}).look()
    of_one = "Helpdesk-importer: quarantine ICT heeft iemand nodig [ICT]"
    assert sorted(who for subject, who in mail.messages if subject == of_one) == [
        ("karim@desk.example",), ("sanne@desk.example",),
    ]  # fmt: skip
    assert [who for subject, who in mail.messages if "(+" in subject] == [("nacht@desk.example",)]
    listed = await importer.answers("alarms", "administrators")
    assert [row["address"] for row in listed] == ["karim@desk.example", "sanne@desk.example"]
    await importer.says("alarms", "remove-administrator", "ICT", "Karim Bouzid")
    assert "no administrator" in await importer.says("alarms", "remove-administrator", "ICT", "Karim Bouzid", code=1)


async def test_nothing_is_told_in_planned_maintenance_and_what_outlasts_it_is(
    configuration: AlarmConfiguration, importer: CommandLine, house: House
) -> None:
    await quarantined(house, "a@klant.example")
    mail = Heard()
    said = await importer.says("alarms", "plan-maintenance", "2", "--helpdesk", "ICT", "--reason", "verhuizing")
    window = said.split()[1].rstrip(":")
    await Watch(configuration, {"mail": mail}).look()
    assert mail.about("quarantine") == []
    assert mail.about("queue-not-read") != []  # that is not of this helpdesk
    assert [row["reason"] for row in await importer.answers("alarms", "maintenance")] == ["verhuizing"]
    await importer.says("alarms", "end-maintenance", window)
    await house.owner.execute(
        "UPDATE maintenance_windows SET starts_at = now() - interval '2 hours', ends_at = now() - interval '1 hour'"
    )
    await Watch(configuration, {"mail": mail}).look()
    assert len(mail.about("quarantine")) == 1


@pytest.mark.usefixtures("configuration")
async def test_what_lasts_shorter_than_that_is_told_to_nobody(importer: CommandLine, house: House) -> None:
    importer.monkeypatch.setenv("IMPORTER_ALARM_AFTER_SECONDS", "180")
    mail = Heard()
    watch = Watch(AlarmConfiguration.load(), {"mail": mail})
    await quarantined(house, "a@klant.example")
    await watch.look()
    assert mail.messages == []
    assert "quarantine" in {row["cause"] for row in await importer.answers("alarms", "list")}
    await house.owner.execute("UPDATE alarms SET first_seen_at = first_seen_at - interval '3 minutes'")
    await watch.look()
    assert len(mail.messages) == 1


async def test_each_helpdesk_gets_one_digest_a_day(
    configuration: AlarmConfiguration, importer: CommandLine, house: House
) -> None:
    await house.owner.execute("""
        INSERT INTO employee_addresses (employee_id, address) VALUES (1, 'sanne@desk.example');
        UPDATE importer_settings SET enabled = true, default_contact_id = 1, default_employee_id = 1""")
    await importer.says("alarms", "add-administrator", "ICT", "Sanne de Wit")
    mail = Heard()
    for _ in range(2):
        await asyncio.gather(*(Watch(configuration, {"mail": mail}).look() for _ in range(2)))
    assert [who for _, who in mail.about("(0/0/0)")] == [("sanne@desk.example",)]


@pytest.mark.usefixtures("house")
async def test_a_database_that_is_away_is_told_from_memory_and_again_when_it_is_back(
    configuration: AlarmConfiguration, importer: CommandLine
) -> None:
    mail = Heard()
    watch = Watch(configuration, {"mail": mail})
    there = watch._where
    importer.monkeypatch.setenv("IMPORTER_DATABASE_URL", "postgresql://nobody:x@127.0.0.1:1/helpdesk")
    watch._where = AlarmConfiguration.load().where()
    for _ in range(2):
        await watch.look()
    assert mail.messages == [("Helpdesk-importer: database heeft iemand nodig", ("nacht@desk.example",))]
    watch._where = there
    await watch.look()
    assert mail.messages[1] == ("Helpdesk-importer: database is voorbij", ("nacht@desk.example",))


async def test_of_a_copied_database_the_operators_of_this_machine_alone_are_told_and_of_nothing_in_it(
    configuration: AlarmConfiguration, importer: CommandLine, house: House
) -> None:
    await house.owner.execute("""
        INSERT INTO employee_addresses (employee_id, address) VALUES (1, 'sanne@desk.example');
        UPDATE importer_settings SET enabled = true, default_contact_id = 1, default_employee_id = 1;
        UPDATE mailbox_states SET problem = 'Weg', problem_kind = 'unreachable', problem_since = now()""")
    await importer.says("alarms", "add-administrator", "ICT", "Sanne de Wit")
    mail = Heard()
    watch = Watch(configuration, {"mail": mail})
    await watch.look()
    was = list(mail.messages)
    assert {who for _, who in was} == {("nacht@desk.example",), ("sanne@desk.example",)}
    await house.owner.execute("UPDATE installation SET restored_at = now(), restored_to = now()")
    before = await house.owner.fetch("SELECT * FROM alarms ORDER BY id")
    for _ in range(2):
        await watch.look()
    assert mail.messages[len(was) :] == [
        ("Helpdesk-importer: installation heeft iemand nodig", ("nacht@desk.example",))
    ]
    assert await house.owner.fetch("SELECT * FROM alarms ORDER BY id") == before
    await importer.says("installation", "confirm", "--yes")
    await watch.look()
    assert ("Helpdesk-importer: installation is voorbij", ("nacht@desk.example",)) in mail.messages


@pytest.mark.parametrize(
    ("event", "language", "subject", "says"),
    [
        (Event.BEGAN, "nl", "heeft iemand nodig [ICT]", "Hij is weg."),
        (Event.BEGAN, "en", "needs a person [ICT]", "It is away."),
        (Event.ENDED, "nl", "is voorbij [ICT]", "Dit is voorbij:"),
        (Event.ENDED, "en", "is over [ICT]", "This is over:"),
    ],
)
def test_an_alarm_is_said_in_the_language_of_the_setting(event: Event, language: Any, subject: str, says: str) -> None:
    message = alarm_message(event, [ALARM], language)
    assert message.subject == f"Helpdesk-importer: mailbox unreachable mail.desk.example {subject}"
    assert says in message.text


def test_the_digest_tells_the_day_in_numbers() -> None:
    message = digest_message(Digest(1, "ICT", date(2026, 11, 27), 12, 1, 2, 3), "nl")
    assert message.subject == "Helpdesk-importer: ICT 2026-11-27 (12/1/2)"
    assert "     12  mails geïmporteerd" in message.text
    assert message.document["to_review"] == 3


def test_a_mail_is_a_machines_and_no_name_makes_a_header() -> None:
    evil = Alarm(1, "mailbox", "x\r\nBcc: all@desk.example", (), "Weg\r\n.\r\nQUIT", "Weg", NOW)
    mail = message_from_bytes(
        mail_of(alarm_message(Event.BEGAN, [evil], "en"), "alarm@desk.example", "nacht@desk.example"), policy=default
    )
    assert mail["Bcc"] is None
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"].endswith("@desk.example>")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("IMPORTER_ALARM_SMTP_URL", "smtp://u:p@mail.example"),
        ("IMPORTER_ALARM_SMTP_URL", "http://mail.example"),
        ("IMPORTER_ALARM_WEBHOOK_URL", "http://elsewhere.example/hook"),
        ("IMPORTER_ALARM_WEBHOOK_URL", "ftp://127.0.0.1/hook"),
    ],
)
def test_a_channel_that_is_not_safe_is_refused(
    configuration: AlarmConfiguration, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    assert configuration.channels == ()
    monkeypatch.setenv(variable, value)
    with pytest.raises(Misconfigured, match=variable):
        AlarmConfiguration.load()


async def test_a_webhook_gets_json_that_is_signed_and_nobody_is_sent_to_a_forbidden_address() -> None:
    posted: list[tuple[bytes, str]] = []

    async def take(request: web.Request) -> web.Response:
        posted.append((await request.read(), request.headers[SIGNATURE]))
        return web.Response(status=503 if len(posted) == 1 else 204)

    application = web.Application()
    application.router.add_post("/hook", take)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    channel = WebhookChannel(Webhook(f"http://127.0.0.1:{port}/hook", SecretStr("geheim"), None))
    message = alarm_message(Event.BEGAN, [ALARM], "nl")
    try:
        with pytest.raises(NotTold, match="answers 503"):
            await channel.tell(message, ())
        await channel.tell(message, ())
    finally:
        await runner.cleanup()
    body, signature = posted[-1]
    assert signature == f"sha256={hmac.new(b'geheim', body, hashlib.sha256).hexdigest()}"
    assert json.loads(body)["alarms"][0]["helpdesks"] == ["ICT"]
    forbidden = WebhookChannel(Webhook("https://169.254.169.254/latest", SecretStr("geheim"), None))
    with pytest.raises(NotTold, match=r"169\.254\.169\.254 is"):
        await forbidden.tell(message, ())


def plain_server(port: int) -> MailServer:
    return MailServer(
        "127.0.0.1", port, tls_at_once=False, user=None, password=None, sender="a@d.example", ca_file=None
    )


async def test_a_mail_goes_to_each_recipient_by_the_alarms_own_server() -> None:
    message = alarm_message(Event.BEGAN, [ALARM], "nl")
    async with SmtpServer() as server:
        own = plain_server(server.port)
        await MailChannel(own).tell(message, ("nacht@desk.example", "sanne@desk.example"))
        assert sorted(mail.recipients for mail in server.deliveries) == [
            ("nacht@desk.example",),
            ("sanne@desk.example",),
        ]
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
    with pytest.raises(NotTold, match=f"127.0.0.1:{port}"):
        await MailChannel(plain_server(port)).tell(message, ("b@c.de",))
