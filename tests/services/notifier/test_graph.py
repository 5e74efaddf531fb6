"""Sending by Microsoft Graph: a draft, its id committed, then sent. No crash between these loses or doubles a mail."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import structlog
from pydantic import SecretStr

from services.notifier.flow import Notifier
from services.notifier.graph import SENT, SENT_BEFORE, GraphTransport
from services.notifier.notification import Account, Secrets, Security
from services.notifier.repository import LEASE, Repository
from services.notifier.rules.addresses import parse_address
from services.notifier.smtp import Rest
from services.notifier.transport import AccountTrouble, NotDelivered, OutgoingMail, Postponed, Refused
from services.notifier.transports import Transports
from shared.errors import Outage
from shared.messages import NotificationKind
from shared.microsoft.patience import Patience
from shared.portal.delivery import DeliveryReason
from tests.databases import Database
from tests.servers.graph_apps import app_certificate
from tests.servers.graph_entra import CLIENT_ID, SECRET, TENANT
from tests.servers.graph_faults import Fault, broken_off, no_answer, status, unanswered
from tests.servers.graph_server import GraphServer
from tests.services.notifier.examples import KEY
from tests.services.notifier.house import NO_REST, House, keyring

MAILBOX = "ict@example.nl"
ORPHAN_SEARCH = r"GET /users/ict@example.nl/messages"
DRAFT = r"POST /users/ict@example.nl/messages"
LOOK = r"GET /users/ict@example.nl/messages/ID"
SEND = r"POST .*/send"


class Killed(BaseException):
    """The process ends here: nothing behind this line is done."""


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GraphServer]:
    with GraphServer(tmp_path) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        server.add_mailbox(MAILBOX)
        yield server
        assert server.without_immutable_ids == []


def account(server: GraphServer, **changes: Any) -> Account:
    known: dict[str, Any] = {
        "username": CLIENT_ID,
        "tenant": TENANT,
        "mailbox_address": MAILBOX,
        "ca_file": str(server.ca_file),
    }
    return Account(1, 1, "graph", "", 0, Security.TLS, **(known | changes))


@asynccontextmanager
async def sending(
    server: GraphServer,
    secrets: Secrets | None = None,
    *,
    rest: Rest = NO_REST,
    patience: Patience | None = None,
    **changes: Any,
) -> AsyncIterator[GraphTransport]:
    transport = GraphTransport(
        account(server, **changes),
        secrets or Secrets(SecretStr(SECRET)),
        rest=rest,
        patience=patience,
    )
    try:
        yield transport
    finally:
        await transport.close()


def mail(**changes: Any) -> OutgoingMail:
    content = b"From: ICT <ict@example.nl>\r\nTo: piet@klant.example\r\nMessage-ID: <a.b@example.nl>\r\n"
    known = OutgoingMail(
        parse_address(MAILBOX),
        parse_address("piet@klant.example"),
        content + b"Auto-Submitted: auto-generated\r\nSubject: hallo\r\n\r\nhallo\r\n",
        message_id="a.b@example.nl",
    )
    return replace(known, **changes)


async def test_a_mail_is_two_requests_and_stays_among_the_sent_items(server: GraphServer) -> None:
    async with sending(server) as transport:
        assert await transport.send(mail()) == SENT
    assert server.requests == ["POST /users/ict@example.nl/messages", "POST /users/ict@example.nl/messages/ID/send"]
    [left] = server.submitted
    assert (left.mailbox, left.way) == (MAILBOX, "send")
    assert b"Message-ID: <a.b@example.nl>\r\n" in left.content
    assert server.mail.mailboxes[MAILBOX].contents("sentitems") == [mail().content]


async def test_a_certificate_sends_too(server: GraphServer) -> None:
    pem, certificate = app_certificate()
    server.entra.apps[CLIENT_ID].certificates.append(certificate)
    async with sending(server, Secrets(certificate=pem)) as transport:
        assert await transport.send(mail()) == SENT


@pytest.mark.parametrize(
    ("fault", "kind", "reason", "said"),
    [
        ((DRAFT, status(403, "ErrorAccessDenied")), AccountTrouble, DeliveryReason.NOT_ALLOWED, "Mail.Send"),
        ((SEND, status(403, "ErrorAccessDenied")), AccountTrouble, DeliveryReason.NOT_ALLOWED, "Mail.Send"),
        ((DRAFT, status(404, "ResourceNotFound")), AccountTrouble, DeliveryReason.NOT_ALLOWED, "mailadres"),
        ((DRAFT, status(429, "x", Retry_After="30")), AccountTrouble, DeliveryReason.REFUSED_FOR_NOW, "30 seconden"),
        ((SEND, status(400, "ErrorInvalidRecipients")), Refused, DeliveryReason.REFUSED, "ErrorInvalidRecipients"),
        ((DRAFT, status(413, "")), Refused, DeliveryReason.REFUSED, "413"),
        ((SEND, status(500, "ErrorInternalServerError")), Postponed, DeliveryReason.REFUSED_FOR_NOW, "500"),
        ((DRAFT, broken_off), AccountTrouble, DeliveryReason.SERVER_AWAY, "brak af"),
        ((SEND, no_answer), AccountTrouble, DeliveryReason.SERVER_AWAY, "niet"),
    ],
)
async def test_refusals_are_sorted(
    server: GraphServer, fault: tuple[str, Fault], kind: type[NotDelivered], reason: DeliveryReason, said: str
) -> None:
    hasty = Patience(answer=0.5) if fault[1] is no_answer else None
    async with sending(server, patience=hasty) as transport:
        server.fault(*fault)
        with pytest.raises(kind, match=said) as trouble:
            await transport.send(mail())
    assert type(trouble.value) is kind
    assert trouble.value.reason is reason


@pytest.mark.parametrize(
    ("changes", "reason", "said"),
    [
        ({"tenant": "unknown.example"}, DeliveryReason.LOGIN_REFUSED, "tenant is niet bekend"),
        ({"mailbox_address": "nobody@example.nl"}, DeliveryReason.NOT_ALLOWED, "mailadres"),
        ({"ca_file": None}, DeliveryReason.NOT_SECURE, "certificaat"),
        ({"ca_file": "/nowhere.pem"}, DeliveryReason.NOT_SECURE, "CA-bestand"),
    ],
)
async def test_a_wrong_account_is_told_and_left_alone(
    server: GraphServer, changes: dict[str, Any], reason: DeliveryReason, said: str
) -> None:
    async with sending(server, rest=Rest(), **changes) as transport:
        for _ in range(3):
            with pytest.raises(AccountTrouble, match=said) as trouble:
                await transport.send(mail())
            assert trouble.value.reason is reason
    assert len(server.requests) <= 1
    assert server.token_requests <= 1


async def test_another_name_than_the_mailboxs_is_told(server: GraphServer) -> None:
    other = mail(content=mail().content.replace(b"<ict@example.nl>", b"<directie@example.nl>"))
    async with sending(server) as transport:
        with pytest.raises(AccountTrouble, match="Send As") as trouble:
            await transport.send(other)
    assert trouble.value.reason is DeliveryReason.NOT_ALLOWED


async def test_after_throttling_nothing_is_asked_until_retry_after_is_over(server: GraphServer) -> None:
    async with sending(server) as transport:
        server.fault(DRAFT, status(429, "ApplicationThrottled", Retry_After="120"))
        for _ in range(5):
            with pytest.raises(AccountTrouble):
                await transport.send(mail())
    assert len(server.requests) == 1


async def test_no_secret_or_token_is_shown(server: GraphServer) -> None:
    with structlog.testing.capture_logs() as logged:
        async with sending(server) as transport:
            server.fault(SEND, status(403, "ErrorAccessDenied"))
            with pytest.raises(AccountTrouble) as trouble:
                await transport.send(mail())
    shown = (
        f"{transport.__dict__!r} {transport._graph.__dict__!r} {trouble.value!r} {trouble.value.__cause__!r} {logged!r}"
    )
    for secret in (SECRET, *server.entra.given):
        assert secret not in shown


# ── crashes between the steps ──────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
async def house(database: Database, server: GraphServer) -> AsyncIterator[House]:
    async with House.of(database) as house:
        await house.owner.execute(
            """WITH account AS (
                   INSERT INTO outgoing_accounts (name, kind, tenant, username, mailbox_address, ca_file,
                       password_encrypted)
                   VALUES ('uit', 'graph', $1, $2, $3, $4, $5) RETURNING id)
               UPDATE helpdesks SET outgoing_account_id = account.id FROM account""",
            TENANT,
            CLIENT_ID,
            MAILBOX,
            str(server.ca_file),
            keyring().public.seal(SecretStr(SECRET)),
        )
        yield house


class KilledBeforeKeeping(Repository):
    async def keep_draft(self, *_: Any) -> bool:
        raise Killed


class KilledAfterKeeping(Repository):
    async def keep_draft(self, *arguments: Any) -> bool:
        await super().keep_draft(*arguments)
        raise Killed


class DatabaseAwayWhileKeeping(Repository):
    async def keep_draft(self, *_: Any) -> bool:
        raise Outage("The database is away.")


class KilledBeforeRecording(Repository):
    async def record_sent(self, *_: Any) -> list[None]:
        raise Killed


@asynccontextmanager
async def notifier(house: House, kind: type[Repository] = Repository) -> AsyncIterator[Notifier]:
    kinds = {"graph": partial(GraphTransport, rest=NO_REST)}
    async with house.database.pool("notifier") as pool, Transports(keyring(), kinds) as transports:
        yield Notifier(kind(pool, f"test:{kind.__name__}"), transports, KEY)


def arrived(server: GraphServer) -> list[str]:
    """The Message-IDs of all that left, as recipients see them."""
    found = []
    for left in server.submitted:
        message = message_from_bytes(left.content, policy=SMTP)
        assert isinstance(message, EmailMessage)
        found.append(str(message["Message-ID"]).strip("<>"))
    return found


async def test_a_notification_goes_by_graph_and_its_row_knows_the_draft(house: House, server: GraphServer) -> None:
    planned = await house.plan()
    async with notifier(house) as notifying:
        await notifying.deliver([planned])
    row = await house.row(planned)
    assert (row["state"], row["server_reply"]) == ("sent", SENT)
    sent = server.mail.mailboxes[MAILBOX].message(row["draft_id"])
    assert sent is not None
    assert sent.raw == row["mime"]
    assert arrived(server) == [row["message_id"]]


CRASHES: dict[str, tuple[type[Repository], tuple[str, Fault] | None, str]] = {
    "draft made, not kept": (KilledBeforeKeeping, None, SENT),
    "draft made, the database away": (DatabaseAwayWhileKeeping, None, SENT),
    "draft kept, not sent": (KilledAfterKeeping, None, SENT),
    "sent, not recorded": (KilledBeforeRecording, None, SENT_BEFORE),
    "draft made, its answer lost": (Repository, (DRAFT, unanswered), SENT),
    "sent, the answer lost": (Repository, (SEND, unanswered), SENT_BEFORE),
    "not sent": (Repository, (SEND, status(503)), SENT),
}


async def test_a_crash_between_the_steps_neither_loses_nor_doubles(house: House, server: GraphServer) -> None:
    for moment, (kind, fault, reply) in CRASHES.items():
        planned = await house.plan()
        if fault is not None:
            server.fault(*fault)
        async with notifier(house, kind) as notifying:
            with suppress(Killed, Outage):
                await notifying.deliver([planned])
        await house.pass_time(LEASE)
        async with notifier(house) as notifying:
            await notifying.sweep()
        row = await house.row(planned)
        assert (row["state"], row["server_reply"]) == ("sent", reply), moment
        assert arrived(server).count(row["message_id"]) == 1, moment
    assert len(server.submitted) == len(CRASHES)
    assert server.mail.mailboxes[MAILBOX].contents("drafts") == []


async def test_a_message_id_of_graphs_own_is_the_one_that_is_recognised(house: House, server: GraphServer) -> None:
    """D6: an answer and a bounce name the Message-ID that the recipient saw."""
    server.mail.keeps_message_ids = False
    planned = await house.plan()
    async with notifier(house, KilledBeforeRecording) as notifying:
        with suppress(Killed):
            await notifying.deliver([planned])
    await house.pass_time(LEASE)
    async with notifier(house) as notifying:
        await notifying.sweep()
    row = await house.row(planned)
    assert arrived(server) == [row["message_id"]]
    assert row["message_id"].endswith("@eurprd.example")


async def test_a_draft_that_a_person_deleted_for_good_is_made_again(house: House, server: GraphServer) -> None:
    planned = await house.plan()
    async with notifier(house, KilledAfterKeeping) as notifying:
        with suppress(Killed):
            await notifying.deliver([planned])
    mailbox = server.mail.mailboxes[MAILBOX]
    mailbox.messages.clear()
    await house.pass_time(LEASE)
    async with notifier(house) as notifying:
        await notifying.sweep()
    assert arrived(server) == [(await house.row(planned))["message_id"]]
    assert server.count(ORPHAN_SEARCH) == 1


async def test_a_draft_in_another_mailbox_is_made_again_in_the_new_one(house: House, server: GraphServer) -> None:
    planned = await house.plan()
    async with notifier(house, KilledAfterKeeping) as notifying:
        with suppress(Killed):
            await notifying.deliver([planned])
    server.mail.mailboxes[MAILBOX].messages.clear()
    server.fault(LOOK, status(400, "ErrorInvalidMailboxItemId"))
    await house.pass_time(LEASE)
    async with notifier(house) as notifying:
        await notifying.sweep()
    assert arrived(server) == [(await house.row(planned))["message_id"]]


async def test_many_notifications_share_one_request_at_a_time(house: House, server: GraphServer) -> None:
    ticket = await house.ticket()
    planned = [
        await house.plan(NotificationKind.TICKET_ADDED_MANAGER, ticket=ticket, to="sanne@example.nl"),
        *[await house.plan() for _ in range(5)],
    ]
    async with notifier(house) as notifying:
        await notifying.deliver(planned)
    assert sorted(arrived(server)) == sorted([(await house.row(each))["message_id"] for each in planned])
    assert server.most_at_once == 1
    assert server.token_requests == 1
